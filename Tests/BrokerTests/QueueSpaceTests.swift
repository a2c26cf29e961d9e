import Model
import NIOCore
import Queues
import Storage
import Testing

@testable import Broker

/// A stuck message does not pin the log behind it, and whatever reads the log in order gets over the hole.
@Suite struct QueueSpaceTests {
    private static let settings = [
        "retry.levels": "1h", "delivery.limit": "3", "retention.settled.ms": "0", "segment.bytes": "1048576", "purge.undo.ms": "3600000",
    ]

    private func engine(_ fileSystem: FaultyFileSystem) throws -> FileEngine {
        var options = FileEngineOptions()
        options.rewriteBytes = 64 << 10
        return try FileEngine(fileSystem: fileSystem, root: "/data", shards: 2, options: options)
    }

    /// Message 0 waits an hour for its retry; behind it 60 batches of 100 KiB, ten messages each, were taken and accepted.
    private func stuck(_ bed: GroupBroker) async throws -> ShareKey {
        let key = try await bed.queue("orders", Self.settings)
        try await bed.publish(key, ["stuck"])
        #expect(await bed.got(key) == ["0-0 x1"])
        #expect(await bed.answer(key, .release, 0...0) == nil)
        let text = String(repeating: "x", count: 10_000)
        for batch in 0..<60 { try await bed.publish(key, (0..<10).map { "\(batch * 10 + $0 + 1) \(text)" }) }
        while let range = await bed.acquire(key, 1_000, maxBytes: 4 << 20).acquired.first {
            #expect(await bed.answer(key, .accept, range.first.value...range.last.value) == nil)
        }
        return key
    }

