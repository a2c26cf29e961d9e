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

/// What operators did to delayed messages is taken back by its undo id.
@Suite(.timeLimit(.minutes(1))) struct DelayUndoTests {
    private func bed(_ count: Int, limits: Limits = Limits()) async throws -> (DelayBed, PartitionID, [MessageRow]) {
        let bed = try await DelayBed(limits: limits)
        let id = try await bed.topic("orders", ["delay.enable": "true", "queue": "true"])
        let due = bed.broker.clock.now.ms + 3_600_000
        try await bed.publish(id, (0..<count).map { .init(value: "\($0)", headers: [("x-deliver-at", "\(due + Int64($0) * 1_000)")]) })
        return (bed, id, try await rows(bed))
    }

    private func rows(_ bed: DelayBed) async throws -> [MessageRow] {
        try await bed.broker.delayedMessages(queue: "orders", fromMs: nil, toMs: nil, limit: 100).rows
    }

    private func dues(_ bed: DelayBed) async throws -> [String: Int64] {
        Dictionary(uniqueKeysWithValues: try await rows(bed).map { ($0.value, $0.dueMs ?? 0) })
    }

    @Test func aCancelledMessageWaitsAgainAndOverARestart() async throws {
        let (bed, id, before) = try await bed(4)
        let cancelled = try await bed.broker.perform(.cancelDelayed(queue: "orders", ids: Array(before.map(\.id).prefix(2))), actor: "test")
        #expect(try await rows(bed).map(\.value) == ["2", "3"])
        try await bed.restart(.process)
        #expect(try await rows(bed).map(\.value) == ["2", "3"])
        let undo = try #require(cancelled.undo)
        #expect(bed.broker.undoRows(of: "orders").map(\.text) == ["2 messages cancelled"])
        #expect(try await bed.broker.perform(.undo(id: undo), actor: "test").message == "orders: 2 messages due as before")
        let after = try await rows(bed)
        #expect(after.map(\.value) == ["0", "1", "2", "3"])
        // A millisecond later at most: the index still holds the cancelled entry.
        for (old, new) in zip(before, after) { #expect((0...1).contains((new.dueMs ?? 0) - (old.dueMs ?? 0))) }
        #expect(await bed.waiting() == 4)
        try await bed.restart(.power(seed: 3))
        #expect(try await rows(bed).map(\.value) == ["0", "1", "2", "3"])
        _ = try await bed.broker.perform(.runDelayed(queue: "orders", ids: try await rows(bed).map(\.id)), actor: "test")
        #expect(try await eventually { try await bed.values(id).sorted() == ["0", "1", "2", "3"] })
        await bed.close()
    }

    @Test func reschedulingAndJitterAreTakenBack() async throws {
        let (bed, _, before) = try await bed(10)
        let old = try await dues(bed)
        let moved = try await bed.broker.perform(
            .reschedule(queue: "orders", ids: [before[3].id], dueMs: bed.broker.clock.now.ms + 9_000_000), actor: "test")
        #expect(try await dues(bed)["3"] != old["3"])
        _ = try await bed.broker.perform(.undo(id: try #require(moved.undo)), actor: "test")
        let from = before[0].dueMs ?? 0
        let spread = try await bed.broker.perform(
            .jitter(queue: "orders", fromMs: from, toMs: from + 20_000, spreadMs: 600_000), actor: "test")
        #expect(spread.message == "orders: 10 messages spread")
        _ = try await bed.broker.perform(.undo(id: try #require(spread.undo)), actor: "test")
        for (value, due) in try await dues(bed) { #expect((0...2).contains(due - (old[value] ?? 0)), "\(value)") }
        await bed.close()
    }

    @Test func whatWasReleasedStaysReleased() async throws {
        let (bed, id, before) = try await bed(2)
        let moved = try await bed.broker.perform(
            .reschedule(queue: "orders", ids: before.map(\.id), dueMs: bed.broker.clock.now.ms + 9_000_000), actor: "test")
        _ = try await bed.broker.perform(.runDelayed(queue: "orders", ids: [before[0].id]), actor: "test")
        #expect(try await eventually { try await bed.values(id) == ["0"] })
        let outcome = try await bed.broker.perform(.undo(id: try #require(moved.undo)), actor: "test")
        #expect(outcome.message == "orders: 1 message due as before, 1 released or gone by now")
        #expect(try await bed.values(id) == ["0"])
        let run = try await bed.broker.perform(.runDelayed(queue: "orders", ids: [before[1].id]), actor: "test")
        #expect(run.undo == nil)
        await bed.close()
    }

    @Test func whatIsMovedAwayAndBackIsReleasedOnce() async throws {
        let (bed, id, before) = try await bed(2)
        let due = bed.broker.clock.now.ms + 1_500
        for time in [due, due + 9_000_000, due, due + 5_000_000, due] {
            #expect(try await bed.broker.rescheduleDelayed(queue: "orders", ids: [before[1].id], dueMs: time).done == 1)
        }
        #expect(try await rows(bed).map(\.value) == ["1", "0"])
        #expect(try await eventually { try await !bed.values(id).isEmpty })
        try await Task.sleep(for: .milliseconds(300))
        #expect(try await bed.values(id) == ["1"])
        #expect(await bed.waiting() == 1)
        await bed.close()
    }

    @Test func whatIsSpreadOverAllQueuesOffersNoUndo() async throws {
        let (bed, _, before) = try await bed(2)
        let from = before[0].dueMs ?? 0
        let spread = try await bed.broker.perform(.jitter(queue: nil, fromMs: from, toMs: from + 5_000, spreadMs: 60_000), actor: "test")
        #expect(spread.undo == nil && spread.message == "all queues: 2 messages spread")
        await bed.close()
    }
}
