import Testing

@testable import Broker

/// Windows of sorted lists, and graphs that are written only when something changes.
@Suite struct SelectionTests {
    @Test func `a window is what sorting everything would show`() {
        var seed: UInt64 = 7
        let items = (0..<1_000).map { index in
            seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return (key: Int(seed >> 60), place: index)
        }
        func isBefore(_ left: (key: Int, place: Int), _ right: (key: Int, place: Int)) -> Bool {
            left.key == right.key ? left.place < right.place : left.key < right.key
        }
        let sorted = items.sorted(by: isBefore).map(\.place)
        for (start, count) in [(0, 1), (0, 50), (3, 20), (500, 50), (960, 50), (999, 1), (0, 1_000), (0, 2_000), (-5, 3)] {
            let window = Selection.window(of: items, start: start, count: count, by: isBefore).map(\.place)
            #expect(window == Array(sorted.dropFirst(max(0, start)).prefix(count)), "\(start) \(count)")
        }
        #expect(Selection.window(of: items, start: 1_000, count: 5, by: isBefore).isEmpty)
        #expect(Selection.window(of: items, start: 3, count: 0, by: isBefore).isEmpty)
        #expect(Selection.window(of: [Int](), start: 0, count: 5, by: <).isEmpty)
    }

    @Test func `steps that were not written stayed as they were`() {
        var ring = SteppedRing<Int>(capacity: 5)
        #expect(ring.suffix(5, at: 9, now: 1).isEmpty)
        ring.set(7, at: 3, since: 0)
        ring.set(9, at: 6, since: 7)
        #expect(ring.suffix(5, at: 6, now: 9) == [7, 7, 7, 9])
        #expect(ring.suffix(5, at: 8, now: 9) == [7, 7, 9, 9, 9])
        #expect(ring.suffix(2, at: 8, now: 9) == [9, 9])
        #expect(ring.suffix(5, at: 1_000, now: 9) == [9, 9, 9, 9, 9])
        ring.set(1, at: 1_000_000, since: 9)
        #expect(ring.suffix(5, at: 1_000_000, now: 1) == [9, 9, 9, 9, 1])
    }
}
