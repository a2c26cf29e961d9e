import Model
import NIOCore
import Testing

@testable import Storage

/// What every engine must do, whatever it stands on: appending, finding, reading.
@Suite struct EngineConformanceTests {
    @Test(arguments: EngineUnderTest.all)
    func appendsAreFoundByOffsetAndTime(_ kind: EngineUnderTest) async throws {
        try await kind.run { engine async throws in
            #expect(try await engine.acquired(epoch: 1).get().isEmpty)
            let a = StreamID.test(0)
            let first = await engine.committed(
                1, [Batches.append(a, 0, count: 3, time: 1_000), Batches.append(a, 3, count: 2, time: 2_000), Batches.append(.test(1), 40)])
            #expect(try first.get() == .durable)
            #expect(try await engine.committed(2, durable: false, [Batches.append(a, 5, time: 1_500)]).get() == .written)
            #expect(try await engine.located(a, .offset(Offset(4))).get().header.baseOffset == Offset(3))
            #expect(try await engine.located(a, .offset(Offset(0))).get().header.baseOffset == Offset(0))
            #expect(try await engine.located(a, .offset(Offset(5))).get().header.lastOffset == Offset(5))
            #expect(try await engine.located(a, .timestamp(Timestamp(ms: 1_001))).get().header.baseOffset == Offset(3))
            #expect(try await engine.located(a, .timestamp(Timestamp(ms: 5))).get().header.baseOffset == Offset(0))
            #expect(try await engine.located(a, .maxTimestamp).get().header.baseOffset == Offset(3))
            let extent = try await engine.trimmed(a, before: 0).get()
            #expect(extent.start == Offset(0) && extent.end == Offset(6) && extent.maxTimestamp == Timestamp(ms: 2_000))
            for target in [LocateTarget.offset(Offset(6)), .offset(Offset(-1)), .timestamp(Timestamp(ms: 2_001))] {
                #expect(await engine.located(a, target).failure == .outOfRange(extent))
            }
            #expect(try await engine.allBatches(a).map(\.baseOffset.value) == [0, 3, 5])
            #expect(try await engine.allBatches(.test(1)).map(\.baseOffset.value) == [40])
        }
    }

    @Test(arguments: EngineUnderTest.all)
    func aSyncComesAfterWhatWasWritten(_ kind: EngineUnderTest) async throws {
        try await kind.run { engine async throws in
            guard case .failure(.unavailable) = await engine.synced() else {
                Issue.record("a shard that nobody owns was synced")
                return
            }
            _ = try await engine.acquired(epoch: 1).get()
            try await engine.synced().get()
            #expect(try await engine.committed(1, durable: false, [Batches.append(.test(0), 0, count: 3)]).get() == .written)
            try await engine.synced().get()
            #expect(try await engine.committed(2, [Batches.append(.test(0), 3)]).get() == .durable)
            #expect(try await engine.allBatches(.test(0)).map(\.baseOffset.value) == [0, 3])
        }
    }

    @Test(arguments: EngineUnderTest.all)
    func unknownStreamsAreNamed(_ kind: EngineUnderTest) async throws {
        try await kind.run { engine async throws in
            _ = await engine.acquired(epoch: 1)
            #expect(await engine.located(.test(9), .offset(Offset(0))).failure == .unknownStream)
            #expect(await engine.slice(.test(9), at: Position(segment: 0, byte: 0)).failure == .unknownStream)
            #expect(await engine.trimmed(.test(9), before: 1).failure == .unknownStream)
            #expect(await engine.dropped(.test(9)).failure == .unknownStream)
        }
    }

    /// 300 batches of 1 to 3 records and 61 to about 3,000 bytes over several segments; every offset and time is found.
    @Test(arguments: EngineUnderTest.all)
    func everyOffsetIsFoundInManySegments(_ kind: EngineUnderTest) async throws {
        try await kind.run(segmentBytes: 40_000) { engine async throws in
            _ = await engine.acquired(epoch: 1)
            let sent = try await fill(engine, .test(0), batches: 300)
            for header in sent {
                for offset in header.baseOffset.value...header.lastOffset.value {
                    #expect(try await engine.located(.test(0), .offset(Offset(offset))).get().header == header)
                }
                let byTime = try await engine.located(.test(0), .timestamp(header.maxTimestamp)).get().header
                #expect(byTime == sent.first { $0.maxTimestamp >= header.maxTimestamp })
            }
            let latest = try #require(sent.map(\.maxTimestamp).max())
            #expect(try await engine.located(.test(0), .maxTimestamp).get().header == sent.first { $0.maxTimestamp == latest })
        }
    }

