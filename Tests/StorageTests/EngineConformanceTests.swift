import Model
import NIOCore
import Testing

@testable import Storage

/// What every engine must do, whatever it stands on.
@Suite struct EngineConformanceTests {
    @Test(arguments: EngineUnderTest.all)
    func appendsAreFoundByOffsetAndTime(_ kind: EngineUnderTest) async throws {
        try await kind.run { engine in
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
    func unknownStreamsAreNamed(_ kind: EngineUnderTest) async throws {
        try await kind.run { engine in
            _ = await engine.acquired(epoch: 1)
            #expect(await engine.located(.test(9), .offset(Offset(0))).failure == .unknownStream)
            #expect(await engine.slice(.test(9), at: Position(segment: 0, byte: 0)).failure == .unknownStream)
            #expect(await engine.trimmed(.test(9), before: 1).failure == .unknownStream)
            #expect(await engine.dropped(.test(9)).failure == .unknownStream)
        }
    }
}

extension Result where Failure == LogError {
    var failure: LogError? {
        if case .failure(let error) = self { return error }
        return nil
    }
}
