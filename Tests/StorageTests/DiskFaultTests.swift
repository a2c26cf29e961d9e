import Model
import NIOCore
import Testing

@testable import Storage

/// What a file engine does when the disk is full or fails.
@Suite struct DiskFaultTests {
    private let a = StreamID.test(0)
    private let b = StreamID.test(1)

    @Test func aFullDiskLeavesNoTrace() async throws {
        let bed = try FileEngineBed()
        await bed.acquire()
        _ = await bed.commit(1, [Batches.append(a, 0), Batches.append(b, 0)])
        let used = Int(try bed.fileSystem.space("/data").totalBytes - bed.fileSystem.space("/data").freeBytes)
        // Room for the first stream's append, not for the second's.
        bed.with { $0.capacityBytes = used + 200 }
        let sizes = try [a, b].map { try bed.fileSystem.size(bed.file($0, 0)) }
        #expect(await bed.commit(2, [Batches.append(a, 1), Batches.append(b, 1, valueBytes: 500)]).failure == .full)
        #expect(try [a, b].map { try bed.fileSystem.size(bed.file($0, 0)) } == sizes)
        #expect(try await bed.engine.resolved(2).get() == .absent)
        #expect(try await bed.engine.allBatches(a).count == 1)
        bed.with { $0.capacityBytes = nil }
        #expect(try await bed.commit(3, [Batches.append(a, 1), Batches.append(b, 1)]).get() == .durable)
        try await bed.restart(.power(seed: 9))
        #expect(try await bed.acquire().get().values.map(\.end) == [Offset(2), Offset(2)])
        await bed.engine.closed()
    }

