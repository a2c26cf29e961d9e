import Model
import NIOCore
import Synchronization
import Testing

@testable import Storage

/// What every engine must do about ownership, removal and refusal.
@Suite struct EngineOwnershipTests {
    private let a = StreamID.test(0)

    @Test(arguments: EngineUnderTest.all)
    func aHigherEpochFencesTheWriterBefore(_ kind: EngineUnderTest) async throws {
        try await kind.run { engine async throws in
            _ = await engine.acquired(epoch: 7)
            await engine.committed(1, epoch: 7, [Batches.append(a, 0)])
            let extents = try await engine.acquired(epoch: 8).get()
            #expect(extents[a]?.end == Offset(1))
            // The paused owner wakes up and writes.
            #expect(await engine.committed(2, epoch: 7, [Batches.append(a, 1)]).failure == .fenced(Epoch(8)))
            #expect(await engine.acquired(epoch: 7).failure == .fenced(Epoch(8)))
            #expect(try await engine.committed(1, epoch: 8, [Batches.append(a, 1, count: 2)]).get() == .durable)
            #expect(try await engine.allBatches(a).map(\.baseOffset.value) == [0, 1])
        }
    }

    @Test(arguments: EngineUnderTest.all)
    func nothingIsWrittenWithoutOwnership(_ kind: EngineUnderTest) async throws {
        try await kind.run { engine async throws in
            let refused1 = await engine.committed(1, [Batches.append(a, 0)]).failure
            #expect(refused1?.isUnavailable == true)
            #expect(try await engine.acquired(epoch: 1).get().isEmpty)
            // One shard's ownership says nothing of another's; a stream stays in its shard.
            await engine.committed(1, [Batches.append(a, 0)])
            #expect(try await engine.acquired(1, epoch: 1).get().isEmpty)
            let refused2 = await engine.committed(1, shard: 1, [Batches.append(a, 1)]).failure
            #expect(refused2?.isUnavailable == true)
        }
    }

    @Test(arguments: EngineUnderTest.all)
    func whatDoesNotFitIsRefusedAsAWhole(_ kind: EngineUnderTest) async throws {
        try await kind.run { engine async throws in
            _ = await engine.acquired(epoch: 1)
            await engine.committed(1, [Batches.append(a, 0), Batches.append(.test(1), 0)])
            var lying = Batches.append(a, 1)
            lying.next = Offset(5)
            var notABatch = Batches.append(a, 1)
            notABatch.bytes = ByteBuffer(string: "hello")
            for bad in [Batches.append(a, 2), Batches.append(a, 0), lying, notABatch] {
                let refused3 = await engine.committed(2, [Batches.append(.test(1), 1), bad]).failure
                #expect(refused3?.isUnavailable == true)
            }
            #expect(try await engine.allBatches(.test(1)).count == 1)
            #expect(try await engine.resolved(1).get() == .committed)
            #expect(try await engine.resolved(2).get() == .absent)
            #expect(try await engine.committed(3, [Batches.append(.test(1), 1), Batches.append(a, 1)]).get() == .durable)
            #expect(try await engine.resolved(2).get() == .absent)
            #expect(try await engine.resolved(3).get() == .committed)
            #expect(try await engine.resolved(4).get() == .absent)
        }
    }

    @Test(arguments: EngineUnderTest.all)
    func progressComesOncePerStage(_ kind: EngineUnderTest) async throws {
        try await kind.run { engine async throws in
            _ = await engine.acquired(epoch: 1)
            let seen = Mutex<[CommitStage]>([])
            for (id, durable) in [(UInt64(1), true), (2, false), (3, true)] {
                // The third frame is empty: it makes the second durable.
                let appends = id == 3 ? [] : [Batches.append(a, Int64(id) - 1)]
                let frame = Frame(id: FrameID(id), epoch: Epoch(1), appends: appends, durable: durable)
                let stages = await result { (done: @escaping @Sendable ([CommitStage]) -> Void) in
                    engine.commit(frame, shard: ShardID(0)) { progress in
                        guard case .success(let stage) = progress else { return done([]) }
                        seen.withLock { $0.append(stage) }
                        if !durable || stage == .durable { done(seen.withLock { $0 }) }
                    }
                }
                #expect(stages.count == [1: 2, 2: 3, 3: 5][id])
            }
            #expect(seen.withLock { $0 } == [.written, .durable, .written, .written, .durable])
        }
    }

