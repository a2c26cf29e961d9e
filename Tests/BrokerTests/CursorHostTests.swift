import Model
import NIOCore
import Queues
import Storage
import Testing

@testable import Broker

/// Delivering from queues and to share groups, through a broker in memory.
@Suite struct CursorHostTests {
    @Test func consumersCompeteAndReadWhatTheyGot() async throws {
        let fixture = try await GroupBroker.start()
        let key = try await fixture.queue("orders")
        try await fixture.publish(key, ["a", "b", "c"])
        try await fixture.publish(key, ["d", "e"])
        let first = await fixture.acquire(key, 2)
        #expect(first.acquired == [AcquiredRange(first: Offset(0), last: Offset(1), deliveryCount: 1)])
        #expect(first.lockMs == 30_000)
        #expect(try fixture.values(first.slice) == ["a", "b", "c"])
        let second = await fixture.acquire(key, by: "c2")
        #expect(second.acquired == [AcquiredRange(first: Offset(2), last: Offset(4), deliveryCount: 1)])
        #expect(try fixture.values(second.slice) == ["a", "b", "c", "d", "e"])
        #expect(await fixture.got(key).isEmpty)
        #expect(await fixture.answer(key, .accept, 0...1) == nil)
        #expect(await fixture.answer(key, .accept, 2...4) == .invalidRecordState)
        let counts = try #require(await fixture.counts(key))
        #expect(counts.ready == 0 && counts.acquired == 3 && counts.accepted == 2 && counts.delivered == 5)
        #expect(counts.firstOpen == Offset(2))
        await fixture.broker.close()
    }

    /// Settled stretches are not read again: the slice begins with the batch of the first message that is left.
    @Test func slicesHoldWhatWasAcquired() async throws {
        let fixture = try await GroupBroker.start()
        let key = try await fixture.queue("orders")
        for value in ["a", "b", "c", "d"] { try await fixture.publish(key, [value]) }
        #expect(await fixture.got(key) == ["0-3 x1"])
        #expect(await fixture.answer(key, .accept, 0...1) == nil)
        #expect(await fixture.answer(key, .accept, 3...3) == nil)
        #expect(await fixture.answer(key, .release, 2...2) == nil)
        let again = await fixture.acquire(key, by: "c2")
        #expect(again.acquired == [AcquiredRange(first: Offset(2), last: Offset(2), deliveryCount: 2)])
        #expect(try fixture.values(again.slice) == ["c"])
        await fixture.broker.close()
    }

    @Test func oneAnswerPerMessageInOneBatch() async throws {
        let fixture = try await GroupBroker.start()
        let key = try await fixture.queue("orders")
        try await fixture.publish(key, ["a", "b", "c", "d"])
        _ = await fixture.got(key)
        let batch = AcknowledgeItem.Batch(first: Offset(0), last: Offset(3), kinds: [.accept, .release, .reject, .accept])
        #expect(await fixture.answer(key, [batch]) == nil)
        #expect(await fixture.got(key) == ["1-1 x2"])
        let counts = try #require(await fixture.counts(key))
        #expect(counts.accepted == 2 && counts.dropped == 1)
        let bad = AcknowledgeItem.Batch(first: Offset(1), last: Offset(1), kinds: [.accept, .accept])
        #expect(await fixture.answer(key, [bad]) == .invalidRequest)
        #expect(await fixture.answer(key, .accept, 1...1) == nil)
        await fixture.broker.close()
    }

    @Test func whatASmallReadLeavesComesWithTheNext() async throws {
        let fixture = try await GroupBroker.start()
        let key = try await fixture.queue("orders")
        for _ in 0..<5 { try await fixture.publish(key, [String(repeating: "x", count: 1_000)]) }
        let part = await fixture.acquire(key, maxBytes: 2_500)
        #expect(part.acquired == [AcquiredRange(first: Offset(0), last: Offset(1), deliveryCount: 1)])
        let one = await fixture.acquire(key, maxBytes: 10)
        #expect(one.acquired == [AcquiredRange(first: Offset(2), last: Offset(2), deliveryCount: 1)])
        await fixture.broker.close()
    }

