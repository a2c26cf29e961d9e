import Model
import NIOCore
import Testing

@testable import Storage

/// What every engine must do about space in the middle of a stream.
@Suite struct FreeTests {
    private let a = StreamID.test(0)

    /// Twelve batches of one record each; units of one batch each in both engines: larger than a file segment, and taken as they are in
    /// memory.
    private func fill(_ engine: any Log, _ numbers: Range<Int64> = 0..<12) async throws {
        for number in numbers {
            let batch = Batches.append(a, number, time: 1_000 * (number + 1), valueBytes: 90_000)
            #expect(try await engine.committed(UInt64(number + 1), [batch]).get() == .durable)
        }
    }

    private func holes(_ ranges: Range<Int64>...) -> OffsetRanges {
        OffsetRanges(ranges.map { Offset($0.lowerBound)..<Offset($0.upperBound) })
    }

    @Test(arguments: EngineUnderTest.all)
    func whatLiesBehindAStuckMessageGoes(_ kind: EngineUnderTest) async throws {
        try await kind.run(segmentBytes: 50_000) { engine async throws in
            _ = await engine.acquired(epoch: 1)
            try await fill(engine)
            let all = try await engine.freed(a, []).get()
            #expect(all.bytes > 12 * 90_000 && all.holes.isEmpty)
            // Message 0 is stuck, 1 to 7 are settled.
            let extent = try await engine.freed(a, [1..<8]).get()
            #expect(extent.start == Offset(0) && extent.end == Offset(12) && extent.holes == holes(1..<8))
            #expect(extent.bytes == all.bytes / 12 * 5)
            #expect(extent.maxTimestamp == Timestamp(ms: 12_000))
            #expect(try await engine.allBatches(a, holes: extent.holes).map(\.baseOffset.value) == [0, 8, 9, 10, 11])
            #expect(try await engine.allBatches(a, maxBytes: 10, wantsRegion: true, holes: extent.holes).count == 5)
            for offset in 1...8 {
                #expect(try await engine.located(a, .offset(Offset(Int64(offset)))).get().header.baseOffset == Offset(8))
            }
            // Times in a hole find the next batch too.
            #expect(try await engine.located(a, .timestamp(Timestamp(ms: 3_500))).get().header.baseOffset == Offset(8))
            #expect(try await engine.freed(a, [1..<8]).get() == extent)
            // Later holes join earlier ones; the front is no hole.
            #expect(try await engine.freed(a, [8..<9, 10..<11]).get().holes == holes(1..<9, 10..<11))
            let front = try await engine.freed(a, [0..<1]).get()
            #expect(front.start == Offset(9) && front.holes == holes(10..<11))
            #expect(await engine.located(a, .offset(Offset(3))).failure == .outOfRange(front))
            try await fill(engine, 12..<14)
            #expect(try await engine.allBatches(a, holes: front.holes).map(\.baseOffset.value) == [9, 11, 12, 13])
        }
    }

    /// The end must stay reachable by reading: the last batch goes only with all others.
    @Test(arguments: EngineUnderTest.all)
    func theLastBatchStaysUnlessAllGoes(_ kind: EngineUnderTest) async throws {
        try await kind.run(segmentBytes: 50_000) { engine async throws in
            _ = await engine.acquired(epoch: 1)
            try await fill(engine, 0..<5)
            let extent = try await engine.freed(a, [1..<5]).get()
            #expect(extent.holes == holes(1..<4) && extent.end == Offset(5))
            #expect(try await engine.allBatches(a, holes: extent.holes).map(\.baseOffset.value) == [0, 4])
            let none = try await engine.freed(a, [0..<1, 1..<5]).get()
            #expect(none == StreamExtent(start: Offset(5), end: Offset(5), bytes: 0, maxTimestamp: .none))
            try await fill(engine, 5..<6)
            #expect(try await engine.allBatches(a).map(\.baseOffset.value) == [5])
        }
    }

    /// 400 batches of ten records in one unit, of which two are wanted: it is rewritten, and positions in what it was lead nowhere.
    @Test(arguments: EngineUnderTest.all)
    func aSparseUnitIsRewritten(_ kind: EngineUnderTest) async throws {
        try await kind.run(segmentBytes: 4 << 20, rewriteBytes: 64 << 10) { engine async throws in
            _ = await engine.acquired(epoch: 1)
            for number in 0..<400 {
                let base = Int64(number) * 10
                await engine.committed(UInt64(number + 1), [Batches.append(a, base, count: 10, time: 5_000 + base, valueBytes: 50)])
            }
            let before = try await engine.freed(a, []).get()
            let old = try await engine.located(a, .offset(Offset(2_005))).get().position
            // Records 1003 and 2005 are wanted; their batches stay whole.
            let extent = try await engine.freed(a, [0..<1_003, 1_004..<2_005, 2_006..<4_000]).get()
            #expect(extent.holes == holes(0..<1_000, 1_010..<2_000, 2_010..<3_990))
            #expect(extent.bytes == before.bytes / 400 * 3)
            #expect(extent.maxTimestamp == Timestamp(ms: 8_990))
            #expect(try await engine.allBatches(a, holes: extent.holes).map(\.baseOffset.value) == [1_000, 2_000, 3_990])
            for (offset, base) in [(0, 1_000), (1_009, 1_000), (1_010, 2_000), (2_010, 3_990), (3_999, 3_990)] {
                let found = try await engine.located(a, .offset(Offset(Int64(offset)))).get()
                #expect(found.header.baseOffset == Offset(Int64(base)))
            }
            #expect(await engine.slice(a, at: old).failure == .outOfRange(extent))
            #expect(try await engine.freed(a, [0..<1_003, 1_004..<2_005, 2_006..<4_000]).get() == extent)
            await engine.committed(401, [Batches.append(a, 4_000, count: 10, valueBytes: 50)])
            #expect(try await engine.allBatches(a, holes: extent.holes).last?.baseOffset == Offset(4_000))
        }
    }

    @Test(arguments: EngineUnderTest.all)
    func whatIsNotThereIsNamed(_ kind: EngineUnderTest) async throws {
        try await kind.run { engine async throws in
            _ = await engine.acquired(epoch: 1)
            #expect(await engine.freed(.test(9), [0..<5]).failure == .unknownStream)
        }
    }
}
