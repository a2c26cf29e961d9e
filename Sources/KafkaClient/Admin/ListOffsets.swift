import KafkaWire
import Model

extension Client {
    /// Offsets of these places, one request to each leader. A time later than every record gives the end.
    public func offsets(_ places: [TopicPartition: StartPosition]) async throws -> [TopicPartition: Offset] {
        var result: [TopicPartition: Offset] = [:]
        var asked: [Int32: [(TopicPartition, Int64)]] = [:]
        let topics = Set(places.keys.map(\.topic)).sorted()
        let metadata = try await metadata(topics: topics)
        for (place, position) in places {
            let timestamp: Int64
            switch position {
            case .offset(let offset):
                result[place] = offset
                continue
            case .earliest: timestamp = -2
            case .latest: timestamp = -1
            case .time(let time): timestamp = time.ms
            }
            guard let leader = metadata.leader(place.topic, place.partition) else {
                forget(topic: place.topic)
                throw ClientError.refused(metadata.topics[place.topic].map { $0.error } ?? .leaderNotAvailable, what: "\(place)")
            }
            asked[leader, default: []].append((place, timestamp))
        }
        for (leader, entries) in asked {
            let connection = try await connection(node: leader)
            for (place, offset) in try await Self.list(entries, over: connection) { result[place] = offset }
        }
        let late = places.filter { result[$0.key] == nil }.mapValues { _ in StartPosition.latest }
        if !late.isEmpty { result.merge(try await offsets(late)) { first, _ in first } }
        return result
    }

    private static func list(
        _ entries: [(TopicPartition, Int64)], over connection: BrokerConnection
    ) async throws -> [TopicPartition: Offset] {
        var request = ListOffsetsRequest()
        request.replicaId = -1
        request.topics = Dictionary(grouping: entries, by: \.0.topic).sorted { $0.key < $1.key }.map { name, entries in
            var topic = ListOffsetsRequest.ListOffsetsTopic()
            topic.name = name
            topic.partitions = entries.map { place, timestamp in
                var partition = ListOffsetsRequest.ListOffsetsPartition()
                partition.partitionIndex = place.partition
                partition.timestamp = timestamp
                return partition
            }
            return topic
        }
        request.timeoutMs = 30_000
        var result: [TopicPartition: Offset] = [:]
        for topic in try await connection.send(request).topics {
            for partition in topic.partitions {
                let place = TopicPartition(topic: topic.name, partition: partition.partitionIndex)
                guard partition.errorCode == .none else { throw ClientError.refused(partition.errorCode, what: "\(place)") }
                if partition.offset >= 0 { result[place] = Offset(partition.offset) }
            }
        }
        return result
    }
}
