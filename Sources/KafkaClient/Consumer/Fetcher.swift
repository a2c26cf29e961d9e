import KafkaWire
import Model
import NIOCore

/// One fetch: which partitions of one leader, from where.
struct FetchPlan: Sendable {
    var leader: Int32
    var positions: [TopicPartition: Offset]
}

/// What became of one partition of a fetch.
struct FetchedPartition: Sendable {
    var source: TopicPartition
    /// The offset that was asked for.
    var from: Offset
    var highWatermark: Offset
    var code: ErrorCode
    var batches: [FetchedBatch]
}

/// Asks one leader once.
enum Fetcher {
    /// Version 13 names topics by id, which this client does not use.
    static let newestByName: Int16 = 12

    static func fetch(
        _ plan: FetchPlan, client: Client, lane: Client.Lane, options: ConsumerOptions
    ) async throws -> [FetchedPartition] {
        let connection = try await client.connection(node: plan.leader, lane: lane)
        var request = FetchRequest()
        request.maxWaitMs = options.maxWaitMs
        request.minBytes = options.minBytes
        request.maxBytes = options.maxBytes
        // No session: with few partitions a full request is as short.
        request.sessionEpoch = -1
        request.topics = Dictionary(grouping: plan.positions, by: \.key.topic).sorted { $0.key < $1.key }.map { name, entries in
            var topic = FetchRequest.FetchTopic()
            topic.topic = name
            topic.partitions = entries.map { place, offset in
                var partition = FetchRequest.FetchPartition()
                partition.partition = place.partition
                partition.fetchOffset = offset.value
                partition.partitionMaxBytes = options.partitionBytes
                return partition
            }
            return topic
        }
        let answer = try await connection.send(request, limit: newestByName, waitMs: Int64(options.maxWaitMs))
        guard answer.errorCode == .none else { throw ClientError.refused(answer.errorCode, what: "fetch from \(connection.address)") }
        var result: [FetchedPartition] = []
        for topic in answer.responses {
            for partition in topic.partitions {
                let source = TopicPartition(topic: topic.topic, partition: partition.partitionIndex)
                // What was not asked for is of no use.
                guard let from = plan.positions[source] else { continue }
                let batches = try FetchedBatch.split(
                    partition.records ?? ByteBuffer(), source: source, from: from, verify: options.verifiesChecksums)
                result.append(
                    FetchedPartition(
                        source: source, from: from, highWatermark: Offset(partition.highWatermark), code: partition.errorCode,
                        batches: batches))
            }
        }
        return result
    }
}
