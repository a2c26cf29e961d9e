import Model
import Queues
import Storage
import Testing

@testable import Broker

/// What queues refuse, slow down, drop and let expire.
@Suite struct AdmissionTests {
    @Test func aFullQueueRefuses() async throws {
        let fixture = try await GroupBroker.start()
        let key = try await fixture.queue("orders", ["max.depth": "3", "overflow": "reject-publish"])
        #expect(try await fixture.publish(key, ["a", "b"]).error == nil)
        #expect(try await fixture.publish(key, ["c", "d"]).error == .overLimit("orders is full: max.depth is 3"))
        #expect(try await fixture.publish(key, ["c"]).error == nil)
        #expect(await fixture.counts(key)?.refused == 2)
        #expect(await fixture.counts(key)?.limitShare == 1)
        // What is acquired makes room.
        #expect(await fixture.got(key, 1) == ["0-0 x1"])
        #expect(try await fixture.publish(key, ["d"]).error == nil)
        await fixture.broker.close()
    }

    @Test func aFullQueueDropsItsOldest() async throws {
        let fixture = try await GroupBroker.start()
        let key = try await fixture.queue("orders", ["max.depth": "3"])
        try await fixture.publish(key, ["a", "b", "c", "d", "e"])
        #expect(await fixture.got(key) == ["2-4 x1"])
        #expect(await fixture.counts(key)?.dropped == 2)
        await fixture.broker.close()
    }

    @Test func bytesCountToo() async throws {
        let fixture = try await GroupBroker.start()
        let key = try await fixture.queue("orders", ["max.bytes": "2500", "overflow": "reject-publish"])
        let big = String(repeating: "x", count: 1_000)
        #expect(try await fixture.publish(key, [big]).error == nil)
        #expect(try await fixture.publish(key, [big]).error == nil)
        #expect(try await fixture.publish(key, [big]).error == .overLimit("orders is full: max.bytes is 2500"))
        await fixture.broker.close()
    }

    @Test func publishingIsHeldAndResumed() async throws {
        let fixture = try await GroupBroker.start()
        let key = try await fixture.queue("orders")
        await fixture.setGate(key, .publishing, held: true)
        #expect(try await fixture.publish(key, ["a"]).error == .publishingHeld)
        await fixture.setGate(key, .publishing, held: false)
        #expect(try await fixture.publish(key, ["a"]).error == nil)
        await fixture.broker.close()
    }

    /// 300 messages at 1,000 a second: a hundred at once, and the answer when the other two hundred are paid for.
    @Test func aFastPublisherIsAnsweredLate() async throws {
        let fixture = try await GroupBroker.start()
        let key = try await fixture.queue("orders", ["rate.in": "1000"])
        let start = ContinuousClock.now
        let result = try await fixture.publish(key, (0..<300).map { String($0) })
        #expect(result.error == nil && result.baseOffset == .zero)
        #expect(result.throttleMs == 200)
        #expect(ContinuousClock.now - start >= .milliseconds(200))
        await fixture.broker.close()
    }

    @Test func oldMessagesExpire() async throws {
        let fixture = try await GroupBroker.start()
        let key = try await fixture.queue("orders", ["ttl.ms": "300"])
        try await fixture.publish(key, ["a", "b"])
        #expect(await fixture.got(key, 1) == ["0-0 x1"])
        #expect(try await fixture.until { await fixture.counts(key)?.expired == 1 })
        #expect(await fixture.counts(key)?.acquired == 1)
        // What comes back after its time expires as well.
        #expect(await fixture.answer(key, .release, 0...0) == nil)
        #expect(try await fixture.until { await fixture.counts(key)?.expired == 2 })
        try await fixture.publish(key, ["c"])
        #expect(await fixture.got(key) == ["2-2 x1"])
        await fixture.broker.close()
    }

    @Test func stretchesAreAsOldAsTheirNewestMessage() {
        var ages = QueueAges()
        ages.note(Offset(0), at: Timestamp(ms: 0), ttlMs: 128_000)
        ages.note(Offset(10), at: Timestamp(ms: 900), ttlMs: 128_000)
        ages.note(Offset(20), at: Timestamp(ms: 5_000), ttlMs: 128_000)
        #expect(ages.nextExpiry(ttlMs: 128_000) == Timestamp(ms: 128_900))
        #expect(ages.expired(at: Timestamp(ms: 128_899), ttlMs: 128_000, end: Offset(30)) == nil)
        #expect(ages.expired(at: Timestamp(ms: 128_900), ttlMs: 128_000, end: Offset(30)) == Offset(20))
        #expect(ages.expired(at: Timestamp(ms: 133_000), ttlMs: 128_000, end: Offset(30)) == Offset(30))
        #expect(ages.isEmpty)
    }

    @Test func settledMessagesMayGoWhenTheyHaveBeenForLongEnough() {
        let (hour, keep): (Int64, Int64) = (3_600_000, 24 * 3_600_000)
        var aging = SettledAging()
        func ranges(_ list: Range<Int64>...) -> OffsetRanges { OffsetRanges(list.map { Offset($0.lowerBound)..<Offset($0.upperBound) }) }
        func aged(_ ms: Int64) -> OffsetRanges { aging.aged(at: Timestamp(ms: ms), keepMs: keep) }
        aging.note(ranges(0..<50, 60..<90), at: Timestamp(ms: 0))
        #expect(
            !aging.wantsNote(at: Timestamp(ms: 3 * hour - 1), keepMs: keep) && aging.wantsNote(at: Timestamp(ms: 3 * hour), keepMs: keep))
        aging.note(ranges(0..<90), at: Timestamp(ms: 3 * hour))
        #expect(aged(24 * hour - 1).isEmpty)
        #expect(aged(24 * hour) == ranges(0..<50, 60..<90))
        #expect(aged(27 * hour) == ranges(0..<90))
        // An undone purge makes messages open again.
        aging.reopened()
        #expect(aged(100 * hour).isEmpty)
        // A look every half minute for three days, one message settled at each: what was settled a day ago is known to within 3 hours.
        let looks: Int64 = 3 * 24 * 120
        for look in 0..<looks where aging.wantsNote(at: Timestamp(ms: look * 30_000), keepMs: keep) {
            aging.note(ranges(0..<look), at: Timestamp(ms: look * 30_000))
        }
        let settled = aged(looks * 30_000).count
        let exact = looks - 24 * 120
        #expect(settled <= exact && settled > exact - 361)
    }

    /// Retention of a queue: what is settled long enough goes, what is not settled stays whatever its age.
    @Test func aQueueKeepsWhatIsNotSettled() async throws {
        let fixture = try await GroupBroker.start()
        let key = try await fixture.queue(
            "orders", ["retention.settled.ms": "0", "retention.ms": "1", "retention.settled.bytes": "0"])
        for value in ["a", "b", "c"] { try await fixture.publish(key, [value]) }
        let shard = fixture.broker.shard(of: key.partition)
        try await Task.sleep(for: .milliseconds(5))
        _ = await shard.ask { $0.retain() }
        _ = await shard.ask { $0.retain() }
        #expect(await fixture.got(key) == ["0-2 x1"])
        #expect(await fixture.answer(key, .accept, 0...2) == nil)
        _ = await shard.ask { $0.retain() }
        #expect(
            try await fixture.until {
                _ = await shard.ask { $0.retain() }
                return await fixture.counts(key)?.start == Offset(3)
            })
        await fixture.broker.close()
    }
}