    @Test func waitersWakeForNewReleasedAndDueMessages() async throws {
        let fixture = try await GroupBroker.start()
        let key = try await fixture.queue("orders", ["retry.levels": "100ms", "delivery.limit": "9"])
        func waiting() async -> Woken {
            let woken = Woken()
            let part = await fixture.acquire(key, by: "sleeper", waiter: FetchWaiter(id: 9) { woken.set() })
            #expect(part.acquired.isEmpty)
            return woken
        }
        let fresh = await waiting()
        try await fixture.publish(key, ["a"])
        #expect(fresh.isSet)
        #expect(await fixture.got(key) == ["0-0 x1"])
        let due = await waiting()
        #expect(await fixture.answer(key, .release, 0...0) == nil)
        #expect(!due.isSet)
        #expect(try await fixture.until { due.isSet })
        #expect(await fixture.got(key) == ["0-0 x2"])
        let left = await waiting()
        await fixture.release(key, "c1", wasLost: false)
        #expect(left.isSet)
        #expect(await fixture.got(key) == ["0-0 x2"])
        await fixture.broker.close()
    }

    @Test func aLockRunsOutAndCounts() async throws {
        let fixture = try await GroupBroker.start()
        let key = try await fixture.queue("orders", ["share.record.lock.duration.ms": "1000"])
        try await fixture.publish(key, ["a"])
        #expect(await fixture.got(key) == ["0-0 x1"])
        #expect(try await fixture.until { await fixture.counts(key)?.ready == 1 })
        #expect(await fixture.got(key, by: "c2") == ["0-0 x2"])
        await fixture.broker.close()
    }

    @Test func aShareGroupOnATopicBeginsAtItsEndUnlessToldOtherwise() async throws {
        let fixture = try await GroupBroker.start()
        let id = try await fixture.topic("events")
        let late = ShareKey(group: "late", partition: id)
        let early = ShareKey(group: "early", partition: id)
        try await fixture.broker.configureGroup("early", ["share.auto.offset.reset": "earliest", "share.delivery.count.limit": "2"])
        try await fixture.publish(late, ["a", "b"])
        #expect(await fixture.got(late).isEmpty)
        #expect(await fixture.got(early) == ["0-1 x1"])
        try await fixture.publish(late, ["c"])
        #expect(await fixture.got(late) == ["2-2 x1"])
        #expect(fixture.broker.policy(group: "early", topic: "events")?.deliveryLimit == 2)
        #expect(fixture.broker.policy(group: "late", topic: "events")?.deliveryLimit == 5)
        await fixture.broker.close()
    }

    @Test func aDeletedTopicTakesItsCursorsAlong() async throws {
        let fixture = try await GroupBroker.start()
        let key = try await fixture.queue("orders")
        let woken = Woken()
        _ = await fixture.acquire(key, waiter: FetchWaiter(id: 1) { woken.set() })
        try await fixture.broker.deleteTopic("orders")
        #expect(try await fixture.until { woken.isSet })
        #expect(await fixture.acquire(key).error == .unknownPartition)
        #expect(await fixture.counts(key) == nil)
        await fixture.broker.close()
    }

    @Test func deletedRecordsAreSettled() async throws {
        let fixture = try await GroupBroker.start()
        let key = try await fixture.queue("orders")
        try await fixture.publish(key, ["a", "b"])
        try await fixture.publish(key, ["c"])
        _ = await fixture.broker.deleteRecords(of: key.partition, before: Offset(2))
        #expect(await fixture.got(key) == ["2-2 x1"])
        await fixture.broker.close()
    }

    @Test func deadMessagesGoToTheirQueue() async throws {
        let fixture = try await GroupBroker.start()
        let key = try await fixture.queue("orders", ["dead.letter": "auto"])
        try await fixture.publish(key, ["a", "b", "c"])
        _ = await fixture.got(key)
        #expect(await fixture.answer(key, .reject, 1...1) == nil)
        #expect(try await fixture.until { await fixture.counts(key)?.dead == 1 })
        let dead = try #require(fixture.broker.catalog.current["orders.dlq"])
        let graveyard = ShareKey(group: "orders.dlq", partition: dead.partitionIDs[0])
        #expect(try fixture.values(await fixture.acquire(graveyard).slice) == ["b"])
        await fixture.broker.close()
    }
}

extension GroupBroker {
    func values(_ slice: LogSlice?) throws -> [String] {
        try values(FetchPart(slot: 0, highWatermark: .zero, logStart: .zero, slice: slice))
    }
}
