import Model
import NIOCore
import Queues
import Testing
import Wire

@Suite struct MoveLedgerTests {
    let source = PartitionID(topic: TopicID(high: 1, low: 2), index: 3)
    let target = PartitionID(topic: TopicID(high: 4, low: 5), index: 0)

    func ranges(_ pairs: (Int64, Int64)...) -> [Range<Offset>] { pairs.map { Offset($0.0)..<Offset($0.1) } }

    func intent(_ number: UInt64, job: Int64 = 0, window: (Int64, Int64)? = nil, _ parts: [[Range<Offset>]]) -> MoveIntent {
        MoveIntent(
            number: number, group: "g", source: source, end: 7, job: job, window: window.map { Offset($0.0)..<Offset($0.1) },
            parts: parts.map { .init(target: target, targetEnd: Offset(900), ranges: $0) })
    }

    @Test func factsSurviveTheirBytes() throws {
        var progress = MoveProgress()
        progress.take(intent(1, job: 2, window: (0, 50), [ranges((3, 5), (7, 8))]), bases: [Offset(40)])
        let facts: [MoveFact] = [
            .begun(intent(42, job: 17, window: (10, 30), [ranges((17, 20), (25, 26)), ranges((28, 29))])), .begun(intent(43, [])),
            .ended(number: 42, bases: [Offset(901), nil]), .progress(job: 17, progress), .jobForgotten(3), .numbered(99),
        ]
        for fact in facts { #expect(try MoveFact.decode(fact.encoded()) == fact) }
        #expect(throws: WireError.self) { try MoveFact.decode(ByteBuffer(bytes: [1, 1, 0])) }
        #expect(throws: WireError.unsupportedVersion(api: 9, version: 1)) { try MoveFact.decode(ByteBuffer(bytes: [1, 9])) }
    }

    @Test func aMoveIsOpenFromItsBeginningToItsEnd() {
        var ledger = MoveLedger()
        ledger.apply(.begun(intent(1, [ranges((0, 4))])))
        ledger.apply(.begun(intent(2, [ranges((4, 8))])))
        ledger.apply(.ended(number: 1, bases: [Offset(900)]))
        #expect(ledger.openInOrder.map(\.number) == [2])
        #expect(ledger.lastNumber == 2)
        // The end of a move that is not open changes nothing.
        let before = ledger
        ledger.apply(.ended(number: 1, bases: [Offset(900)]))
        #expect(ledger == before)
    }

    @Test func whatDidNotLandIsNotDone() {
        var ledger = MoveLedger()
        ledger.apply(.begun(intent(1, job: 9, window: (0, 10), [ranges((0, 3)), ranges((5, 7)), ranges((8, 9))])))
        ledger.apply(.ended(number: 1, bases: [Offset(900), nil, Offset(903)]))
        let progress = ledger.jobs[9]
        #expect(progress?.sent == 4)
        #expect(progress?.landed == [MoveLanding(target: target, base: Offset(900), count: 4)])
        #expect(progress?.done[source] == ranges((0, 5), (7, 10)))
        #expect(progress?.gap(of: source, from: Offset(0), to: Offset(20)) == Offset(5)..<Offset(7))
        #expect(progress?.gap(of: source, from: Offset(7), to: Offset(20)) == Offset(10)..<Offset(20))
        #expect(progress?.gap(of: source, from: Offset(7), to: Offset(10)) == nil)
    }

    @Test func windowsMergeWhereTheyTouch() {
        var progress = MoveProgress()
        for (first, end) in [(10, 20), (30, 40), (20, 25), (0, 5), (24, 31)] as [(Int64, Int64)] {
            progress.add(Offset(first)..<Offset(end), of: source)
        }
        #expect(progress.done[source] == ranges((0, 5), (10, 40)))
        progress.remove(Offset(15)..<Offset(16), of: source)
        #expect(progress.done[source] == ranges((0, 5), (10, 15), (16, 40)))
    }

    @Test func aSnapshotMakesTheSameState() {
        var ledger = MoveLedger()
        ledger.apply(.begun(intent(5, job: 1, window: (0, 10), [ranges((0, 10))])))
        ledger.apply(.ended(number: 5, bases: [Offset(3)]))
        ledger.apply(.begun(intent(6, job: 1, window: (10, 20), [ranges((10, 20))])))
        var copy = MoveLedger()
        for fact in ledger.snapshot() { copy.apply(fact) }
        #expect(copy == ledger)
        ledger.apply(.jobForgotten(1))
        #expect(ledger.jobs.isEmpty && ledger.lastNumber == 6)
    }
}