    @Test(arguments: EngineUnderTest.all)
    func trimmingRemovesOnlyWhatLiesBelow(_ kind: EngineUnderTest) async throws {
        try await kind.run(segmentBytes: 300) { engine async throws in
            _ = await engine.acquired(epoch: 1)
            for number in 0..<8 {
                await engine.committed(UInt64(number + 1), [Batches.append(a, Int64(number) * 2, count: 2, valueBytes: 100)])
            }
            let old = try await engine.located(a, .offset(Offset(0))).get().position
            let some = try await engine.trimmed(a, before: 7).get()
            #expect(some.start <= Offset(7) && some.end == Offset(16))
            #expect(try await engine.allBatches(a).last?.lastOffset == Offset(15))
            // All of it: the stream is empty and keeps its place.
            let none = try await engine.trimmed(a, before: 16).get()
            #expect(none == StreamExtent(start: Offset(16), end: Offset(16), bytes: 0, maxTimestamp: .none))
            #expect(await engine.slice(a, at: old).failure == .outOfRange(none))
            #expect(await engine.located(a, .maxTimestamp).failure == .outOfRange(none))
            #expect(try await engine.committed(9, [Batches.append(a, 16)]).get() == .durable)
            #expect(try await engine.allBatches(a).map(\.baseOffset.value) == [16])
        }
    }

    @Test(arguments: EngineUnderTest.all)
    func retentionTakesTheOldest(_ kind: EngineUnderTest) async throws {
        try await kind.run(segmentBytes: 100_000) { engine async throws in
            _ = await engine.acquired(epoch: 1)
            // Units of one batch each in both engines: larger than a file segment, and taken as they are in memory.
            for number in 0..<6 {
                await engine.committed(
                    UInt64(number + 1), [Batches.append(a, Int64(number), time: 1_000 * Int64(number + 1), valueBytes: 90_000)])
            }
            let all = try await engine.retained(a).get()
            #expect(all.start == Offset(0))
            #expect(try await engine.retained(a, olderThan: 2_000).get().start == Offset(1))
            // Three units would be left below the limit by one more removal.
            #expect(try await engine.retained(a, maxBytes: 3 * 90_000).get().start == Offset(3))
            #expect(try await engine.retained(a, maxBytes: 1).get().start == Offset(5))
            let gone = try await engine.retained(a, olderThan: 6_001).get()
            #expect(gone.start == Offset(6) && gone.end == Offset(6) && gone.bytes == 0)
        }
    }

    @Test(arguments: EngineUnderTest.all)
    func aDroppedStreamIsForgotten(_ kind: EngineUnderTest) async throws {
        try await kind.run { engine async throws in
            _ = await engine.acquired(epoch: 1)
            await engine.committed(1, [Batches.append(a, 0), Batches.append(.test(1), 0)])
            let position = try await engine.located(a, .offset(Offset(0))).get().position
            #expect(await engine.dropped(a).failure == nil)
            #expect(await engine.slice(a, at: position).failure == .unknownStream)
            #expect(await engine.dropped(a).failure == .unknownStream)
            #expect(try await engine.acquired(epoch: 2).get().keys.sorted { "\($0)" < "\($1)" } == [.test(1)])
            #expect(try await engine.committed(1, epoch: 2, [Batches.append(a, 100)]).get() == .durable)
            #expect(try await engine.allBatches(a).map(\.baseOffset.value) == [100])
        }
    }
}
