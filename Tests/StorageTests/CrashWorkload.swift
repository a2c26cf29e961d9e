import Model
import NIOCore
import Testing

@testable import Storage

/// A workload over one shard and a store that remembers what it was promised, so that a restart can be held against it.
final class CrashWorkload {
    /// What was asked of, and promised for, one stream.
    struct Expectation {
        /// Checksums ever sent for a batch, by its base offset.
        var sent: [Int64: Set<UInt32>] = [:]
        var end: Int64
        var writtenEnd: Int64
        var durableEnd: Int64
        var trimmedBefore: Int64
        var freed = OffsetRanges()
        var dropAsked = false
        var dropDone = false

        init(start: Int64) {
            end = start
            writtenEnd = start
            durableEnd = start
            trimmedBefore = start
        }
    }

    static let streams: [StreamID] = (0..<5).map { StreamID.test($0) } + [.facts(ShardID(0), .groups)]

    let fileSystem: FaultyFileSystem
    private(set) var expected: [StreamID: Expectation] = [:]
    private(set) var storeSent: [String: [String]] = [:]
    private(set) var storePromised: [String: String] = [:]
    private var random: SeededRandom
    private var frame: UInt64 = 0

    let options: FileEngineOptions

    static func options(background: Bool) -> FileEngineOptions {
        var options = FileEngineOptions()
        options.segmentBytes = 4_000
        options.redoBytes = 400
        options.checkpointBytes = 12_000
        options.journalBytes = 6_000
        options.checkpointMs = nil
        options.checkpointsInBackground = background
        options.openFiles = 4
        options.rewriteBytes = 300
        options.indexBytes = 64
        return options
    }

    /// - Parameter background: whether commits go on during checkpoints; then no two runs are quite the same.
    init(fileSystem: FaultyFileSystem, seed: UInt64, background: Bool = false) {
        options = Self.options(background: background)
        self.fileSystem = fileSystem
        random = SeededRandom(seed: seed)
    }

    /// Runs until the end or until the machine stops.
    func run(frames: Int) async {
        guard let engine = try? FileEngine(fileSystem: fileSystem, root: "/data", shards: 1, options: options, logger: quiet) else {
            return
        }
        if case .success = await engine.acquired(epoch: 1) { await run(engine, frames: frames) }
        if !fileSystem.isDown { await engine.closed() }
    }

    /// A start and nothing more.
    func start(_ fileSystem: FaultyFileSystem) async {
        guard let engine = try? FileEngine(fileSystem: fileSystem, root: "/data", shards: 1, options: options, logger: quiet) else {
            return
        }
        _ = await engine.acquired(epoch: 2)
        await engine.closed()
    }

    private func run(_ engine: FileEngine, frames: Int) async {
        let store = try? FileStore(fileSystem: fileSystem, root: "/data/store", clock: TestClock(), logger: quiet)
        for number in 0..<frames where !fileSystem.isDown {
            await commit(engine)
            if number % 4 == 3, let store { await change(store) }
            if number % 9 == 8 { await trim(engine) }
            if number % 4 == 2 { await free(engine) }
            if number % 13 == 12 {
                if number % 2 == 0 {
                    let durable = Frame(id: nextFrame(), epoch: Epoch(1), appends: [], durable: true)
                    let outcome = await engine.committed(durable.id.value, [])
                    if case .success = outcome { promiseAllWritten() }
                } else if case .success = await engine.synced() {
                    promiseAllWritten()
                }
            }
        }
        if !fileSystem.isDown { await drop(engine) }
        await store?.close()
    }

    private func promiseAllWritten() {
        for (id, expectation) in expected { expected[id]?.durableEnd = expectation.writtenEnd }
    }

    private func nextFrame() -> FrameID {
        frame += 1
        return FrameID(frame)
    }

