import KafkaWire
import Model

/// Reads a group's committed offsets in the layout that the broker's version has.
enum GroupOffsets {
    /// - Parameter partitions: nil asks for all that the group has committed.
    static func fetch(
        group: String, partitions: [TopicPartition]?, over connection: BrokerConnection
    ) async throws -> [TopicPartition: Offset] {
        let byTopic = partitions.map { Dictionary(grouping: $0, by: \.topic).sorted { $0.key < $1.key } }
        // Version 10 names topics by id.
        let version = try connection.version(.offsetFetch, limit: 9)
        var request = OffsetFetchRequest()
        if version >= 8 {
            var part = OffsetFetchRequest.OffsetFetchRequestGroup()
            part.groupId = group
            part.topics = byTopic.map { topics in
                topics.map { name, partitions in
                    var topic = OffsetFetchRequest.OffsetFetchRequestTopics()
                    topic.name = name
                    topic.partitionIndexes = partitions.map(\.partition)
                    return topic
                }
            }
            request.groups = [part]
        } else {
            request.groupId = group
            request.topics = byTopic.map { topics in
                topics.map { name, partitions in
                    var topic = OffsetFetchRequest.OffsetFetchRequestTopic()
                    topic.name = name
                    topic.partitionIndexes = partitions.map(\.partition)
                    return topic
                }
            }
        }
        let answer = try await connection.send(request, limit: 9)
        var result: [TopicPartition: Offset] = [:]
        func add(_ topic: String, _ partition: Int32, _ offset: Int64, _ code: ErrorCode) throws(ClientError) {
            guard code == .none else { throw .refused(code, what: "offset of \(topic)-\(partition) in group '\(group)'") }
            if offset >= 0 { result[TopicPartition(topic: topic, partition: partition)] = Offset(offset) }
        }
        for part in answer.groups {
            guard part.errorCode == .none else { throw ClientError.refused(part.errorCode, what: "group '\(group)'") }
            for topic in part.topics {
                for partition in topic.partitions {
                    try add(topic.name, partition.partitionIndex, partition.committedOffset, partition.errorCode)
                }
            }
        }
        guard answer.errorCode == .none else { throw ClientError.refused(answer.errorCode, what: "group '\(group)'") }
        for topic in answer.topics {
            for partition in topic.partitions {
                try add(topic.name, partition.partitionIndex, partition.committedOffset, partition.errorCode)
            }
        }
        return result
    }
}

extension Client {
    /// Where the group's coordinator listens.
    func coordinator(group: String) async throws -> HostPort {
        let connection = try await anyConnection()
        let version = try connection.version(.findCoordinator)
        var request = FindCoordinatorRequest()
        if version >= 4 { request.coordinatorKeys = [group] } else { request.key = group }
        let answer = try await connection.send(request)
        let what = "coordinator of group '\(group)'"
        func address(_ host: String, _ port: Int32) throws(ClientError) -> HostPort {
            guard let address = HostPort(host: host, wirePort: port) else { throw .refused(.coordinatorNotAvailable, what: what) }
            return address
        }
        guard version >= 4 else {
            guard answer.errorCode == .none else { throw ClientError.refused(answer.errorCode, what: what) }
            return try address(answer.host, answer.port)
        }
        guard let found = answer.coordinators.first else { throw ClientError.refused(.coordinatorNotAvailable, what: what) }
        guard found.errorCode == .none else { throw ClientError.refused(found.errorCode, what: what) }
        return try address(found.host, found.port)
    }
}
