import Model
import Testing

@testable import Queues

/// Sorting by digits gives what comparing gives.
@Suite struct DelaySortTests {
    private func entries(_ count: Int, spanMs: Int64, seed: UInt64, inOrder: Bool) -> [DelayEntry] {
        var state = seed
        func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state >> 16
        }
        return (0..<count).map { number in
            let offset = inOrder ? Int64(number) : Int64(next() % UInt64(count * 8))
            let dueMs = 1_790_000_000_000 + Int64(next() % UInt64(spanMs))
            return DelayEntry(dueMs: dueMs, ref: DelayRef(band: 2, offset: Offset(offset)), count: 1, target: 3)
        }
    }

    @Test(arguments: [1, 2, 2_000, 7_200_000, 4_294_967_296, 4_294_967_297, 1 << 40] as [Int64], [true, false])
    func byKey(spanMs: Int64, inOrder: Bool) {
        for count in [0, 1, 255, 256, 5_000] {
            let given = entries(count, spanMs: spanMs, seed: UInt64(count), inOrder: inOrder)
            #expect(DelaySort.sorted(given).map(\.key) == given.map(\.key).sorted())
        }
    }
}