    private func commit(_ engine: FileEngine) async {
        var appends: [Append] = []
        var wanted: Set<StreamID> = []
        for stream in Self.streams where random.below(2) == 0 {
            // Some only happen to be in a durable frame.
            let needsSync = random.below(4) > 0
            if needsSync { wanted.insert(stream) }
            var expectation = expected[stream] ?? Expectation(start: stream == .test(2) ? 40 : 0)
            for _ in 0...random.below(2) {
                let count = 1 + random.below(3)
                // Mostly small; some appends too large for the journal, a few of several index intervals.
                let bytes = [20, 60, 500, 2_600][random.below(10) < 6 ? random.below(2) : 2 + random.below(2)]
                var append = Batches.append(
                    stream, expectation.end, count: count, time: 1_000 + Int64(random.below(9_000)), valueBytes: bytes / count,
                    fill: UInt8(random.below(256)))
                let crc = append.bytes.getInteger(at: append.bytes.readerIndex + 17, as: UInt32.self) ?? 0
                expectation.sent[expectation.end, default: []].insert(crc)
                expectation.end = append.next.value
                append.needsSync = needsSync
                appends.append(append)
            }
            expected[stream] = expectation
        }
        let durable = random.below(3) > 0
        let id = nextFrame()
        let ends = expected.mapValues(\.end)
        let touched = Set(appends.map(\.stream))
        let outcomes = await stages(engine, Frame(id: id, epoch: Epoch(1), appends: appends, durable: durable))
        for stream in touched {
            if outcomes.contains(.written) { expected[stream]?.writtenEnd = ends[stream] ?? 0 }
            if outcomes.contains(.durable), wanted.contains(stream) { expected[stream]?.durableEnd = ends[stream] ?? 0 }
        }
    }

    /// The stages that a frame reached.
    private func stages(_ engine: FileEngine, _ frame: Frame) async -> [CommitStage] {
        let (stream, continuation) = AsyncStream.makeStream(of: CommitStage.self)
        engine.commit(frame, shard: ShardID(0)) { progress in
            switch progress {
            case .success(let stage):
                continuation.yield(stage)
                if stage == .durable || !frame.durable { continuation.finish() }
            case .failure: continuation.finish()
            }
        }
        var stages: [CommitStage] = []
        for await stage in stream { stages.append(stage) }
        return stages
    }

    private func trim(_ engine: FileEngine) async {
        let stream = Self.streams[random.below(3)]
        guard let expectation = expected[stream] else { return }
        // Sometimes everything, so that the active segment is rolled away too.
        let before = random.below(3) == 0 ? expectation.writtenEnd : (expectation.trimmedBefore + expectation.writtenEnd) / 2
        expected[stream]?.trimmedBefore = max(before, expectation.trimmedBefore)
        _ = await engine.trimmed(stream, before: before)
    }

    /// Some stretches of what was written, and all but a little of it now and then.
    private func free(_ engine: FileEngine) async {
        let stream = Self.streams[random.below(3)]
        guard let expectation = expected[stream] else { return }
        let (first, end) = (expectation.trimmedBefore, expectation.writtenEnd)
        guard end - first > 4 else { return }
        var ranges = OffsetRanges()
        if random.below(3) == 0 {
            let kept = first + Int64(random.below(Int(end - first)))
            ranges = OffsetRanges([Offset(first)..<Offset(kept), Offset(kept + 1)..<Offset(max(kept + 1, end))])
        } else {
            for _ in 0..<3 {
                let from = first + Int64(random.below(Int(end - first)))
                ranges.insert(Offset(from)..<Offset(min(end, from + 1 + Int64(random.below(30)))))
            }
        }
        expected[stream]?.freed = expectation.freed.union(ranges)
        _ = await result { engine.free(stream, ranges, done: $0) }
    }

    private func drop(_ engine: FileEngine) async {
        for stream in [StreamID.test(3), .test(4)] where expected[stream] != nil && !fileSystem.isDown {
            expected[stream]?.dropAsked = true
            if case .success = await engine.dropped(stream) { expected[stream]?.dropDone = true }
        }
    }

    private func change(_ store: FileStore) async {
        let key = "topics/t\(random.below(4))"
        let value = "value-\(frame)-\(random.below(1_000))"
        storeSent[key, default: []].append(value)
        if (try? await store.put(key, ByteBuffer(string: value))) != nil { storePromised[key] = value }
        if random.below(3) == 0 {
            storeSent["blob", default: []].append(value)
            if (try? await store.putBlob("blob", ByteBuffer(string: value))) != nil { storePromised["blob"] = value }
        }
    }
}
