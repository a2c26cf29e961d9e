import Control
import Model
import NIOCore
import Queues
import Storage
import Testing

@testable import Broker

@Suite struct DelayOperatorTests {
    private func far(_ values: [String]) -> [DelayBed.Sent] { values.map { .init(value: $0, headers: [("x-delay", "3600000")]) } }

    private func ids(_ bed: DelayBed) async throws -> [String: String] {
        let page = try await bed.broker.delayedMessages(queue: "orders", fromMs: nil, toMs: nil, limit: 100)
        return Dictionary(uniqueKeysWithValues: page.rows.map { ($0.value, $0.id) })
    }

    @Test func messagesAreListedLookedAtCancelledMovedAndRun() async throws {
        let bed = try await DelayBed()
        let id = try await bed.topic("orders", ["delay.enable": "true"])
        try await bed.publish(id, far(["a", "b", "c", "d"]))
        let named = try await ids(bed)
        #expect(named.keys.sorted() == ["a", "b", "c", "d"])
        let detail = try #require(await bed.broker.delayedMessage(named["a"]!))
        #expect(detail.headers == [MessageHeader(name: "x-delay", value: "3600000")])
        #expect(detail.row.value == "a")
        #expect(detail.value == "YQ==")
        #expect(
            try await bed.broker.cancelDelayed(queue: "orders", ids: [named["a"]!, "d0-999999"]) == DelayOutcome(done: 1, notWaiting: 1))
        #expect(try await bed.broker.runDelayed(queue: "orders", ids: [named["b"]!]) == DelayOutcome(done: 1))
        let dueMs = bed.broker.clock.now.ms + 4_000
        #expect(try await bed.broker.rescheduleDelayed(queue: "orders", ids: [named["c"]!], dueMs: dueMs) == DelayOutcome(done: 1))
        #expect(try await eventually { try await bed.values(id) == ["b"] })
        #expect(await bed.broker.delayedMessage(named["a"]!) == nil)
        #expect(try await bed.broker.cancelDelayed(queue: "orders", ids: [named["b"]!]) == DelayOutcome(notWaiting: 1))
        try await bed.restart(.power(seed: 5))
        #expect(await bed.waiting() == 2)
        #expect(try await eventually { try await bed.values(id) == ["b", "c"] })
        #expect(bed.broker.clock.now.ms >= dueMs)
        #expect(try await ids(bed).keys.sorted() == ["d"])
        try await bed.restart(.process)
        #expect(try await bed.values(id) == ["b", "c"])
        #expect(await bed.waiting() == 1)
        await bed.close()
    }

    @Test func aPurgeDropsWhatWaitsAndNothingElse() async throws {
        let bed = try await DelayBed()
        let id = try await bed.topic("orders", ["delay.enable": "true"])
        let other = try await bed.topic("other", ["delay.enable": "true"])
        try await bed.publish(id, far(["a", "b"]))
        try await bed.publish(other, far(["x"]))
        #expect(try await bed.broker.purgeDelayed(queue: "orders") == 2)
        try await bed.publish(id, far(["c"]))
        try await bed.restart(.power(seed: 2))
        #expect(await bed.waiting() == 2)
        #expect(try await ids(bed).keys.sorted() == ["c"])
        await bed.close()
    }

    @Test func jitterSpreadsAHerd() async throws {
        let bed = try await DelayBed()
        let id = try await bed.topic("orders", ["delay.enable": "true"])
        let due = bed.broker.clock.now.ms + 3_600_000
        try await bed.publish(id, (0..<60).map { .init(value: "\($0)", headers: [("x-deliver-at", "\(due)")]) })
        #expect(try await bed.broker.jitterDelayed(queue: "orders", fromMs: due, toMs: due + 1, spreadMs: 10_000).done == 60)
        let page = try await bed.broker.delayedMessages(queue: "orders", fromMs: nil, toMs: nil, limit: 100)
        let times = page.rows.map(\.dueMs!)
        #expect(page.rows.count == 60)
        #expect(times.allSatisfy { (due...due + 10_001).contains($0) })
        #expect(times.last! - times.first! > 5_000)
        let overview = await bed.broker.delayOverview(queue: nil)
        #expect(overview.delayed == 60)
        #expect(overview.buckets.map(\.delayed).reduce(0, +) == 60)
        await bed.close()
    }

    @Test func deletingATopicDropsWhatWaitsForIt() async throws {
        let bed = try await DelayBed()
        let id = try await bed.topic("orders", ["delay.enable": "true"])
        try await bed.publish(id, far(["a", "b"]))
        try await bed.broker.deleteTopic("orders")
        #expect(try await eventually { await bed.waiting() == 0 })
        await bed.close()
    }
}
