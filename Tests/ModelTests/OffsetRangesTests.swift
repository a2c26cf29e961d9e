import Model
import Testing

/// Sets of offsets, against a plain set of numbers.
@Suite struct OffsetRangesTests {
    private func ranges(_ list: Range<Int64>...) -> OffsetRanges {
        OffsetRanges(list.map { Offset($0.lowerBound)..<Offset($0.upperBound) })
    }

    @Test func rangesThatTouchBecomeOne() {
        var set = ranges(0..<50, 90..<120)
        set.insert(Offset(50)..<Offset(60))
        #expect(set == ranges(0..<60, 90..<120) && set.count == 90)
        #expect(set.covers(Offset(10)..<Offset(60)) && !set.covers(Offset(50)..<Offset(95)) && !set.covers(Offset(60)..<Offset(61)))
        set.insert(Offset(55)..<Offset(95))
        #expect(set == ranges(0..<120))
        #expect(set.subtracting(ranges(40..<100)) == ranges(0..<40, 100..<120))
        #expect(ranges(5..<6, 0..<2, 1..<5).ranges.count == 1)
        #expect(OffsetRanges().covers(Offset(3)..<Offset(3)) && !OffsetRanges().contains(Offset(3)))
        #expect(ranges(10..<20).missing(in: Offset(5)..<Offset(25)) == [Offset(5)..<Offset(10), Offset(20)..<Offset(25)])
    }

    @Test(arguments: 0..<20) func operationsAgreeWithAPlainSet(_ seed: UInt64) {
        var state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 1
        func random(_ bound: Int64) -> Int64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int64(state >> 33) % bound
        }
        func make() -> (OffsetRanges, Set<Int64>) {
            var set = OffsetRanges()
            var plain: Set<Int64> = []
            for _ in 0..<random(12) {
                let from = random(100)
                let to = from + random(15)
                set.insert(Offset(from)..<Offset(to))
                plain.formUnion(from..<to)
            }
            return (set, plain)
        }
        func numbers(_ set: OffsetRanges) -> [Int64] { set.ranges.flatMap { Array($0.lowerBound.value..<$0.upperBound.value) } }
        for _ in 0..<50 {
            let (left, leftPlain) = make()
            let (right, rightPlain) = make()
            #expect(numbers(left) == leftPlain.sorted() && left.count == Int64(leftPlain.count))
            #expect(numbers(left.union(right)) == leftPlain.union(rightPlain).sorted())
            #expect(numbers(left.intersection(right)) == leftPlain.intersection(rightPlain).sorted())
            #expect(numbers(left.subtracting(right)) == leftPlain.subtracting(rightPlain).sorted())
            let window = Offset(random(60))..<Offset(60 + random(60))
            let inside = leftPlain.filter { window.contains(Offset($0)) }
            #expect(numbers(left.intersection(window)) == inside.sorted())
            #expect(
                left.missing(in: window).reduce(0) { $0 + ($1.upperBound - $1.lowerBound) } == window.upperBound - window.lowerBound
                    - Int64(inside.count))
            #expect(left.covers(window) == (inside.count == Int(window.upperBound - window.lowerBound)))
        }
    }
}