    /// Every point of one commit fails once. The answer says what holds, and it holds after a power loss too.
    @Test(arguments: [true, false]) func anErrorAtAnyPointIsAnsweredTruly(_ journaled: Bool) async throws {
        var ended = Set<String>()
        for point in 1...8 {
            let bed = try FileEngineBed { $0.redoBytes = journaled ? 16_384 : 0 }
            await bed.acquire()
            _ = await bed.commit(1, [Batches.append(a, 0), Batches.append(b, 0)])
            bed.with { $0.errorAt = [bed.fileSystem.points + point] }
            let outcome = await bed.commit(2, [Batches.append(a, 1), Batches.append(b, 1)])
            bed.with { $0.errorAt = [] }
            let answer: FrameFate
            switch outcome {
            case .success:
                answer = .committed
                ended.insert("committed")
            case .failure(.indeterminate):
                // Nothing can be written until it is known what holds.
                #expect(await bed.commit(3, [Batches.append(a, 2)]).failure?.isUnavailable == true)
                answer = try await bed.engine.resolved(2).get()
                ended.insert("indeterminate")
            case .failure(let error):
                #expect(error.isUnavailable)
                answer = .absent
                ended.insert("refused")
            }
            let end: Int64 = answer == .committed ? 2 : 1
            for stream in [a, b] { #expect(try await bed.engine.allBatches(stream).last?.nextOffset == Offset(end), "point \(point)") }
            // The shard works again, and what it says is durable is.
            #expect(try await bed.commit(4, [Batches.append(a, end), Batches.append(b, end)]).get() == .durable, "point \(point)")
            try await bed.restart(.power(seed: UInt64(point)))
            let extents = try await bed.acquire().get()
            #expect(extents[a]?.end == Offset(end + 1) && extents[b]?.end == Offset(end + 1), "point \(point)")
            await bed.engine.closed()
        }
        #expect(ended == ["committed", "indeterminate", "refused"])
    }

    /// After a failed sync the system calls pages clean that the disk never got; a second sync that succeeds must not be believed.
    @Test func aFailedSyncIsNotForgotten() async throws {
        let bed = try FileEngineBed()
        await bed.acquire()
        _ = await bed.commit(1, [Batches.append(a, 0)])
        bed.with { $0.syncErrorsFrom = 0 }
        #expect(await bed.commit(2, [Batches.append(a, 1, valueBytes: 9_000)]).failure == .indeterminate)
        #expect(await bed.engine.resolved(2).failure?.isUnavailable == true)
        bed.with { $0.syncErrorsFrom = nil }
        #expect(await bed.commit(3, [Batches.append(a, 2)]).failure?.isUnavailable == true)
        #expect(try await bed.engine.resolved(2).get() == .committed)
        for seed in 1...20 {
            let left = bed.fileSystem.restarted(.power(seed: UInt64(seed)))
            let engine = try FileEngine(fileSystem: left, root: "/data", shards: 1, options: bed.options, logger: quiet)
            #expect(try await engine.acquired(epoch: 2).get()[a]?.end == Offset(2), "seed \(seed)")
            await engine.closed()
        }
        await bed.engine.closed()
    }

    /// Acquiring again, with the next epoch, is the other way out of a failed sync.
    @Test func acquiringAgainAfterAFailedSyncMakesDurableWhatItReports() async throws {
        let bed = try FileEngineBed()
        await bed.acquire()
        bed.with { $0.syncErrorsFrom = 0 }
        #expect(await bed.commit(1, [Batches.append(a, 0, valueBytes: 9_000)]).failure == .indeterminate)
        bed.with { $0.syncErrorsFrom = nil }
        let end = try await bed.acquire().get()[a]?.end ?? .zero
        for seed in 1...20 {
            let left = bed.fileSystem.restarted(.power(seed: UInt64(seed)))
            let engine = try FileEngine(fileSystem: left, root: "/data", shards: 1, options: bed.options, logger: quiet)
            #expect(try await engine.acquired(epoch: 3).get()[a]?.end ?? .zero == end, "seed \(seed)")
            await engine.closed()
        }
        await bed.engine.closed()
    }

    /// A checkpoint that fails beside the commits stops the shard too: what was only written is in doubt until it was written again.
    @Test func aFailedCheckpointStopsTheShard() async throws {
        let bed = try FileEngineBed {
            $0.checkpointsInBackground = true
            $0.checkpointBytes = 20_000
        }
        await bed.acquire()
        bed.with { $0.syncErrorsFrom = 0 }
        var next: Int64 = 0
        var refusal: LogError?
        while refusal == nil, next < 100_000 {
            refusal = await bed.commit(UInt64(next + 1), durable: false, [Batches.append(a, next, valueBytes: 9_000)]).failure
            if refusal == nil { next += 1 }
        }
        #expect(refusal?.isUnavailable == true)
        #expect(await bed.engine.resolved(1).failure?.isUnavailable == true)
        bed.with { $0.syncErrorsFrom = nil }
        #expect(try await bed.engine.resolved(UInt64(next)).get() == .committed)
        try await bed.restart(.power(seed: 11))
        #expect(try await bed.acquire().get()[a]?.end == Offset(next))
        #expect(try await bed.engine.allBatches(a).count == Int(next))
        await bed.engine.closed()
    }

    @Test func manyStreamsKeepFewFilesOpen() async throws {
        let bed = try FileEngineBed {
            $0.openFiles = 8
            $0.checkpointsInBackground = true
        }
        await bed.acquire()
        let streams = (0..<100).map { StreamID.test($0) }
        for round in 0..<3 {
            for (number, stream) in streams.enumerated() {
                _ = await bed.commit(UInt64(round * 100 + number + 1), durable: false, [Batches.append(stream, Int64(round))])
                #expect(bed.engine.openFileCount <= 8)
            }
        }
        for stream in streams { #expect(try await bed.engine.allBatches(stream).count == 3) }
        try await bed.restart(.process)
        #expect(try await bed.acquire().get().values.filter { $0.end == Offset(3) }.count == 100)
        await bed.engine.closed()
    }

    @Test func shortWritesAreContinued() async throws {
        let bed = try FileEngineBed()
        bed.with { $0.shortWrites = true }
        await bed.acquire()
        for number in 0..<20 {
            let appends = [a, b].map { Batches.append($0, Int64(number), valueBytes: 700) }
            #expect(try await bed.commit(UInt64(number + 1), appends).get() == .durable)
        }
        try await bed.restart(.power(seed: 2))
        #expect(try await bed.acquire().get()[a]?.end == Offset(20))
        #expect(try await bed.engine.allBatches(a).count == 20)
        await bed.engine.closed()
    }

    /// One sync for a frame of many small streams, one for a frame of one stream, one per large append.
    @Test func aFrameTakesAsFewSyncsAsItCan() async throws {
        let bed = try FileEngineBed()
        await bed.acquire()
        let streams = (0..<20).map { StreamID.test($0) }
        _ = await bed.commit(1, streams.map { Batches.append($0, 0) })
        _ = await bed.commit(2, [])
        let counter = SyncCounter()
        bed.with { $0.beforeSync = { counter.add() } }
        _ = await bed.commit(3, streams.map { Batches.append($0, 1) })
        #expect(counter.take() == 1)
        _ = await bed.commit(4, [Batches.append(a, 2)])
        #expect(counter.take() == 1)
        _ = await bed.commit(5, [Batches.append(a, 3, valueBytes: 50_000), Batches.append(b, 2), Batches.append(.test(2), 2)])
        #expect(counter.take() == 2)
        _ = await bed.commit(6, durable: false, streams.map { Batches.append($0, $0 == a ? 4 : $0 == b || $0 == .test(2) ? 3 : 2) })
        #expect(counter.take() == 0)
        await bed.engine.closed()
    }
}
