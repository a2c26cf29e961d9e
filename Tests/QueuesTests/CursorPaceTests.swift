import Model
import NIOCore
import Queues
import Testing
import Wire

/// What a delivered and accepted message costs the machine, facts written out included. The bound lies far below what an optimised build
/// does, so that a busy machine does not fail it; the figure is printed.
@Suite(.serialized) struct CursorPaceTests {
    private func measure(_ name: String, _ messages: Int64, _ body: () -> Void) -> Double {
        let start = ContinuousClock.now
        body()
        let elapsed = ContinuousClock.now - start
        let seconds = Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) / 1e18
        let rate = Double(messages) / seconds
        print("cursor pace: \(name): \(Int64(rate)) messages/s")
        return rate
    }

    @Test func rangesOfFiveHundred() {
        var fixture = CursorFixture(end: 5_000_000)
        var at: Int64 = 0
        let rate = measure("acquire and accept 500 at a time", 5_000_000) {
            while at < 5_000_000 {
                _ = fixture.cursor.acquire(for: "c1", in: Offset(at)..<Offset(at + 500), count: 500, now: fixture.now)
                var step = CursorStep()
                fixture.cursor.answer(.accept, Offset(at)..<Offset(at + 500), now: fixture.now, seed: 0, &step)
                var writer = WireWriter()
                QueueFact.write(step.facts, to: &writer)
                at += 500
            }
        }
        #expect(fixture.cursor.firstOpen == Offset(5_000_000))
        #expect(rate > 200_000)
    }

    /// Eight consumers that answer message by message, out of order.
    @Test func singleAnswers() {
        var fixture = CursorFixture(end: 100_000)
        let members = (0..<8).map { "consumer-\($0)" }
        let rate = measure("acquire 100, accept one by one, backwards", 100_000) {
            for round in 0..<1_000 {
                let member = members[round % 8]
                let first = Int64(round) * 100
                _ = fixture.cursor.acquire(for: member, in: Offset(first)..<Offset(first + 100), count: 100, now: fixture.now)
                for offset in (first..<first + 100).reversed() {
                    var step = CursorStep()
                    let range = Offset(offset)..<Offset(offset + 1)
                    guard fixture.cursor.holds(member, range) else { continue }
                    fixture.cursor.answer(.accept, range, now: fixture.now, seed: 0, &step)
                }
            }
        }
        #expect(fixture.cursor.firstOpen == Offset(100_000))
        #expect(rate > 5_000)
    }

    /// Two hundred thousand messages wait, each with a due time of its own: what is acquired and failed in the middle of them stays cheap.
    @Test func manyWaiting() {
        var fixture = CursorFixture(end: 200_000) { policy in
            policy.maxInFlight = 1 << 30
            policy.retry = RetryPolicy(delays: .levels([3_600_000]), jitter: 0.9)
        }
        let rate = measure("fail with a due time of its own", 200_000) {
            for first in stride(from: Int64(0), to: 200_000, by: 500) {
                _ = fixture.cursor.acquire(for: "c1", in: Offset(first)..<Offset(first + 500), count: 500, now: fixture.now)
                var step = CursorStep()
                fixture.cursor.answer(.release, Offset(first)..<Offset(first + 500), now: fixture.now, seed: UInt64(first), &step)
            }
        }
        #expect(fixture.cursor.waitingCount == 200_000)
        #expect(rate > 5_000)
    }
}
