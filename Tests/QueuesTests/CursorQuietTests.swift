import Model
import Queues
import Testing

/// What can be asked of a cursor without changing it: a queue that only waits costs nothing.
@Suite struct CursorQuietTests {
    private func isQuiet(_ fixture: CursorFixture) -> Bool { fixture.cursor.isQuiet(at: fixture.now.wall) }
    private func wantsTick(_ fixture: CursorFixture) -> Bool { fixture.cursor.wantsTick(now: fixture.now) }

    @Test func `a cursor is quiet when nobody could get anything`() {
        var fixture = CursorFixture(end: 4) { $0.maxInFlight = 3 }
        #expect(!isQuiet(fixture))
        #expect(fixture.acquire(3) == ["0..<3 x1"])
        #expect(isQuiet(fixture) && fixture.cursor.firstAvailable(to: "c2", now: fixture.now) == nil)
        fixture.answer(.accept, 0..<3)
        #expect(!isQuiet(fixture))
        _ = fixture.cursor.setGate(.delivery, held: true)
        #expect(isQuiet(fixture))
        _ = fixture.cursor.setGate(.delivery, held: false)
        #expect(fixture.acquire(3) == ["3..<4 x1"] && isQuiet(fixture))
    }

    @Test func `a cursor wants a tick when something has come due`() {
        var fixture = CursorFixture(end: 2) { policy in
            policy.apply(["retry.levels": "10s"])
            policy.lockMs = 5_000
        }
        #expect(!wantsTick(fixture))
        #expect(fixture.acquire(1) == ["0..<1 x1"] && !wantsTick(fixture))
        fixture.now.monotonic = fixture.now.monotonic.advanced(byMs: 5_000)
        #expect(wantsTick(fixture))
        // The lock has run out: the message waits for its next attempt.
        fixture.pass(ms: 0)
        #expect(!wantsTick(fixture) && fixture.cursor.waitingCount == 1 && !fixture.cursor.hasDue(at: fixture.now.wall))
        fixture.now.wall = fixture.now.wall + 10_000
        #expect(wantsTick(fixture) && fixture.cursor.hasDue(at: fixture.now.wall) && !isQuiet(fixture))
        fixture.pass(ms: 0)
        #expect(!wantsTick(fixture) && fixture.cursor.readyCount == 2)
        #expect(fixture.cursor.purge(now: fixture.now) != nil)
        #expect(!wantsTick(fixture))
        fixture.now.wall = fixture.now.wall + 600_000
        #expect(wantsTick(fixture))
    }

    /// A message that was rejected, or delivered as often as it may be, says that its queue gives messages up; an old one does not.
    @Test func `only failures make a queue one that gives up`() {
        var fixture = CursorFixture(end: 3) { $0.apply(["dead.letter": "next", "ttl.ms": "1000"]) }
        fixture.note(fixture.cursor.expire(before: Offset(1), limit: 10, now: fixture.now))
        #expect(fixture.dead.map(\.reason) == [.expired] && !fixture.cursor.totals.hasFailures)
        #expect(fixture.acquire(1) == ["1..<2 x1"])
        fixture.answer(.reject, 1..<2)
        #expect(fixture.cursor.totals.hasFailures)
        var again = QueueCursor(policy: QueuePolicy(), limits: Limits())
        for fact in fixture.cursor.snapshot() { again.apply(fact) }
        #expect(again.totals == fixture.cursor.totals)
    }
}
