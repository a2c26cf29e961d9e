import Control
import Testing

@testable import Console
@testable import Terminal

@Suite struct GraphTests {
    static func painter(_ level: GlyphLevel, _ columns: Int, _ rows: Int) -> Painter {
        Painter(size: Size(columns: columns, rows: rows), theme: BuiltInTheme.spec.resolved(.mono, glyphs: level))
    }

    @Test func brailleAreaGrowsFromItsBaseLine() {
        var painter = Self.painter(.braille, 2, 2)
        Graph.area([1, 2, 4, 8], in: painter.canvas.bounds, top: 8, key: .graph_in, on: &painter)
        #expect(painter.canvas.plainText == " ⢸\n⣠⣿\n")
        painter = Self.painter(.braille, 2, 2)
        Graph.area([1, 2, 4, 8], in: painter.canvas.bounds, top: 8, key: .graph_in, isDown: true, on: &painter)
        #expect(painter.canvas.plainText == "⠙⣿\n ⢸\n")
    }

    @Test func aGapIsBlankAndALittleIsSomething() {
        var painter = Self.painter(.block, 4, 1)
        Graph.area([nil, 0, 0.001, 8], in: painter.canvas.bounds, top: 8, key: .graph_in, on: &painter)
        #expect(painter.canvas.plainText == "  ▁█\n")
    }

    @Test func sparklines() {
        #expect(Graph.spark([0, 0, 0], width: 3, glyphs: Glyphs(.braille)) == "▁▁▁")
        #expect(Graph.spark([1, 4, 8], width: 3, glyphs: Glyphs(.braille)) == "▁▄█")
        #expect(Graph.spark([8, nil, 4], width: 5, glyphs: Glyphs(.braille)) == "  █ ▄")
        #expect(Graph.spark([1, 3, 5, 7], width: 2, glyphs: Glyphs(.braille)) == "▃█")
        #expect(Graph.spark([1, 8], width: 2, glyphs: Glyphs(.ascii)) == ".#")
    }

    @Test(
        arguments: [(0, 1), (1, 1), (1.1, 1.2), (12_400, 15_000), (14_100, 15_000), (48_200, 50_000), (61_000, 80_000), (0.3, 0.3)]
            as [(Double, Double)])
    func axis(_ peak: Double, _ top: Double) { #expect(abs(Graph.axisTop(peak) - top) < 1e-9 * max(1, top)) }

    @Test func windowIsTimeNotCount() {
        // Two points of four belong to the right half.
        #expect(Graph.window([5, 6], points: 4, columns: 8) == [nil, nil, nil, nil, 5, 5, 6, 6])
        #expect(Graph.window([1, 2, 3, 4], points: 4, columns: 2) == [1.5, 3.5])
    }
}

@Suite struct HistoryTests {
    static func history(end: Int64, _ values: [Double?]) -> History {
        History(stepMs: 1000, endMs: end * 1000, inRate: values, outRate: values, backlog: values)
    }

    @Test func secondsNobodyReportedAreGaps() {
        var store = HistoryStore()
        store.merge(Self.history(end: 1_000, [1, 2, 3]))
        store.merge(Self.history(end: 1_006, [7, 8]))
        #expect(store.series(\.inRate, endMs: 1_006_000, seconds: 9, columns: 9) == [1, 2, 3, nil, nil, nil, nil, 7, 8])
    }

    @Test func aRestartedBrokerDoesNotEraseWhatWasSeen() {
        var store = HistoryStore()
        store.merge(Self.history(end: 1_000, [1, 2, 3]))
        store.merge(Self.history(end: 1_002, [nil, nil, nil, nil, 5]))
        #expect(store.series(\.inRate, endMs: 1_002_000, seconds: 5, columns: 5) == [1, 2, 3, nil, 5])
        #expect(store.peak(\.inRate, endMs: 1_002_000, seconds: 60) == 5)
        #expect(store.peak(\.inRate, endMs: 1_000_000, seconds: 60) == 3)
    }

    @Test func frozenInstantsEndEarlier() {
        var store = HistoryStore()
        store.merge(Self.history(end: 1_000, [1, 2, 3, 4]))
        #expect(store.series(\.inRate, endMs: 998_000, seconds: 2, columns: 2) == [1, 2])
        #expect(store.series(\.inRate, endMs: 1_000_000, seconds: 4, columns: 2) == [1.5, 3.5])
    }

    @Test func asksOnlyForWhatIsMissing() {
        var store = HistoryStore()
        #expect(store.pointsWanted(nowMs: 0) == 900)
        store.merge(Self.history(end: 1_000, [1]))
        #expect(store.pointsWanted(nowMs: 1_005_000) == 15)
        #expect(store.pointsWanted(nowMs: 9_000_000) == 900)
    }

    @Test func nonsenseIsIgnored() {
        var store = HistoryStore()
        store.merge(History(stepMs: 0, endMs: 5, inRate: [1], outRate: [1], backlog: [1]))
        store.merge(History(stepMs: 1000, endMs: 5, inRate: [1], outRate: [], backlog: []))
        #expect(store.isEmpty)
    }
}

@Suite struct RingTests {
    static func snapshot(_ second: Int64) -> Snapshot {
        Snapshot(
            broker: BrokerInfo(name: "b", version: "", nowMs: second * 1000, uptimeMs: 0, readOnly: false, kafka: nil, http: nil, data: ""),
            totals: Totals(), history: History(inRate: [1], outRate: [1], backlog: [1]))
    }

    @Test func lastMinuteWholeThenEveryFiveSeconds() {
        var ring = SnapshotRing()
        for second in 0..<Int64(3_000) { ring.append(Self.snapshot(10_000 + second)) }
        let ages = ring.entries.map { (12_999_000 - $0.broker.nowMs) / 1000 }
        #expect(ages.last == 0)
        #expect(ages.filter { $0 <= 60 }.count == 61)
        #expect(ages.first.map { (895...900).contains($0) } == true)
        #expect((220...260).contains(ring.entries.count))
        #expect(ring.entries.allSatisfy { $0.history.inRate.isEmpty })
        #expect(ring.index(atMs: 12_999_000) == ring.entries.count - 1)
        #expect(ring.index(atMs: 0) == 0)
    }

    @Test func aClockSetBackStartsAnew() {
        var ring = SnapshotRing()
        ring.append(Self.snapshot(100))
        ring.append(Self.snapshot(50))
        #expect(ring.entries.count == 1)
    }
}
