import Model
import Queues
import Testing

/// Delivery, answers and time on one cursor.
@Suite struct QueueCursorTests {
    @Test func messagesGoToOneConsumerEach() {
        var fixture = CursorFixture(end: 10)
        #expect(fixture.acquire(4, by: "c1") == ["0..<4 x1"])
        #expect(fixture.acquire(4, by: "c2") == ["4..<8 x1"])
        #expect(fixture.acquire(4, by: "c1") == ["8..<10 x1"])
        #expect(fixture.acquire(4, by: "c2") == [])
        #expect(fixture.cursor.readyCount == 0 && fixture.cursor.acquiredCount == 10)
        #expect(fixture.facts == [.start(.zero)])
    }

    @Test func acceptedMessagesAreSettledAsOneFact() {
        var fixture = CursorFixture(end: 10)
        _ = fixture.acquire(6)
        var step = CursorStep()
        for offset in 0..<Int64(5) {
            fixture.cursor.answer(.accept, Offset(offset)..<Offset(offset + 1), now: fixture.now, seed: 0, &step)
        }
        #expect(step.facts == [.settled(Offset(0)..<Offset(5), .accepted)])
        #expect(fixture.cursor.firstOpen == Offset(5))
        #expect(fixture.cursor.statistics.accepted == 5)
        #expect(fixture.cursor.statistics.attempts[0].succeeded == 5)
    }

    @Test func onlyTheHolderMayAnswer() {
        var fixture = CursorFixture(end: 10)
        _ = fixture.acquire(4, by: "c1")
        #expect(fixture.answer(.accept, 0..<4, by: "c2") == false)
        #expect(fixture.answer(.accept, 2..<6, by: "c1") == false)
        #expect(fixture.answer(.accept, 0..<4, by: "c1") == true)
        #expect(fixture.answer(.accept, 0..<4, by: "c1") == false)
    }

    @Test func releasedMessagesComeBackInTheirPlaceAndCount() {
        var fixture = CursorFixture(end: 10)
        _ = fixture.acquire(4)
        fixture.answer(.release, 1..<3)
        #expect(fixture.runs(.ready) == ["1..<3 x1", "4..<10 x0"])
        #expect(fixture.acquire(4, by: "c2") == ["1..<3 x2", "4..<6 x1"])
        #expect(fixture.facts.last == .ready(Offset(1)..<Offset(3), attempts: 1))
    }

    @Test func theDeliveryLimitKills() {
        var fixture = CursorFixture(end: 3) { $0.deliveryLimit = 2 }
        _ = fixture.acquire(3)
        fixture.answer(.release, 0..<3)
        #expect(fixture.acquire(3) == ["0..<3 x2"])
        fixture.answer(.release, 0..<2)
        // No dead-letter target: dropped and counted.
        #expect(fixture.facts.last == .settled(Offset(0)..<Offset(2), .dropped))
        #expect(fixture.cursor.totals.dropped == 2)
        #expect(fixture.dead == [])
        #expect(fixture.runs(.acquired) == ["2..<3 x2"])
    }

    @Test func theDeadWaitForTheirMover() {
        var fixture = CursorFixture(end: 3) { $0.deadLetter = .topic("graveyard") }
        _ = fixture.acquire(3)
        fixture.answer(.reject, 1..<2)
        #expect(fixture.dead == [DeadRun(range: Offset(1)..<Offset(2), attempts: 1, reason: .rejected)])
        #expect(fixture.runs(.moving) == ["1..<2 x1"])
        #expect(fixture.cursor.openCount == 3)
        var step = CursorStep()
        #expect(fixture.cursor.settle([Offset(0)..<Offset(2)], as: .discarded, onlyMovable: true, &step) == 0)
        #expect(fixture.cursor.settle([Offset(1)..<Offset(2)], as: .dead, onlyMovable: false, &step) == 1)
        #expect(step.facts == [.settled(Offset(1)..<Offset(2), .dead)])
        #expect(fixture.cursor.totals.dead == 1 && fixture.cursor.openCount == 2)
    }

    @Test func retriesWaitLongerEachTime() {
        var fixture = CursorFixture(end: 1) { $0.retry = RetryPolicy(delays: .levels([10_000, 30_000])) }
        _ = fixture.acquire(1)
        fixture.answer(.release, 0..<1)
        #expect(fixture.runs(.waiting) == ["0..<1 x1 @10000"])
        fixture.pass(ms: 9_999)
        #expect(fixture.acquire(1) == [])
        #expect(fixture.cursor.nextDeadline(now: fixture.now) == fixture.now.monotonic.advanced(byMs: 1))
        fixture.pass(ms: 1)
        #expect(fixture.acquire(1) == ["0..<1 x2"])
        fixture.answer(.release, 0..<1)
        #expect(fixture.runs(.waiting) == ["0..<1 x2 @40000"])
        #expect(fixture.cursor.nextDue == Timestamp(ms: 1_040_000))
    }

    @Test func jitterSpreadsRetriesMessageByMessage() {
        var fixture = CursorFixture(end: 3) { $0.retry = RetryPolicy(delays: .levels([10_000]), jitter: 0.5) }
        _ = fixture.acquire(3)
        fixture.answer(.release, 0..<3)
        let dues = fixture.cursor.list(.waiting, in: Offset.zero..<Offset(3), limit: 9).compactMap(\.due)
        #expect(Set(dues).count == 3)
        #expect(dues.allSatisfy { (1_005_000...1_015_000).contains($0.ms) })
    }

