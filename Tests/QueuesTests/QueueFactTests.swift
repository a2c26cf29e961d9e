import Model
import NIOCore
import Queues
import Testing
import Wire

@Suite struct QueueFactTests {
    private static func range(_ first: Int64, _ end: Int64) -> Range<Offset> { Offset(first)..<Offset(end) }

    static let mark = PurgeMark(id: 3, count: 12, at: Timestamp(ms: 1_700_000_000_000), until: Timestamp(ms: 1_700_000_600_000))
    static let failing: CursorTotals = {
        var totals = CursorTotals()
        (totals.dead, totals.hasFailures) = (7, true)
        return totals
    }()
    static let all: [QueueFact] = [
        .start(Offset(70)),
        .settled(range(0, 1 << 40), .accepted), .settled(range(5, 6), .missing),
        .ready(range(7, 9), attempts: 2),
        .waiting(range(7, 9), attempts: 300, due: Timestamp(ms: 1_700_000_000_001)),
        .dying(range(1, 2), attempts: 5, .deliveryLimit),
        .purged(mark, end: Offset(40), kept: [range(1, 2), range(5, 9)]),
        .undone(purge: 3), .forgotten(purge: 4), .replayed(range(0, 100)),
        .gate(.delivery, held: true), .gate(.publishing, held: false), .cut(end: Offset(9)), .deleted,
        .saved(
            mark, ready: [SavedRun(range: range(1, 2), attempts: 1)],
            waiting: [SavedRun(range: range(4, 9), attempts: 2, due: Timestamp(ms: 9))]),
        .totals(CursorTotals(), nextPurge: 8), .totals(failing, nextPurge: 9),
    ]

    @Test func factsComeBackAsTheyWere() throws {
        var writer = WireWriter()
        QueueFact.write(Self.all, to: &writer)
        var reader = WireReader(writer.buffer)
        #expect(try QueueFact.read(&reader) == Self.all)
        try reader.expectEnd()
    }

    @Test func cutOffFactsAreRefused() throws {
        var writer = WireWriter()
        QueueFact.write(Self.all, to: &writer)
        for length in 0..<writer.buffer.readableBytes {
            let cut = try #require(writer.buffer.getSlice(at: 0, length: length))
            #expect(throws: WireError.self) {
                var reader = WireReader(cut)
                _ = try QueueFact.read(&reader)
            }
        }
    }

    /// A range that ends before it begins, or behind the last offset there can be, would trap later.
    @Test func impossibleRangesAreRefused() {
        for (first, length) in [(Int64(5), Int64(-1)), (-1, 5), (.max, 2)] {
            var writer = WireWriter()
            writer.int8(1)
            writer.count(1, compact: true)
            writer.int8(9)
            writer.varlong(first)
            writer.varlong(length)
            #expect(throws: WireError.self) {
                var reader = WireReader(writer.buffer)
                _ = try QueueFact.read(&reader)
            }
        }
    }
}
