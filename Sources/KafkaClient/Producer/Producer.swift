import KafkaWire
import Model
import NIOCore

/// Sends records to topics of a cluster.
///
/// Calls take many records at once: an `await` is paid per call, not per record.
/// ```swift
/// let producer = try await Producer(client: client, options: options)
/// try await producer.send(records, topic: "orders")        // by key, else round robin by call
/// try await producer.flush()                               // all of it answered
/// ```
public actor Producer {
    private let client: Client
    private let options: ProducerOptions
    private let report: @Sendable (Delivery) -> Void
    private let identity: ProducerIdentity?
    private var partitions: [String: [PartitionProducer]] = [:]
    private var rounds: [String: Int] = [:]

    /// - Parameter report: is told of every batch that was answered or given up; called on no particular thread, must not block.
    public init(
        client: Client, options: ProducerOptions = ProducerOptions(), report: @escaping @Sendable (Delivery) -> Void = { _ in }
    ) async throws {
        precondition(!options.idempotent || options.acks == .all, "idempotence needs acks=all")
        var options = options
        if options.idempotent { options.inFlight = min(5, options.inFlight) }
        self.client = client
        self.options = options
        self.report = report
        identity = options.idempotent ? try await Self.identity(client) : nil
    }

    /// Adds records to their partitions; suspends while a partition's buffer is full. With `partition` nil, a record with a key goes where
    /// Kafka's Java client would send it, the others of one call to one partition, the next call's to the next.
    public func send(_ records: [OutgoingRecord], topic: String, partition: Int32? = nil) async throws {
        let all = try await producers(topic)
        if let partition {
            guard all.indices.contains(Int(partition)) else {
                throw ClientError.refused(.unknownTopicOrPartition, what: "\(topic)-\(partition)")
            }
            return try await all[Int(partition)].send(records)
        }
        let keyless = rounds[topic, default: 0] % all.count
        rounds[topic] = (keyless + 1) % all.count
        if all.count == 1 { return try await all[0].send(records) }
        var parts = [[OutgoingRecord]](repeating: [], count: all.count)
        for record in records {
            let index = record.key.map { Int(Partitioner.partition(key: $0, count: all.count)) } ?? keyless
            parts[index].append(record)
        }
        for (index, part) in parts.enumerated() where !part.isEmpty { try await all[index].send(part) }
    }

    /// Sends what is gathered and waits until all of it is answered. Throws the first error since the last flush.
    public func flush() async throws {
        var failure: (any Error)?
        for producer in partitions.values.flatMap({ $0 }) {
            do { try await producer.flush() } catch { failure = failure ?? error }
        }
        if let failure { throw failure }
    }

    private func producers(_ topic: String) async throws -> [PartitionProducer] {
        if let known = partitions[topic] { return known }
        let found = try await client.topic(topic, create: options.createTopics)
        // Another call may have made them meanwhile; two sets would number batches twice.
        if let known = partitions[topic] { return known }
        let made = found.partitions.map {
            PartitionProducer(
                client: client, options: options, topic: topic, partition: $0.index, identity: identity, report: report)
        }
        guard !made.isEmpty else { throw ClientError.refused(.leaderNotAvailable, what: "topic '\(topic)'") }
        partitions[topic] = made
        return made
    }

    private static func identity(_ client: Client) async throws -> ProducerIdentity {
        try await client.retrying(what: "producer id") {
            let connection = try await client.anyConnection()
            var request = InitProducerIdRequest()
            request.transactionalId = nil
            request.transactionTimeoutMs = 60_000
            request.producerId = -1
            request.producerEpoch = -1
            let response = try await connection.send(request)
            guard response.errorCode == .none else { throw ClientError.refused(response.errorCode, what: "producer id") }
            return ProducerIdentity(id: ProducerID(response.producerId), epoch: response.producerEpoch)
        }
    }
}
