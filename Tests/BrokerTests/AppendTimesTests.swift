import Control
import Model
import NIOCore
import Queues
import Storage
import Testing

@testable import Broker

/// When records were appended, by the broker's clock.
@Suite struct AppendTimesTests {
    private func at(_ ms: Int64) -> Timestamp { Timestamp(ms: 1_700_000_000_000 + ms) }

    @Test func `a stamp counts where it fits what is known`() {
        var times = AppendTimes(limit: 8)
        #expect(times.appendedAt(Offset(5), stamp: at(-9_000)) == at(-9_000))
        times.note(Offset(10), at: at(0))
        times.note(Offset(20), at: at(900))
        times.note(Offset(30), at: at(60_000))
        #expect(times.stretches.map(\.first) == [Offset(10), Offset(30)] && times.stretches[0].newest == at(900))
        #expect(times.appendedAt(Offset(15), stamp: at(400)) == at(400))
        #expect(times.appendedAt(Offset(15), stamp: at(-3_600_000)) == at(0))
        #expect(times.appendedAt(Offset(29), stamp: at(70_000)) == at(900))
        #expect(times.appendedAt(Offset(1_000), stamp: .none) == at(60_000))
        #expect(times.known(Offset(29)) == at(0) && times.known(Offset(30)) == at(60_000) && times.known(Offset(9)) == nil)
        // Before anything is known: not after the first that is.
        #expect(times.appendedAt(Offset(5), stamp: at(5_000)) == at(0) && times.appendedAt(Offset(5), stamp: at(-7)) == at(-7))
        // A clock that goes back does not make a record older than the one before it.
        times.note(Offset(40), at: at(50_000))
        #expect(times.appendedAt(Offset(40), stamp: at(50_000)) == at(60_000))
        times.trim(before: Offset(35))
        #expect(times.stretches.map(\.first) == [Offset(30)])
    }

    /// A record a second for a month: as many stretches as there may be, each no longer than a fair part of its age.
    @Test func `old stretches are long, young ones short`() {
        var times = AppendTimes(limit: 192)
        let seconds: Int64 = 30 * 86_400
        for second in 0..<seconds { times.note(Offset(second), at: at(second * 1_000)) }
        #expect(times.stretches.count <= 192)
        let now = seconds * 1_000
        for (stretch, next) in zip(times.stretches, times.stretches.dropFirst()) {
            #expect(stretch.newest < next.oldest && stretch.first < next.first)
            let age = at(now) - stretch.newest
            #expect(stretch.newest - stretch.oldest <= max(1_000, age / 4))
            // The stretch's first and last second are those of its records.
            #expect(stretch.oldest == at(stretch.first.value * 1_000) && stretch.newest == at((next.first.value - 1) * 1_000))
        }
        #expect(times.appendedAt(Offset(seconds - 60), stamp: .none) >= at(now - 80_000))
        var few = AppendTimes(limit: 4)
        for second in 0..<1_000 as Range<Int64> { few.note(Offset(second), at: at(second * 1_000)) }
        #expect(few.stretches.count <= 4 && few.stretches.last?.first == Offset(999))
    }

