import Control
import Testing

@testable import Console
@testable import Terminal

@Suite struct DelayKeyTests {
    @Test func cancelRescheduleRunNow() async throws {
        var bench = try await Bench()
        try await bench.type("5X")
        #expect(bench.status == "X cancels messages: enter opens a bucket")
        try await bench.type("jjjj")
        try await bench.press(.enter)
        #expect(bench.model.delay.opened == "1-5m")
        let query = try #require(bench.model.query().messages)
        #expect(query.state == .delayed)
        #expect(query.fromMs == FakeControl.startMs + 60_000)
        #expect(query.toMs == FakeControl.startMs + 300_000)
        try await bench.type("X")
        #expect(bench.model.dialog?.title == "Cancel 1 delayed message of shop.orders")
        // The focus is on Back: Enter at once does nothing.
        try await bench.press(.enter)
        #expect(bench.changes.isEmpty)
        try await bench.type("XS")
        #expect(bench.queueChanges == [.cancelDelayed(queue: "shop.orders", ids: ["d0-1200"])])
        #expect(!bench.screen.contains("d0-1200"))
        try await bench.type("gg  R")
        #expect(bench.model.dialog?.title == "Run now 2 delayed messages of shop.orders")
        try await bench.type("2")
        try await bench.press(.enter)
        #expect(bench.queueChanges.last == .runDelayed(queue: "shop.orders", ids: ["d0-1201", "d0-1202"]))
        try await bench.type("E15m")
        #expect(bench.screen.contains("$ weir delay reschedule"))
        try await bench.press(.enter)
        guard case .reschedule(_, _, let due) = bench.queueChanges.last else {
            Issue.record("no reschedule")
            return
        }
        #expect(due == FakeControl.startMs + 900_000)
    }

    @Test func jitterABucket() async throws {
        var bench = try await Bench()
        try await bench.type("5J")
        #expect(bench.status == "nothing to spread: overdue messages are released as fast as the drain limit allows")
        try await bench.type("jjjjJ")
        #expect(bench.model.dialog?.title == "Jitter 1-5m")
        #expect(bench.screen.contains("758 delayed messages of all queues, due in 1-5m:"))
        try await bench.type("S")
        #expect(
            bench.queueChanges == [
                .jitter(queue: nil, fromMs: FakeControl.startMs + 60_000, toMs: FakeControl.startMs + 300_000, spreadMs: 60_000)
            ])
    }

    @Test func retriesAreTheOtherTab() async throws {
        var bench = try await Bench()
        try await bench.type("5j")
        try await bench.press(.enter, .tab)
        #expect(bench.model.query().messages?.state == .waiting)
        try await bench.type("X")
        #expect(bench.model.dialog?.title == "Cancel 1 waiting message of shop.orders.retry")
    }

    @Test func otherQueuesOfABucket() async throws {
        var bench = try await Bench()
        bench.control.state.withLock { $0.queues[4].delayed = 90 }
        try await bench.type("5jjjj")
        try await bench.press(.enter)
        // The queue with most of them first.
        #expect(bench.model.query().messages?.queue == "shop.orders")
        #expect(bench.screen.contains("queue: shop.orders   < > 1 more"))
        try await bench.type(">")
        #expect(bench.model.query().messages?.queue == "email.out")
        #expect(bench.screen.contains("Delayed in email.out, due in 1-5m"))
        try await bench.type(">")
        #expect(bench.model.query().messages?.queue == "shop.orders")
    }

    @Test func theClockAloneIsNoReasonToAskAgain() async throws {
        var bench = try await Bench()
        try await bench.type("5jjjj")
        try await bench.press(.enter)
        let before = bench.model.query()
        try await bench.fetch(afterMs: 5_000)
        #expect(!ConsoleModel.differs(before, bench.model.query()))
        #expect(before.messages?.fromMs != bench.model.query().messages?.fromMs)
        try await bench.press(.escape)
        try await bench.type("k")
        try await bench.press(.enter)
        #expect(ConsoleModel.differs(before, bench.model.query()))
    }

    @Test func dueTimes() {
        let now = FakeControl.startMs
        #expect(DueTime.parse("15m", nowMs: now, offset: 0) == now + 900_000)
        #expect(DueTime.parse("+1h30m", nowMs: now, offset: 0) == now + 5_400_000)
        #expect(DueTime.parse("now", nowMs: now, offset: 0) == now)
        // 12:04:31 now: 12:30 is today, 11:00 tomorrow.
        #expect(DueTime.parse("12:30", nowMs: now, offset: 0) == now + 1_529_000)
        #expect(DueTime.parse("11:00", nowMs: now, offset: 0) == now + 82_529_000)
        #expect(DueTime.parse("-5m", nowMs: now, offset: 0) == nil)
        #expect(DueTime.parse("soon", nowMs: now, offset: 0) == nil)
    }

    @Test func herdOfTheForecast() {
        var overview = DelayOverview()
        overview.drainLimit = 180
        overview.forecast = [10, 310, 20]
        #expect(ForecastGraph.herd(overview) == .init(inMs: 5_000, messages: 1_550, clearsInMs: 13_611))
        overview.forecast = [10, 170]
        #expect(ForecastGraph.herd(overview) == nil)
    }

    @Test func digitsOfRetries() {
        #expect(ScheduleBars.digits([2: 30, 3: 10, 5: 1], top: 60, width: 12) == "222222335")
        #expect(ScheduleBars.digits([:], top: 60, width: 12).isEmpty)
        #expect(ScheduleBars.digits([2: 60, 3: 60], top: 60, width: 4) == "2222")
    }
}
