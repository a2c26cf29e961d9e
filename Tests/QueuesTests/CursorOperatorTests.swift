import Model
import Queues
import Testing

/// Purge and undo, replay, claims, expiry, moving: what is done to a cursor besides delivering.
@Suite struct CursorOperatorTests {
    private func range(_ first: Int64, _ end: Int64) -> Range<Offset> { Offset(first)..<Offset(end) }

    @Test func aPurgeCanBeUndone() throws {
        var fixture = CursorFixture(end: 20) { $0.retry = RetryPolicy(delays: .levels([60_000])) }
        _ = fixture.acquire(10)
        fixture.answer(.accept, 0..<4)
        fixture.answer(.release, 4..<6)
        let made = fixture.cursor.purge(now: fixture.now)
        let purge = try #require(made)
        fixture.note(purge.step)
        // Two wait, ten were never delivered; four are held by c1.
        #expect(purge.mark.count == 12)
        #expect(fixture.cursor.readyCount == 0 && fixture.cursor.waitingCount == 0 && fixture.cursor.acquiredCount == 4)
        #expect(fixture.cursor.firstNeeded == Offset(4))
        fixture.cursor.end = Offset(25)
        #expect(fixture.acquire(50, by: "c2") == ["20..<25 x1"])
        let undone = fixture.cursor.undoPurge(purge.mark.id, now: fixture.now)
        let undo = try #require(undone)
        fixture.note(undo.step)
        #expect(undo.count == 12)
        #expect(fixture.runs(.waiting) == ["4..<6 x1 @60000"])
        #expect(fixture.runs(.ready) == ["10..<20 x0"])
        let again = fixture.cursor.undoPurge(purge.mark.id, now: fixture.now)
        #expect(again == nil)
    }

    @Test func undoEndsWithItsTime() throws {
        var fixture = CursorFixture(end: 20) { $0.purgeUndoMs = 600_000 }
        let made = fixture.cursor.purge(now: fixture.now)
        let purge = try #require(made)
        fixture.note(purge.step)
        #expect(fixture.cursor.marks.map(\.count) == [20])
        #expect(fixture.cursor.firstNeeded == Offset(0))
        fixture.pass(ms: 600_000)
        #expect(fixture.facts.last == .forgotten(purge: purge.mark.id))
        #expect(fixture.cursor.firstNeeded == Offset(20))
        let again = fixture.cursor.undoPurge(purge.mark.id, now: fixture.now)
        #expect(again == nil)
    }

