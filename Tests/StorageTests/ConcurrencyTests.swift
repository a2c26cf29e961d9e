import Model
import NIOCore
import Testing

@testable import Storage

/// Readers on several threads beside the disk thread: nothing torn, nothing skipped, nothing beyond what was written.
@Suite struct ConcurrencyTests {
    private let a = StreamID.test(0)
    private static let frames = 1_500

    @Test(arguments: [true, false]) func readersFollowAWriter(_ onDisk: Bool) async throws {
        var options = FileEngineOptions()
        options.segmentBytes = 60_000
        options.checkpointBytes = 30_000
        options.indexBytes = 500
        options.openFiles = 4
        let directory = try TemporaryDirectory()
        let engine: any Log = onDisk ? try FileEngine(root: directory.path, shards: 1, options: options, logger: quiet) : MemoryEngine()
        _ = await engine.acquired(epoch: 1)
        _ = try await engine.committed(1, [Batches.append(a, 0)]).get()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await write(engine) }
            for wantsRegion in [false, true] { group.addTask { try await follow(engine, wantsRegion: wantsRegion) } }
            for seed in 1...2 { group.addTask { try await look(engine, seed: UInt64(seed)) } }
            try await group.waitForAll()
        }
        let extent = try await engine.trimmed(a, before: 0).get()
        #expect(extent.end == Offset(Int64(Self.frames)))
        await engine.closed()
        withExtendedLifetime(directory) {}
    }

    private func write(_ engine: any Log) async throws {
        for number in 1..<Self.frames {
            let append = Batches.append(a, Int64(number), time: Int64(number), valueBytes: number % 37 == 0 ? 20_000 : number % 300)
            _ = try await engine.committed(UInt64(number + 1), durable: number % 50 == 0, [append]).get()
        }
    }

    private func follow(_ engine: any Log, wantsRegion: Bool) async throws {
        var position = try await engine.located(a, .offset(Offset(0))).get().position
        var next: Int64 = 0
        while next < Int64(Self.frames) {
            let slice = try await engine.slice(a, at: position, maxBytes: 30_000, wantsRegion: wantsRegion).get()
            var bytes = try engine.bytes(slice)
            while bytes.readableBytes > 0 {
                let header = try RecordBatchHeader.parse(bytes)
                let whole = bytes.readSlice(length: header.totalBytes)
                let batch = try #require(whole)
                guard header.baseOffset.value == next, batch.withUnsafeReadableBytes({ header.checksumMatches($0) }) else {
                    Issue.record("offset \(header.baseOffset) where \(next) is expected")
                    return
                }
                next += 1
            }
            position = try #require(slice.next)
            #expect(slice.nextOffset == Offset(next))
            if slice.count == 0 { try await Task.sleep(for: .milliseconds(1)) }
        }
    }

    private func look(_ engine: any Log, seed: UInt64) async throws {
        var random = SeededRandom(seed: seed)
        var end: Int64 = 1
        while end < Int64(Self.frames) {
            end = max(end, try await engine.located(a, .maxTimestamp).get().header.nextOffset.value)
            let target = Int64(random.below(Int(end)))
            #expect(try await engine.located(a, .offset(Offset(target))).get().header.baseOffset == Offset(target))
            let found = try await engine.located(a, .timestamp(Timestamp(ms: max(1, target)))).get().header
            #expect(found.maxTimestamp >= Timestamp(ms: max(1, target)))
            // Look-ups that are answered at once never give the thread away.
            try await Task.sleep(for: .milliseconds(1))
        }
    }

    /// Trimming runs against readers: they see the data or are told that it is gone.
    @Test func readersSeeTrimsAsOutOfRange() async throws {
        var options = FileEngineOptions()
        options.segmentBytes = 5_000
        let directory = try TemporaryDirectory()
        let engine = try FileEngine(root: directory.path, shards: 1, options: options, logger: quiet)
        _ = await engine.acquired(epoch: 1)
        for number in 0..<200 {
            _ = await engine.committed(UInt64(number + 1), durable: false, [Batches.append(a, Int64(number), valueBytes: 500)])
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { for before in stride(from: Int64(0), through: 200, by: 5) { _ = await engine.trimmed(a, before: before) } }
            for seed in 1...3 {
                group.addTask {
                    var random = SeededRandom(seed: UInt64(seed))
                    for _ in 0..<500 {
                        let target = Offset(Int64(random.below(200)))
                        switch await engine.located(a, .offset(target)) {
                        case .success(let located): #expect(located.header.baseOffset == target)
                        case .failure(let error): #expect(error.isOutOfRange, "\(error)")
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(try await engine.trimmed(a, before: 0).get().start == Offset(200))
        await engine.closed()
        withExtendedLifetime(directory) {}
    }
}
