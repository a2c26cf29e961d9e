import KafkaWire
import Model

extension Client {
    /// Creates a topic. −1 partitions leaves the number to the broker.
    public func createTopic(_ name: String, partitions: Int32 = -1, configs: [String: String] = [:]) async throws {
        var topic = CreateTopicsRequest.CreatableTopic()
        topic.name = name
        topic.numPartitions = partitions
        topic.replicationFactor = -1
        topic.configs = configs.sorted { $0.key < $1.key }.map { key, value in
            var config = CreateTopicsRequest.CreatableTopicConfig()
            config.name = key
            config.value = value
            return config
        }
        var request = CreateTopicsRequest()
        request.topics = [topic]
        request.timeoutMs = 30_000
        for result in try await controllerConnection().send(request).topics where result.errorCode != .none {
            throw ClientError.refused(result.errorCode, what: "topic '\(name)'" + (result.errorMessage.map { " (\($0))" } ?? ""))
        }
    }

    /// Deletes a topic and its records.
    public func deleteTopic(_ name: String) async throws {
        let connection = try await controllerConnection()
        var request = DeleteTopicsRequest()
        request.timeoutMs = 30_000
        if try connection.version(.deleteTopics) >= 6 {
            var topic = DeleteTopicsRequest.DeleteTopicState()
            topic.name = name
            request.topics = [topic]
        } else {
            request.topicNames = [name]
        }
        forget(topic: name)
        for result in try await connection.send(request).responses where result.errorCode != .none {
            throw ClientError.refused(result.errorCode, what: "topic '\(name)'")
        }
    }

    private func controllerConnection() async throws -> BrokerConnection {
        let metadata = try await metadata(topics: [], refresh: true)
        guard let controller = metadata.controllerID else { return try await anyConnection() }
        return try await connection(node: controller)
    }
}