    @Test func aPurgeSparesWhatIsHeldAlsoAfterACrash() throws {
        var fixture = CursorFixture(end: 20)
        _ = fixture.acquire(5)
        let purge = fixture.cursor.purge(now: fixture.now)
        fixture.note(try #require(purge).step)
        #expect(fixture.recovered().runs(.ready) == ["0..<5 x0"])
    }

    @Test func whatAReplayBroughtBackAPurgesUndoDoesNotBringBackAgain() throws {
        var fixture = CursorFixture(end: 10)
        let made = fixture.cursor.purge(now: fixture.now)
        let purge = try #require(made)
        fixture.note(purge.step)
        fixture.note(fixture.cursor.replay(range(0, 4)).step)
        #expect(fixture.acquire(4) == ["0..<4 x1"])
        fixture.answer(.accept, 0..<4)
        let undone = fixture.cursor.undoPurge(purge.mark.id, now: fixture.now)
        let undo = try #require(undone)
        fixture.note(undo.step)
        #expect(undo.count == 6)
        #expect(fixture.runs(.ready) == ["4..<10 x0"])
        #expect(fixture.recovered().runs(.ready) == ["4..<10 x0"])
    }

    @Test func replayMakesSettledMessagesReady() {
        var fixture = CursorFixture(end: 20)
        _ = fixture.acquire(10)
        fixture.answer(.accept, 0..<4)
        fixture.answer(.release, 5..<6)
        #expect(fixture.cursor.replayable(range(2, 15)) == 2)
        let (count, step) = fixture.cursor.replay(range(2, 15))
        fixture.note(step)
        #expect(count == 2)
        #expect(fixture.runs(.ready) == ["2..<4 x0", "5..<6 x1", "10..<20 x0"])
        #expect(fixture.runs(.acquired) == ["4..<5 x1", "6..<10 x1"])
        #expect(fixture.recovered().runs(.ready) == ["2..<5 x0", "5..<6 x1", "6..<20 x0"])
    }

    /// Purged, replayed and accepted: undoing the purge does not bring it back, before and after a crash.
    @Test func anUndonePurgeLeavesWhatWasReplayedAlone() throws {
        var fixture = CursorFixture(end: 10)
        let made = fixture.cursor.purge(now: fixture.now)
        let purge = try #require(made)
        fixture.note(purge.step)
        let (count, step) = fixture.cursor.replay(range(0, 4))
        fixture.note(step)
        #expect(count == 4 && fixture.acquire(2) == ["0..<2 x1"])
        fixture.answer(.accept, 0..<2)
        var recovered = fixture.recovered()
        let undone = fixture.cursor.undoPurge(purge.mark.id, now: fixture.now)
        #expect(undone?.count == 6)
        #expect(fixture.runs(.ready) == ["2..<10 x0"])
        let undoneLater = recovered.cursor.undoPurge(purge.mark.id, now: recovered.now)
        #expect(undoneLater?.count == 6)
        #expect(recovered.runs(.ready) == ["2..<10 x0"])
    }

    @Test func onlyWhatWaitsIsCancelled() {
        var fixture = CursorFixture(end: 10) { $0.retry = RetryPolicy(delays: .levels([60_000])) }
        _ = fixture.acquire(4)
        fixture.answer(.release, 1..<3)
        let (count, step) = fixture.cursor.cancelWaiting([range(0, 2), range(5, 8)], now: fixture.now)
        fixture.note(step)
        #expect(count == 1)
        #expect(fixture.runs(.waiting) == ["2..<3 x1 @60000"])
        #expect(fixture.runs(.acquired) == ["0..<1 x1", "3..<4 x1"] && fixture.runs(.ready) == ["4..<10 x0"])
    }

    @Test func claimsAreOutOfDeliveryAndComeBackAsTheyWere() {
        var fixture = CursorFixture(end: 10) { $0.retry = RetryPolicy(delays: .levels([60_000])) }
        _ = fixture.acquire(4)
        fixture.answer(.release, 2..<3)
        #expect(fixture.cursor.claim(range(0, 6), now: fixture.now) == [range(2, 3), range(4, 6)])
        #expect(fixture.cursor.movingCount == 3)
        #expect(fixture.acquire(2, by: "c2") == ["6..<8 x1"])
        fixture.cursor.giveBack(range(2, 5))
        #expect(fixture.runs(.waiting) == ["2..<3 x1 @60000"])
        #expect(fixture.runs(.moving) == ["5..<6 x0"])
        #expect(fixture.recovered().runs(.moving) == [])
        var step = CursorStep()
        #expect(fixture.cursor.settle([range(0, 6)], as: .moved, onlyMovable: false, &step) == 6)
        #expect(step.facts == [.settled(range(0, 6), .moved)])
    }

    @Test func readyMessagesExpireAndHeldOnesDoNot() {
        var fixture = CursorFixture(end: 10) { $0.deadLetter = .auto }
        _ = fixture.acquire(3)
        fixture.note(fixture.cursor.expire(before: Offset(6), limit: 100, now: fixture.now))
        #expect(fixture.dead == [DeadRun(range: range(3, 6), attempts: 0, reason: .expired)])
        #expect(fixture.runs(.acquired) == ["0..<3 x1"])
        #expect(fixture.runs(.ready) == ["6..<10 x0"])
    }

    @Test func theOldestMakeRoom() {
        var fixture = CursorFixture(end: 10)
        fixture.note(fixture.cursor.dropHead(4))
        #expect(fixture.facts.last == .settled(range(0, 4), .dropped))
        #expect(fixture.cursor.readyCount == 6)
    }

    @Test func waitingMessagesRunNowOrAtAnotherTime() {
        var fixture = CursorFixture(end: 5) { $0.retry = RetryPolicy(delays: .levels([60_000])) }
        _ = fixture.acquire(5)
        fixture.answer(.release, 0..<5)
        let late = fixture.now.wall + 120_000
        let (delayed, _) = fixture.cursor.reschedule([Offset(1), Offset(9)], at: late, now: fixture.now)
        let (hastened, _) = fixture.cursor.reschedule([Offset(3)], at: nil, now: fixture.now)
        #expect(delayed == 1 && hastened == 1)
        #expect(fixture.acquire(5) == ["3..<4 x2"])
        fixture.pass(ms: 60_000)
        // 3 was acquired for 30 s, and failed a second time.
        #expect(fixture.runs(.waiting) == ["1..<2 x1 @120000", "3..<4 x2 @120000"])
    }

    @Test func aMovedCursorForgetsWhoHeldWhat() {
        var fixture = CursorFixture(end: 10)
        _ = fixture.acquire(8)
        fixture.note(fixture.cursor.restart(from: Offset(2)))
        #expect(fixture.runs(.ready) == ["2..<10 x0"])
        #expect(fixture.answer(.accept, 0..<8) == false)
        #expect(fixture.acquire(1, by: "c2") == ["2..<3 x1"])
    }

    @Test func theLogsStartSettlesWhatLiesBelow() {
        var fixture = CursorFixture(end: 10)
        _ = fixture.acquire(4)
        fixture.answer(.release, 0..<1)
        fixture.cursor.raiseFloor(to: Offset(3))
        #expect(fixture.runs(.acquired) == ["3..<4 x1"])
        #expect(fixture.runs(.ready) == ["4..<10 x0"])
        // What is gone needs no answer any more.
        #expect(fixture.answer(.accept, 0..<4) == true)
        fixture.cursor.raiseFloor(to: Offset(8))
        #expect(fixture.cursor.readyCount == 2 && fixture.cursor.firstOpen == Offset(8))
    }

    /// The log lost its end in a power cut: other messages will have those offsets.
    @Test func whatTheLogLostIsForgotten() {
        var fixture = CursorFixture(end: 10)
        _ = fixture.acquire(10)
        fixture.answer(.accept, 0..<8)
        fixture.note(fixture.cursor.cutBehind(Offset(6)))
        #expect(fixture.facts.last == .cut(end: Offset(6)))
        fixture.cursor.end = Offset(9)
        #expect(fixture.acquire(9, by: "c2") == ["6..<9 x1"])
        var later = fixture.recovered()
        #expect(later.acquire(9, by: "c2") == ["6..<9 x1"])
    }
}