    private func retained(_ bed: GroupBroker, _ key: ShareKey, _ isDone: (CursorCounts) -> Bool) async throws -> CursorCounts {
        let shard = bed.broker.shard(of: key.partition)
        #expect(
            try await bed.until {
                _ = await shard.ask { $0.retain() }
                return await bed.counts(key).map(isDone) ?? false
            })
        return try #require(await bed.counts(key))
    }

    /// What a plain consumer sees: the base offsets of batches, fetched one after another.
    private func consumed(_ bed: GroupBroker, _ id: PartitionID) async throws -> [Int64] {
        var bases: [Int64] = []
        var next: Int64 = 0
        while true {
            let part = try await bed.fetch(id, at: next)
            #expect(part.error == nil)
            guard let slice = part.slice, case .bytes(var bytes) = slice.content, bytes.readableBytes > 0 else { return bases }
            while let header = try? RecordBatchHeader.parse(bytes), bytes.readSlice(length: header.totalBytes) != nil {
                bases.append(header.baseOffset.value)
                next = header.nextOffset.value
            }
        }
    }

    private func offset(_ bed: GroupBroker, _ id: PartitionID, _ target: Shard.OffsetTarget) async -> Int64 {
        await withCheckedContinuation { continuation in
            bed.broker.shard(of: id).offset(of: id, target, leaderEpoch: -1) { continuation.resume(returning: $0.offset.value) }
        }
    }

    @Test func aStuckMessagePinsNothing() async throws {
        let fileSystem = FaultyFileSystem()
        let store = MemoryStore(clock: GroupBroker.RealClock())
        let before = try await GroupBroker.start(log: try engine(fileSystem), store: store)
        let key = try await stuck(before)
        let full = try #require(await before.counts(key))
        #expect(full.bytes > 6_000_000 && full.waiting == 1 && full.holes == 0)
        // The stuck message's batch and the last one are left.
        let counts = try await retained(before, key) { $0.bytes < 200_000 }
        #expect(counts.start == Offset(0) && counts.end == Offset(601) && counts.holes == 590)
        #expect(try await consumed(before, key.partition) == [0, 591])
        #expect(await offset(before, key.partition, .earliest) == 0)
        #expect(await offset(before, key.partition, .maxTimestamp) >= 591)
        // What is gone can't be replayed; what is left can.
        let shard = before.broker.shard(of: key.partition)
        let replayable = await withCheckedContinuation { continuation in
            shard.replay(key, Offset(0)..<Offset(601), dryRun: true) { continuation.resume(returning: $0) }
        }
        #expect(try replayable.get() == 10)
        #expect(await before.list(key, .settled).map(\.offset.value) == Array(591..<601))
        // A group of its own begins at the front and skips the hole.
        try await before.broker.configureGroup("audit", ["share.auto.offset.reset": "earliest"])
        let audit = ShareKey(group: "audit", partition: key.partition)
        #expect(await before.got(audit) == ["0-0 x1"])
        #expect(await before.got(audit) == ["591-600 x1"])
        #expect(await before.counts(audit)?.acquired == 11)

        // kill -9
        let after = try await GroupBroker.start(log: try engine(fileSystem.restarted(.process)), store: store)
        let again = try #require(await after.counts(key))
        #expect(again.waiting == 1 && again.holes == 590 && again.bytes == counts.bytes)
        #expect(try await consumed(after, key.partition) == [0, 591])
        let rescheduled = await withCheckedContinuation { continuation in
            after.broker.shard(of: key.partition).reschedule(key, [Offset(0)], at: nil) { continuation.resume(returning: $0) }
        }
        #expect(try rescheduled.get() == 1)
        let part = await after.acquire(key)
        #expect(part.acquired == [AcquiredRange(first: Offset(0), last: Offset(0), deliveryCount: 2)])
        let slice = try #require(part.slice)
        #expect(try after.values(FetchPart(slot: 0, slice: slice)) == ["stuck"])
        // Settled at last: with it all goes but for the last batch, then that too.
        #expect(await after.answer(key, .accept, 0...0) == nil)
        let none = try await retained(after, key) { $0.bytes == 0 }
        #expect(none.start == Offset(601) && none.end == Offset(601) && none.holes == 0)
        await after.broker.close()
    }

    /// What a purge took is kept as long as it can be undone.
    @Test func aPurgeCanStillBeUndone() async throws {
        let bed = try await GroupBroker.start()
        let key = try await stuck(bed)
        let text = String(repeating: "y", count: 10_000)
        for _ in 0..<30 { try await bed.publish(key, (0..<10).map { "\($0) \(text)" }) }
        let shard = bed.broker.shard(of: key.partition)
        let purged = await withCheckedContinuation { continuation in shard.purge(key) { continuation.resume(returning: $0) } }
        let mark = try #require(try purged.get())
        #expect(mark.count == 301)
        let counts = try await retained(bed, key) { $0.bytes < 5_000_000 }
        #expect(counts.bytes > 3_000_000)
        for _ in 0..<5 { _ = await shard.ask { $0.retain() } }
        let undone = await withCheckedContinuation { continuation in
            shard.undoPurge(key, id: mark.id) { continuation.resume(returning: $0) }
        }
        #expect(try undone.get() == 301)
        #expect(await bed.counts(key)?.ready == 300)
        let part = await bed.acquire(key, 300, maxBytes: 8 << 20)
        #expect(part.acquired.first?.first == Offset(601))
        await bed.broker.close()
    }

    /// Above `retention.settled.bytes` the oldest goes first, however short it has been settled.
    @Test func tooMuchThatIsSettledGoesFromItsOldEnd() async throws {
        let bed = try await GroupBroker.start()
        let key = try await stuck(bed)
        let config = try TopicConfig.parse(
            Self.settings.merging(["queue": "true", "retention.settled.ms": "86400000", "retention.settled.bytes": "2000000"]) { $1 })
        try await bed.broker.configureTopic("orders", config)
        let counts = try await retained(bed, key) { $0.bytes < 3_200_000 }
        // Units of the memory engine hold a mebibyte.
        #expect(counts.bytes > 1_900_000 && counts.holes > 280)
        #expect(try await consumed(bed, key.partition).prefix(2) == [0, counts.holes + 1])
        await bed.broker.close()
    }

    /// What was found is freed before it is read: everyone looks again.
    @Test func aReaderThatIsOvertakenLooksAgain() async throws {
        let log = SharedLog(MemoryEngine())
        let bed = try await GroupBroker.start(log: log)
        let key = try await stuck(bed)
        func range(_ from: Int64, _ to: Int64) -> OffsetRanges { OffsetRanges([Offset(from)..<Offset(to)]) }
        log.freeBehindNextLookUp(range(1, 301))
        let part = try await bed.fetch(key.partition, at: 5)
        #expect(part.error == nil)
        #expect(try bed.values(part).first?.prefix(4) == "301 ")
        log.freeBehindNextLookUp(range(301, 401))
        let chunk = try await StreamReader(log: log).read(.partition(key.partition), from: Offset(305), to: Offset(601))
        #expect(chunk.records.first?.offset == Offset(401))
        try await bed.broker.configureGroup("audit", ["share.auto.offset.reset": "earliest"])
        let audit = ShareKey(group: "audit", partition: key.partition)
        #expect(await bed.got(audit, 1) == ["0-0 x1"])
        log.freeBehindNextLookUp(range(401, 501))
        #expect(await bed.acquire(audit).acquired.first?.first == Offset(501))
        await bed.broker.close()
    }

    @Test func theLargestGiveFirst() {
        let ledger = SpaceLedger(limitBytes: 100)
        func id(_ index: Int32) -> PartitionID { PartitionID(topic: TopicID(high: 1, low: 2), index: index) }
        for (index, bytes) in [Int64(10), 30, 60].enumerated() { ledger.note(settledBytes: bytes, of: id(Int32(index))) }
        #expect(ledger.shareBytes() == nil)
        ledger.note(settledBytes: 90, of: id(2))
        #expect(ledger.shareBytes() == 60)
        ledger.note(settledBytes: 80, of: id(1))
        #expect(ledger.shareBytes() == 45)
        ledger.forget(id(2))
        #expect(ledger.shareBytes() == nil)
        // 10 and 80 are 90: the disk wants 30 of them back.
        ledger.wantsBack(30)
        #expect(ledger.settledBytes == 90 && ledger.shareBytes() == 50)
        ledger.wantsBack(1_000)
        #expect(ledger.shareBytes() == 0)
        ledger.wantsBack(0)
        #expect(ledger.shareBytes() == nil)
        ledger.moveBegan(to: id(0), at: Offset(900))
        ledger.moveBegan(to: id(0), at: Offset(700))
        #expect(ledger.firstMoved(to: id(0)) == Offset(700))
        ledger.moveEnded(to: id(0), at: Offset(700))
        #expect(ledger.firstMoved(to: id(0)) == Offset(900) && ledger.firstMoved(to: id(1)) == nil)
    }

    @Test func theOldestOffsetsAreTakenFirst() {
        let ranges = OffsetRanges([Offset(10)..<Offset(20), Offset(50)..<Offset(90)])
        #expect(CursorHost.oldest(15, of: ranges) == OffsetRanges([Offset(10)..<Offset(20), Offset(50)..<Offset(55)]))
        #expect(CursorHost.oldest(0, of: ranges).isEmpty && CursorHost.oldest(99, of: ranges) == ranges)
    }
}