    @Test func `what is written down comes back, and a start knows what it does not know`() throws {
        var times = AppendTimes(limit: 100)
        for second in 0..<50 as Range<Int64> { times.note(Offset(second * 3), at: at(second * 1_500)) }
        let id = PartitionID(topic: TopicID(high: 7, low: 9), index: 3)
        let other = PartitionID(topic: TopicID(high: 7, low: 9), index: 4)
        let blob = AppendTimesBlob(
            savedAt: at(80_000),
            entries: [
                .init(id: id, end: Offset(150), times: times), .init(id: other, end: Offset(9), times: AppendTimes(limit: 100)),
            ])
        let bytes = blob.encode(limitBytes: 1 << 20)
        let read = try #require(AppendTimesBlob(bytes, limit: 100))
        #expect(read.savedAt == blob.savedAt && read.entries == blob.entries)
        #expect(AppendTimesBlob(bytes, limit: 10)?.entries[0].times.stretches == Array(times.stretches.suffix(10)))
        let few = blob.encode(limitBytes: 2 * (40 + 10 * 20))
        #expect(
            few.readableBytes < 2 * 240 && AppendTimesBlob(few, limit: 100)?.entries[0].times.stretches == Array(times.stretches.suffix(10))
        )
        for index in 0..<bytes.readableBytes {
            var damaged = bytes
            damaged.setInteger(bytes.getInteger(at: index, as: UInt8.self)! ^ 0x10, at: index)
            #expect(AppendTimesBlob(damaged, limit: 100) == nil)
            #expect(AppendTimesBlob(bytes.getSlice(at: 0, length: index)!, limit: 100) == nil)
        }
        var behind = times
        behind.recover(end: Offset(170), savedEnd: Offset(150), savedAt: at(80_000), now: at(99_000))
        #expect(behind.stretches.last == .init(first: Offset(150), oldest: at(80_000), newest: at(99_000)))
        #expect(behind.stretches.dropLast() == times.stretches[...])
        var cut = times
        cut.recover(end: Offset(100), savedEnd: Offset(150), savedAt: at(80_000), now: at(99_000))
        #expect(cut.stretches.last?.first == Offset(99) && cut.stretches.count == 34)
    }

    /// A message that was delayed is as old as its release, whatever its publisher stamped on it.
    @Test func `a queue's oldest message counts from its release`() async throws {
        let queues = try await MoveBed.start(store: MoveBed.memoryStore())
        let view = BrokerView(broker: queues.broker)
        var query = SnapshotQuery()
        query.queues = ListQuery()
        try await queues.declare("later", ["delay.ms": "50"])
        try await queues.publish("later", ["a"])  // stamped years ago
        var oldestMs: Int64?
        #expect(
            try await eventually {
                oldestMs = try await view.snapshot(query).queues.rows.first?.oldestMs
                return oldestMs != nil
            })
        #expect((oldestMs ?? .max) < 600_000)
        let id = try queues.broker.queue("later").topic.partitionIDs[0]
        let times = await queues.broker.shard(of: id).times(of: [(id, .zero), (id, Offset(1))])
        #expect(times[0].map { queues.broker.clock.now - $0 < 600_000 } == true && times[1] == nil)
        await queues.broker.close()
    }

    /// Nothing was written down since the first start: what is there is no older than that.
    @Test func `a start knows that what it finds came after the one before`() async throws {
        let log = SharedLog(MemoryEngine())
        let store = SharedStore(MemoryStore(clock: GroupBroker.RealClock()))
        let began = GroupBroker.RealClock().now
        let before = try await GroupBroker.start(log: log, store: store)
        let id = try await before.topic("orders")
        var builder = RecordBatchBuilder()
        builder.append(timestamp: Timestamp(ms: 1_600_000_000_000), value: ByteBuffer(string: "a"))
        _ = try await before.produce(id, builder.finish())
        let after = try await GroupBroker.start(log: log, store: store)
        let times = await after.broker.shard(of: id).times(of: [(id, .zero)])
        let appendedAt = try #require(times[0])
        #expect(appendedAt >= began && appendedAt <= after.broker.clock.now)
        await after.broker.close()
    }

    /// What was written down goes further than the log that lost its tail: what came in the tail's place is not as old as that.
    @Test func `what comes after a lost tail is not taken for the tail`() async throws {
        let store = SharedStore(MemoryStore(clock: GroupBroker.RealClock()))
        var limits = Limits()
        limits.appendTimesMs = 5
        let stamp = Timestamp(ms: 1_600_000_000_000)
        let before = try await GroupBroker.start(log: SharedLog(MemoryEngine()), store: store, limits: limits)
        let id = try await before.topic("orders")
        for _ in 0..<2 {
            var builder = RecordBatchBuilder()
            builder.append(timestamp: stamp, value: ByteBuffer(string: "lost"))
            _ = try await before.produce(id, builder.finish())
        }
        let shard = before.broker.shard(of: id)
        #expect(try await before.until { await shard.ask { !$0.times.isUnderWay && !$0.times.isDirty } })
        try await Task.sleep(for: .milliseconds(20))
        let began = GroupBroker.RealClock().now
        // No times are written after the appends to this one.
        limits.appendTimesMs = 3_600_000
        let log = SharedLog(MemoryEngine())
        let cut = try await GroupBroker.start(log: log, store: store, limits: limits)
        for _ in 0..<2 {
            var builder = RecordBatchBuilder()
            builder.append(timestamp: stamp, value: ByteBuffer(string: "new"))
            _ = try await cut.produce(id, builder.finish())
        }
        let after = try await GroupBroker.start(log: log, store: store, limits: limits)
        let times = await after.broker.shard(of: id).times(of: [(id, .zero), (id, Offset(1))])
        #expect(times.allSatisfy { $0.map { $0 >= began } == true })
        await after.broker.close()
    }

    @Test(arguments: [true, false]) func `ages survive a restart`(_ isClosed: Bool) async throws {
        let log = SharedLog(MemoryEngine())
        let store = SharedStore(MemoryStore(clock: GroupBroker.RealClock()))
        var limits = Limits()
        limits.appendTimesMs = 5
        let before = try await GroupBroker.start(log: log, store: store, limits: limits)
        let key = try await before.queue("orders", ["ttl.ms": "3600000"])
        let shard = before.broker.shard(of: key.partition)
        try await before.publish(key, ["a"])
        // As if it had come ten minutes ago, in a stretch of its own.
        let early = before.broker.clock.now + -600_000
        _ = await shard.ask { shard in
            shard.partitions[key.partition]?.times = AppendTimes(limit: 9, stretches: [.init(first: .zero, oldest: early, newest: early)])
        }
        try await before.publish(key, ["b"])
        if isClosed {
            await before.broker.close()
        } else {
            #expect(try await before.until { await shard.ask { !$0.times.isUnderWay && !$0.times.isDirty } })
        }
        let after = try await GroupBroker.start(log: log, store: store, limits: limits)
        let found = await after.broker.shard(of: key.partition).ask { shard in
            (shard.partitions[key.partition]?.times.stretches ?? [], shard.cursors?[key]?.ages.nextExpiry(ttlMs: 3_600_000))
        }
        #expect(found.0.map(\.first) == [Offset(0), Offset(1)] && found.0[0].newest == early)
        // The first message expires when it would have, not an hour after the newest.
        #expect(found.1 == early + 3_600_000)
        await after.broker.close()
    }
}

