import Model
import NIOCore
import NIOPosix
import Queues
import Storage

@testable import Broker

/// What consumers and operators of queues do, for tests.
extension GroupBroker {
    static func queueKey(_ name: String, _ id: PartitionID) -> ShareKey { ShareKey(group: name, partition: id) }

    /// A queue with one partition.
    func queue(_ name: String, _ settings: [String: String] = [:]) async throws -> ShareKey {
        let config = try TopicConfig.parse(settings.merging(["queue": "true"]) { $1 })
        let id = try await broker.createTopic(name, partitions: 1, config: config).partitionIDs[0]
        return ShareKey(group: name, partition: id)
    }

    /// Publishes values as one batch.
    @discardableResult
    func publish(_ key: ShareKey, _ values: [String]) async throws -> ProduceResult {
        var builder = RecordBatchBuilder()
        for value in values { builder.append(timestamp: broker.clock.now, value: ByteBuffer(string: value)) }
        return try await produce(key.partition, builder.finish())
    }

    func acquire(
        _ key: ShareKey, _ count: Int = 100, by member: String = "c1", maxBytes: Int = 1 << 20, waiter: FetchWaiter? = nil
    ) async -> AcquiredPart {
        let item = AcquireItem(slot: 0, key: key, maxBytes: maxBytes)
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        return await withCheckedContinuation { continuation in
            broker.shard(of: key.partition).acquire(
                [item], member: member, maxRecords: count, minBytes: 1, maxBytes: maxBytes, wantsRegion: false, waiter: waiter,
                replyLoop: loop
            ) { continuation.resume(returning: $0[0]) }
        }
    }

    /// The acquired ranges: `0-3 x1`.
    func got(_ key: ShareKey, _ count: Int = 100, by member: String = "c1") async -> [String] {
        await acquire(key, count, by: member).acquired.map { "\($0.first)-\($0.last) x\($0.deliveryCount)" }
    }

    func answer(
        _ key: ShareKey, _ kind: AcknowledgeItem.Kind, _ range: ClosedRange<Int64>, by member: String = "c1"
    ) async -> ShareError? {
        let batch = AcknowledgeItem.Batch(first: Offset(range.lowerBound), last: Offset(range.upperBound), kinds: [kind])
        return await answer(key, [batch], by: member)
    }

    func answer(_ key: ShareKey, _ batches: [AcknowledgeItem.Batch], by member: String = "c1") async -> ShareError? {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        return await withCheckedContinuation { continuation in
            broker.shard(of: key.partition).acknowledge(
                [AcknowledgeItem(slot: 0, key: key, batches: batches)], member: member, replyLoop: loop
            ) { continuation.resume(returning: $0[0].error) }
        }
    }

    func counts(_ key: ShareKey) async -> CursorCounts? {
        await withCheckedContinuation { continuation in
            broker.shard(of: key.partition).counts(of: key) { continuation.resume(returning: $0) }
        }
    }

    func list(_ key: ShareKey, _ state: CursorState) async -> [CursorMessage] {
        await withCheckedContinuation { continuation in
            broker.shard(of: key.partition).listMessages(key, state, from: .zero, count: 1_000) { continuation.resume(returning: $0) }
        }
    }

    func setGate(_ key: ShareKey, _ gate: CursorGate, held: Bool) async {
        _ = await withCheckedContinuation { continuation in
            broker.shard(of: key.partition).setGate(key, gate, held: held) { continuation.resume(returning: $0.isSuccess) }
        }
    }

    func release(_ key: ShareKey, _ member: String, wasLost: Bool) async {
        broker.shard(of: key.partition).releaseShare(member: member, keys: [key], wasLost: wasLost)
        _ = await counts(key)
    }

    /// Writes the shard's snapshot of cursors and waits for it.
    func takeSnapshot(_ key: ShareKey) async throws {
        let shard = broker.shard(of: key.partition)
        _ = await shard.ask { shard in
            shard.cursors?.snapshots.isForced = true
            shard.cursors?.snapshotIfDue()
        }
        while await shard.ask({ $0.cursors?.snapshots.isRunning ?? false }) { try await Task.sleep(for: .milliseconds(2)) }
    }

    /// Waits until `body` holds, at most five seconds.
    func until(_ body: () async -> Bool) async throws -> Bool {
        for _ in 0..<1_000 {
            if await body() { return true }
            try await Task.sleep(for: .milliseconds(5))
        }
        return false
    }
}

extension Result {
    var isSuccess: Bool { if case .success = self { true } else { false } }
}