    @Test func aLockThatRunsOutCountsAnAttempt() {
        var fixture = CursorFixture(end: 4) { $0.lockMs = 15_000 }
        _ = fixture.acquire(2, by: "c1")
        fixture.pass(ms: 10_000)
        _ = fixture.acquire(2, by: "c2")
        fixture.pass(ms: 5_000)
        #expect(fixture.runs(.ready) == ["0..<2 x1"])
        #expect(fixture.runs(.acquired) == ["2..<4 x1"])
        #expect(fixture.answer(.accept, 0..<2, by: "c1") == false)
    }

    @Test func renewalKeepsALock() {
        var fixture = CursorFixture(end: 4) { $0.lockMs = 15_000 }
        _ = fixture.acquire(4)
        fixture.pass(ms: 10_000)
        fixture.answer(.renew, 0..<2)
        fixture.pass(ms: 10_000)
        #expect(fixture.runs(.acquired) == ["0..<2 x1"])
        fixture.pass(ms: 5_000)
        #expect(fixture.runs(.ready) == ["0..<4 x1"])
    }

    @Test func aMessageIsHeldSinceItsDeliveryWhateverIsRenewed() {
        var fixture = CursorFixture(end: 4) { $0.lockMs = 15_000 }
        let start = fixture.now.monotonic
        _ = fixture.acquire(2)
        fixture.pass(ms: 10_000)
        _ = fixture.acquire(1)
        fixture.answer(.renew, 0..<2)
        #expect(fixture.cursor.heldSince(Offset(1)) == start)
        #expect(fixture.cursor.heldSince(Offset(2)) == start.advanced(byMs: 10_000))
        #expect(fixture.cursor.heldSince(Offset(3)) == nil)
    }

    @Test func aLostMemberCostsAnAttemptAndOneThatLeavesDoesNot() {
        var fixture = CursorFixture(end: 6)
        _ = fixture.acquire(3, by: "lost")
        _ = fixture.acquire(3, by: "left")
        fixture.note(fixture.cursor.release("left", wasLost: false, now: fixture.now, seed: 0))
        #expect(fixture.facts == [.start(.zero)])
        fixture.note(fixture.cursor.release("lost", wasLost: true, now: fixture.now, seed: 0))
        #expect(fixture.facts.last == .ready(Offset(0)..<Offset(3), attempts: 1))
        #expect(fixture.acquire(6, by: "c") == ["0..<3 x2", "3..<6 x1"])
    }

    @Test func oneActiveConsumerAtATime() {
        var fixture = CursorFixture(end: 6) { $0.isSingleActive = true }
        #expect(fixture.acquire(2, by: "c1") == ["0..<2 x1"])
        #expect(fixture.acquire(2, by: "c2") == [])
        #expect(fixture.cursor.firstAvailable(to: "c2", now: fixture.now) == nil)
        fixture.note(fixture.cursor.release("c1", wasLost: false, now: fixture.now, seed: 0))
        #expect(fixture.acquire(3, by: "c2") == ["0..<3 x1"])
        #expect(fixture.acquire(2, by: "c1") == [])
    }

    @Test func noMoreThanTheLimitAreInFlight() {
        var fixture = CursorFixture(end: 10) { $0.maxInFlight = 4 }
        #expect(fixture.acquire(9, by: "c1") == ["0..<4 x1"])
        #expect(fixture.acquire(9, by: "c2") == [])
        fixture.answer(.accept, 0..<1)
        #expect(fixture.acquire(9, by: "c2") == ["4..<5 x1"])
    }

    @Test func theWindowBoundsWhatIsAcquired() {
        var fixture = CursorFixture(end: 600)
        _ = fixture.acquire(500, by: "c1")
        fixture.answer(.accept, 0..<500)
        #expect(fixture.acquire(1_000, by: "c1", in: 520..<530) == ["520..<530 x1"])
        #expect(fixture.runs(.ready) == ["500..<520 x0", "530..<600 x0"])
        #expect(fixture.cursor.firstAvailable(to: "c1", now: fixture.now) == Offset(500))
    }

    @Test func theRateLetsThroughWhatItAllows() {
        var fixture = CursorFixture(end: 1_000) { $0.rateOut = 100 }
        #expect(fixture.acquire(500) == ["0..<10 x1"])
        #expect(fixture.acquire(500) == [])
        #expect(!fixture.cursor.mayDeliver)
        fixture.pass(ms: 50)
        #expect(fixture.cursor.mayDeliver)
        #expect(fixture.acquire(500) == ["10..<15 x1"])
    }

    @Test func heldDeliveryGivesNothing() {
        var fixture = CursorFixture(end: 4)
        fixture.note(fixture.cursor.setGate(.delivery, held: true))
        #expect(fixture.acquire(4) == [])
        #expect(fixture.recovered().cursor.holdsDelivery)
        fixture.note(fixture.cursor.setGate(.delivery, held: false))
        #expect(fixture.acquire(4) == ["0..<4 x1"])
        #expect(!fixture.recovered().cursor.holdsDelivery)
    }

    @Test func aHundredMillionReadyMessagesCostNothing() {
        var fixture = CursorFixture(end: 100_000_000)
        #expect(fixture.cursor.readyCount == 100_000_000)
        var rounds: Int64 = 0
        while rounds < 1_000 {
            #expect(fixture.acquire(500) == ["\(rounds * 500)..<\((rounds + 1) * 500) x1"])
            fixture.answer(.accept, rounds * 500..<(rounds + 1) * 500)
            rounds += 1
        }
        #expect(fixture.cursor.readyCount == 99_500_000)
        // What a restart reads of it: where it is, and its totals.
        #expect(fixture.cursor.snapshot().count == 2)
        for state in CursorState.allCases where state != .ready && state != .settled { #expect(fixture.runs(state) == []) }
    }
}