    /// A slice ends between batches, holds at least one and not more than was asked for, and says where to go on.
    @Test(arguments: EngineUnderTest.all, [0, 200, 5_000, 20_000, 100_000])
    func slicesEndBetweenBatches(_ kind: EngineUnderTest, _ maxBytes: Int) async throws {
        try await kind.run(segmentBytes: 40_000) { engine async throws in
            _ = await engine.acquired(epoch: 1)
            let sent = try await fill(engine, .test(0), batches: 150)
            for wantsRegion in [false, true] {
                #expect(try await engine.allBatches(.test(0), maxBytes: maxBytes, wantsRegion: wantsRegion) == sent)
            }
            let first = try await engine.located(.test(0), .offset(Offset(0))).get().position
            let slice = try await engine.slice(.test(0), at: first, maxBytes: maxBytes).get()
            #expect(slice.count >= sent[0].totalBytes && slice.count <= max(maxBytes, sent[0].totalBytes))
        }
    }

    @Test(arguments: EngineUnderTest.all)
    func aPositionAtTheEndGoesOnWhenMoreArrives(_ kind: EngineUnderTest) async throws {
        try await kind.run(segmentBytes: 300) { engine async throws in
            _ = await engine.acquired(epoch: 1)
            let a = StreamID.test(0)
            await engine.committed(1, [Batches.append(a, 0, valueBytes: 200)])
            let start = try await engine.located(a, .offset(Offset(0))).get().position
            let end = try #require(try await engine.slice(a, at: start).get().next)
            let empty = try await engine.slice(a, at: end).get()
            #expect(empty.count == 0 && empty.next == end && empty.nextOffset == Offset(1))
            // Two segments further on (files), the old position still leads there.
            await engine.committed(2, [Batches.append(a, 1, valueBytes: 200)])
            await engine.committed(3, [Batches.append(a, 2, valueBytes: 200)])
            let more = try await engine.slice(a, at: end).get()
            #expect(try RecordBatchHeader.parse(try engine.bytes(more)).baseOffset == Offset(1))
            let beyond = Position(segment: end.segment, byte: end.byte + 100_000)
            let refused1 = await engine.slice(a, at: beyond).failure
            #expect(refused1?.isOutOfRange == true)
        }
    }

    @Test(arguments: EngineUnderTest.all)
    func largeBatchesAreReadWhole(_ kind: EngineUnderTest) async throws {
        try await kind.run { engine async throws in
            _ = await engine.acquired(epoch: 1)
            let a = StreamID.test(0)
            let large = Batches.append(a, 0, valueBytes: 1_000_000)
            await engine.committed(1, [large, Batches.append(a, 1), Batches.append(a, 2, valueBytes: 900_000)])
            let start = try await engine.located(a, .offset(Offset(0))).get()
            #expect(start.header.totalBytes == large.bytes.readableBytes)
            for wantsRegion in [false, true] {
                let slice = try await engine.slice(a, at: start.position, maxBytes: 10, wantsRegion: wantsRegion).get()
                #expect(try engine.bytes(slice) == large.bytes)
                #expect(slice.nextOffset == Offset(1))
            }
            #expect(try await engine.located(a, .offset(Offset(2))).get().header.baseOffset == Offset(2))
        }
    }

    private func fill(_ engine: any Log, _ stream: StreamID, batches: Int) async throws -> [RecordBatchHeader] {
        var random = SeededRandom(seed: 5)
        var headers: [RecordBatchHeader] = []
        var next: Int64 = 0
        for number in 0..<batches {
            let count = 1 + random.below(3)
            let append = Batches.append(
                stream, next, count: count, time: 10_000 + Int64(number) * 10 - Int64(random.below(200)), valueBytes: random.below(1_000))
            headers.append(try RecordBatchHeader.parse(append.bytes))
            next = append.next.value
            let outcome = await engine.committed(UInt64(number + 1), durable: number % 3 == 0, [append])
            _ = try outcome.get()
        }
        return headers
    }
}

extension Result where Failure == LogError {
    var failure: LogError? {
        if case .failure(let error) = self { return error }
        return nil
    }
}

extension LogError {
    var isUnavailable: Bool {
        if case .unavailable = self { return true }
        return false
    }

    var isOutOfRange: Bool {
        if case .outOfRange = self { return true }
        return false
    }

    var isCorrupt: Bool {
        if case .corrupt = self { return true }
        return false
    }
}
