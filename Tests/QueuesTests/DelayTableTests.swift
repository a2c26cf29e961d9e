import Model
import Testing

@testable import Queues

/// The newest index entries: what comes out is what a sorted list would give, however they went in.
@Suite struct DelayTableTests {
    private struct Random {
        var state: UInt64
        mutating func below(_ limit: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((state >> 33) % UInt64(limit))
        }
    }

    private func entry(_ dueMs: Int64, _ offset: Int64) -> DelayEntry {
        DelayEntry(dueMs: dueMs, ref: DelayRef(band: 1, offset: Offset(offset)), count: 1, target: 0)
    }

    @Test(arguments: [1_000, 100_000, 50_000_000, 9_000_000_000_000])
    func entriesComeOutInOrderOfTheirKeys(range: Int) {
        var random = Random(state: UInt64(range))
        var table = DelayTable()
        var oracle: [DelayEntry] = []
        var next: Int64 = 0
        for _ in 0..<300 {
            if random.below(3) > 0 {
                var batch: [DelayEntry] = []
                for _ in 0..<(1 + random.below(20)) {
                    batch.append(entry(Int64(random.below(range)), next))
                    next += 1
                }
                table.insert(contentsOf: batch)
                oracle = (oracle + batch).sorted { $0.key < $1.key }
            } else {
                for _ in 0..<random.below(15) where !oracle.isEmpty {
                    #expect(table.firstKey == oracle[0].key)
                    #expect(table.first() == oracle[0])
                    #expect(table.removeFirst() == oracle.removeFirst())
                }
            }
            #expect(table.count == oracle.count)
            #expect(table.firstKey == oracle.first?.key)
        }
        #expect(DelayRun.sorted(table.entries) == oracle)
    }

    @Test func theFirstEntryCanBeReplacedByItsRest() {
        var table = DelayTable()
        table.insert(contentsOf: [
            DelayEntry(dueMs: 50, ref: DelayRef(band: 1, offset: Offset(9)), count: 3, target: 0), entry(70_000, 1), entry(60, 2),
        ])
        #expect(table.first()?.count == 3)
        table.replaceFirst(with: DelayEntry(dueMs: 50, ref: DelayRef(band: 1, offset: Offset(11)), count: 1, target: 0))
        #expect(table.removeFirst()?.ref.offset == Offset(11))
        #expect(table.removeFirst()?.dueMs == 60)
        #expect(table.removeFirst()?.dueMs == 70_000)
        #expect(table.removeFirst() == nil)
        #expect(table.isEmpty && table.firstKey == nil)
    }

    @Test(arguments: [0, 1, 200, 300, 5_000], [1, 10, 7_200_000, 50_000_000_000])
    func sortingByDigitsGivesWhatComparingDoes(count: Int, range: Int) {
        var random = Random(state: UInt64(count + range))
        // Mostly in the order of their arrival, some out of it.
        var entries = (0..<count).map { entry(1_700_000_000_000 + Int64(random.below(range)), Int64($0)) }
        for _ in 0..<(count / 50) { entries.swapAt(random.below(count), random.below(count)) }
        #expect(DelayRun.sorted(entries) == entries.sorted { $0.key < $1.key })
    }
}