/// A store that outlives its broker, and takes its time to set a value if need be.
final class SharedStore: Store {
    private let store: any Store
    private let putMs: Int

    init(_ store: any Store, putMs: Int = 0) {
        self.store = store
        self.putMs = putMs
    }

    func get(_ key: String) async throws(StoreError) -> StoreEntry? { try await store.get(key) }
    func list(_ prefix: String) async throws(StoreError) -> [StoreEntry] { try await store.list(prefix) }

    func create(_ key: String, _ value: ByteBuffer, timeToLiveMs: Int64?) async throws(StoreError) -> Revision {
        try await store.create(key, value, timeToLiveMs: timeToLiveMs)
    }

    func cas(_ key: String, _ value: ByteBuffer, at revision: Revision, timeToLiveMs: Int64?) async throws(StoreError) -> Revision {
        try await store.cas(key, value, at: revision, timeToLiveMs: timeToLiveMs)
    }

    func put(_ key: String, _ value: ByteBuffer) async throws(StoreError) -> Revision {
        if putMs > 0 { try? await Task.sleep(for: .milliseconds(putMs)) }
        return try await store.put(key, value)
    }
    func delete(_ key: String, at revision: Revision?) async throws(StoreError) { try await store.delete(key, at: revision) }
    func watch(_ prefix: String, after revision: Revision) -> AsyncStream<StoreEvent> { store.watch(prefix, after: revision) }
    func putBlob(_ key: String, _ value: ByteBuffer) async throws(StoreError) { try await store.putBlob(key, value) }
    func getBlob(_ key: String) async throws(StoreError) -> ByteBuffer? { try await store.getBlob(key) }
    func deleteBlob(_ key: String) async throws(StoreError) { try await store.deleteBlob(key) }

    /// The next process takes it over.
    func close() async {}
}
