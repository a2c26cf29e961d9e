import Model
import Queues
import Storage
import Testing

@testable import Broker

/// What a queue is after a restart, from facts and from snapshots.
@Suite struct CursorRestartTests {
    @Test(arguments: [true, false])
    func settledStaysSettledAndTheRestComesBack(_ withSnapshot: Bool) async throws {
        let log = SharedLog(MemoryEngine())
        let store = MemoryStore(clock: GroupBroker.RealClock())
        let before = try await GroupBroker.start(log: log, store: store)
        let key = try await before.queue("orders", ["retry.levels": "1h", "delivery.limit": "3"])
        try await before.publish(key, (0..<10).map { "m\($0)" })
        _ = await before.got(key, 8)
        #expect(await before.answer(key, .accept, 0...2) == nil)
        #expect(await before.answer(key, .release, 4...5) == nil)
        #expect(await before.answer(key, .reject, 6...6) == nil)
        if withSnapshot { try await before.takeSnapshot(key) }
        #expect(await before.answer(key, .accept, 3...3) == nil)
        await before.setGate(key, .delivery, held: true)
        let due = await before.list(key, .waiting).map(\.due)

        let after = try await GroupBroker.start(log: log, store: store)
        #expect(await after.got(key).isEmpty)
        await after.setGate(key, .delivery, held: false)
        #expect(await after.got(key, by: "c2") == ["7-9 x1"])
        #expect(await after.list(key, .waiting).map(\.due) == due)
        let counts = try #require(await after.counts(key))
        #expect(counts.waiting == 2 && counts.dropped == 1 && counts.firstOpen == Offset(4))
        // What the consumer of before held is nobody's now.
        #expect(await after.answer(key, .accept, 7...7, by: "c1") == .invalidRecordState)
    }

    @Test(arguments: [true, false])
    func aPurgeCanBeUndoneAfterARestart(_ withSnapshot: Bool) async throws {
        let log = SharedLog(MemoryEngine())
        let store = MemoryStore(clock: GroupBroker.RealClock())
        let before = try await GroupBroker.start(log: log, store: store)
        let key = try await before.queue("orders")
        try await before.publish(key, ["a", "b", "c"])
        let shard = before.broker.shard(of: key.partition)
        let purged = await withCheckedContinuation { continuation in shard.purge(key) { continuation.resume(returning: $0) } }
        let mark = try #require(try purged.get())
        #expect(mark.count == 3 && mark.until - mark.at == 600_000)
        #expect(await before.got(key).isEmpty)
        if withSnapshot { try await before.takeSnapshot(key) }

        let after = try await GroupBroker.start(log: log, store: store)
        #expect(await after.got(key).isEmpty)
        #expect(await after.counts(key)?.purges == [mark])
        let again = after.broker.shard(of: key.partition)
        let undone = await withCheckedContinuation { continuation in
            again.undoPurge(key, id: mark.id) { continuation.resume(returning: $0) }
        }
        #expect(try undone.get() == 3)
        #expect(await after.got(key) == ["0-2 x1"])
    }

    /// The offset of a batch is not under its checksum. Facts that are passed over would bring back what is settled.
    @Test(arguments: [(0, 1 << 40), (2, 1 << 40), (2, 0), (1, 3)])
    func factsAtAnotherOffsetAreDamaged(_ from: Int64, _ to: Int64) async throws {
        let log = SharedLog(MemoryEngine())
        let store = MemoryStore(clock: GroupBroker.RealClock())
        let before = try await GroupBroker.start(log: log, store: store)
        let key = try await before.queue("orders")
        try await before.publish(key, ["a", "b", "c"])
        _ = await before.got(key)
        for offset in 0..<3 as Range<Int64> { #expect(await before.answer(key, .accept, offset...offset) == nil) }
        let shard = before.broker.shard(of: key.partition)
        let stream = StreamID.facts(shard.id, .queues)
        let end = await shard.ask { $0.cursors?.queue.loggedEnd }
        #expect(end == Offset(4))
        let facts = StreamReader(log: log)
        try await facts.facts(stream, from: Offset(1), to: Offset(4)) { _ in }
        log.moveBatch(of: stream, from: Offset(from), to: Offset(to))
        await #expect(throws: StartFailure.self) { try await facts.facts(stream, from: Offset(min(from, 1)), to: Offset(4)) { _ in } }
        let delays = DelayReader(log: log, shard: shard.id)
        await #expect(throws: LogError.self) { try await delays.batches(stream, from: Offset(min(from, 1)), to: Offset(4)) { _, _ in } }
        await #expect(throws: StartFailure.self) { try await GroupBroker.start(log: log, store: store) }
    }

    @Test func settingsOfGroupsSurvive() async throws {
        let log = SharedLog(MemoryEngine())
        let store = MemoryStore(clock: GroupBroker.RealClock())
        let before = try await GroupBroker.start(log: log, store: store)
        try await before.broker.configureGroup("räume/1", ["retry.backoff": "1s,2,1m"])
        await #expect(throws: ConfigProblem.self) {
            try await before.broker.configureGroup("räume/1", ["retry.backoff": "1,2,3"])
        }
        await #expect(throws: ConfigProblem("unknown group setting 'max.depth'")) {
            try await before.broker.configureGroup("g", ["max.depth": "1"])
        }
        let after = try await GroupBroker.start(log: log, store: store)
        #expect(after.broker.groupConfigs.settings(of: "räume/1") == ["retry.backoff": "1s,2,1m"])
        try await after.broker.configureGroup("räume/1", ["retry.backoff": nil])
        #expect(after.broker.groupConfigs.groups == [])
    }

    /// An answer whose facts could not be logged is refused, and the next snapshot says what they would have said.
    @Test func factsThatAreLostAreToldOf() async throws {
        let log = SharedLog(MemoryEngine())
        let store = MemoryStore(clock: GroupBroker.RealClock())
        let before = try await GroupBroker.start(log: log, store: store)
        let key = try await before.queue("orders")
        try await before.publish(key, ["a", "b"])
        _ = await before.got(key)
        log.failNext(.full)
        let error = await before.answer(key, .accept, 0...0)
        #expect(error == .storage("full"))
        #expect(await before.answer(key, .accept, 1...1) == nil)
        let shard = before.broker.shard(of: key.partition)
        #expect(try await before.until { await shard.ask { $0.cursors?.snapshots.isRunning == false } })
        let after = try await GroupBroker.start(log: log, store: store)
        #expect(await after.got(key).isEmpty)
        #expect(await after.counts(key)?.firstOpen == Offset(2))
    }

    /// A lock runs out and the message expires at the same moment: after a restart it is still expired.
    @Test func whatExpiredStaysExpired() async throws {
        let log = SharedLog(MemoryEngine())
        let store = MemoryStore(clock: GroupBroker.RealClock())
        let before = try await GroupBroker.start(log: log, store: store)
        let key = try await before.queue("orders", ["ttl.ms": "300", "share.record.lock.duration.ms": "1000"])
        try await before.publish(key, ["a", "b"])
        #expect(await before.got(key, 1) == ["0-0 x1"])
        #expect(try await before.until { await before.counts(key)?.expired == 2 })
        let after = try await GroupBroker.start(log: log, store: store)
        #expect(await after.got(key).isEmpty)
        #expect(await after.counts(key)?.expired == 2)
    }
}
