import Model
import NIOCore
import Testing

@testable import Storage

/// An owner on an engine that loses frames and answers: it asks what became of a frame and goes on, and nothing is lost or doubled.
@Suite struct FaultyEngineTests {
    private let a = StreamID.test(0)

    @Test(arguments: [UInt64(1), 2, 3]) func anOwnerThatResolvesLosesNothing(_ seed: UInt64) async throws {
        var faults = FaultyEngine.Faults()
        faults.lostAnswerPercent = 25
        faults.lostFramePercent = 25
        let engine = FaultyEngine(MemoryEngine(), seed: seed, faults: faults)
        _ = await engine.acquired(epoch: 1)
        var next: Int64 = 0
        var frame: UInt64 = 0
        var fates: [FrameFate: Int] = [:]
        while next < 100 {
            frame += 1
            switch await engine.committed(frame, [Batches.append(a, next)]) {
            case .success: next += 1
            case .failure(let error):
                #expect(error == .indeterminate)
                let fate = try await engine.resolved(frame).get()
                fates[fate, default: 0] += 1
                if fate == .committed { next += 1 }
            }
        }
        #expect(try await engine.allBatches(a).map(\.baseOffset.value) == Array(0..<100))
        #expect(fates[.committed, default: 0] > 10 && fates[.absent, default: 0] > 10)
        await engine.closed()
    }

    @Test func aPausedOwnerIsFencedWhenItWakesUp() async throws {
        var faults = FaultyEngine.Faults()
        faults.delayMs = 20
        let engine = FaultyEngine(MemoryEngine(), faults: faults)
        _ = await engine.acquired(epoch: 1)
        _ = await engine.committed(1, [Batches.append(a, 0)])
        // The frame is under way while another owner takes the shard.
        async let late = engine.committed(2, [Batches.append(a, 1)])
        let usurped = await result { engine.usurp(ShardID(0), epoch: Epoch(5), done: $0) }
        let outcome = await late
        let end = try await engine.acquired(epoch: 5).get()[a]?.end
        if outcome.failure == .fenced(Epoch(5)) {
            #expect(try usurped.get()[a]?.end == Offset(1) && end == Offset(1))
        } else {
            #expect(try outcome.get() == .durable && end == Offset(2))
        }
        #expect(await engine.committed(3, [Batches.append(a, 1)]).failure == .fenced(Epoch(5)))
        await engine.closed()
    }

    @Test func everyCallTakesItsTime() async throws {
        var faults = FaultyEngine.Faults()
        faults.delayMs = 30
        let engine = FaultyEngine(MemoryEngine(), faults: faults)
        #expect(engine.limits.expectedLatencyMs == 30)
        let start = ContinuousClock.now
        _ = await engine.acquired(epoch: 1)
        _ = await engine.committed(1, [Batches.append(a, 0)])
        let isReady = engine.locate(a, .offset(Offset(0))) { _ in } != nil
        #expect(!isReady)
        #expect(ContinuousClock.now - start >= .milliseconds(60))
        await engine.closed()
    }
}
