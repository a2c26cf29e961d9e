import Model
import NIOCore
import Synchronization
import Testing

@testable import Storage

/// One value that a callback delivers and a test awaits.
func result<T: Sendable>(_ start: (@escaping @Sendable (T) -> Void) -> Void) async -> T {
    await withCheckedContinuation { continuation in start { continuation.resume(returning: $0) } }
}

/// Batches for streams, with literal offsets and times.
enum Batches {
    /// One batch of `count` records from `base`, with values of `valueBytes` bytes; the last record has timestamp `time`.
    static func batch(_ base: Int64, count: Int = 1, time: Int64 = 1_000, valueBytes: Int = 10, fill: UInt8 = 0x61) -> ByteBuffer {
        var builder = RecordBatchBuilder(baseOffset: Offset(base))
        for index in 0..<count {
            let value = ByteBuffer(repeating: fill, count: valueBytes)
            builder.append(timestamp: Timestamp(ms: time - Int64(count - 1 - index)), value: value)
        }
        var batch = builder.finish()
        RecordBatchHeader.patch(&batch, baseOffset: Offset(base), leaderEpoch: 1)
        return batch
    }

    static func append(
        _ stream: StreamID, _ base: Int64, count: Int = 1, time: Int64 = 1_000, valueBytes: Int = 10, fill: UInt8 = 0x61
    ) -> Append {
        Append(
            stream: stream, base: Offset(base), next: Offset(base + Int64(count)), maxTimestamp: Timestamp(ms: time),
            bytes: batch(base, count: count, time: time, valueBytes: valueBytes, fill: fill))
    }
}

extension StreamID {
    /// Partition `index` of the one topic of these tests.
    static func test(_ index: Int32) -> StreamID {
        .partition(PartitionID(topic: TopicID(high: 0x0123_4567_89ab_cdef, low: 0x1122_3344_5566_7788), index: index))
    }
}

extension Log {
    func acquired(_ shard: Int = 0, epoch: Int32) async -> Result<[StreamID: StreamExtent], LogError> {
        await result { acquire(ShardID(shard), epoch: Epoch(epoch), done: $0) }
    }

    /// Commits and waits for the last stage (or the error).
    @discardableResult
    func committed(
        _ id: UInt64, epoch: Int32 = 1, durable: Bool = true, shard: Int = 0, _ appends: [Append]
    ) async -> Result<CommitStage, LogError> {
        let frame = Frame(id: FrameID(id), epoch: Epoch(epoch), appends: appends, durable: durable)
        return await result { done in
            commit(frame, shard: ShardID(shard)) { stage in
                if durable, case .success(.written) = stage { return }
                done(stage)
            }
        }
    }

    func synced(_ shard: Int = 0) async -> Result<Void, LogError> { await result { sync(ShardID(shard), done: $0) } }

    func located(_ stream: StreamID, _ target: LocateTarget) async -> Result<Located, LogError> {
        await result { done in
            if let ready = locate(stream, target, later: done) { done(ready) }
        }
    }

    func slice(_ stream: StreamID, at position: Position, maxBytes: Int = .max, wantsRegion: Bool = false) async -> Result<
        LogSlice, LogError
    > {
        await result { done in
            if let ready = read(stream, at: position, maxBytes: maxBytes, wantsRegion: wantsRegion, later: done) { done(ready) }
        }
    }

    func trimmed(_ stream: StreamID, before: Int64) async -> Result<StreamExtent, LogError> {
        await result { trim(stream, before: Offset(before), done: $0) }
    }

    func retained(_ stream: StreamID, olderThan: Int64? = nil, maxBytes: Int64? = nil) async -> Result<StreamExtent, LogError> {
        let retention = Retention(olderThan: olderThan.map { Timestamp(ms: $0) }, maxBytes: maxBytes)
        return await result { retain(stream, retention, done: $0) }
    }

    func freed(_ stream: StreamID, _ ranges: [Range<Int64>]) async -> Result<StreamExtent, LogError> {
        await result { free(stream, OffsetRanges(ranges.map { Offset($0.lowerBound)..<Offset($0.upperBound) }), done: $0) }
    }

    func dropped(_ stream: StreamID) async -> Result<Void, LogError> { await result { drop(stream, done: $0) } }

    func resolved(_ frame: UInt64, shard: Int = 0) async -> Result<FrameFate, LogError> {
        await result { resolve(FrameID(frame), shard: ShardID(shard), done: $0) }
    }

    func closed() async { _ = await result { (done: @escaping @Sendable (Bool) -> Void) in close { done(true) } } }

    /// Every batch of a stream from `start`, read slice by slice; checks that each is whole and that offsets follow one another, but for
    /// `holes`.
    func allBatches(
        _ stream: StreamID, maxBytes: Int = .max, wantsRegion: Bool = false, holes: OffsetRanges = OffsetRanges()
    ) async throws -> [RecordBatchHeader] {
        guard case .success(let first) = await located(stream, .offset(try await start(of: stream))) else { return [] }
        var position = first.position
        var headers: [RecordBatchHeader] = []
        while true {
            let slice = try await slice(stream, at: position, maxBytes: maxBytes, wantsRegion: wantsRegion).get()
            if slice.count == 0 { return headers }
            var bytes = try bytes(slice)
            while bytes.readableBytes > 0 {
                let header = try RecordBatchHeader.parse(bytes)
                let whole = bytes.readSlice(length: header.totalBytes)
                let batch = try #require(whole)
                #expect(batch.withUnsafeReadableBytes { header.checksumMatches($0) })
                if let last = headers.last {
                    #expect(header.baseOffset == last.nextOffset || holes.covers(last.nextOffset..<header.baseOffset))
                }
                headers.append(header)
            }
            if let last = headers.last?.nextOffset, let next = slice.nextOffset {
                #expect(last == next || holes.covers(last..<next))
            }
            position = try #require(slice.next)
        }
    }

    private func start(of stream: StreamID) async throws -> Offset {
        // A look-up below the start says where it is.
        guard case .failure(.outOfRange(let extent)) = await located(stream, .offset(Offset(-1))) else { return .zero }
        return extent.start
    }

    func bytes(_ slice: LogSlice) throws -> ByteBuffer {
        switch slice.content {
        case .bytes(let bytes): return bytes
        case .region(let region, let owner):
            defer { withExtendedLifetime(owner) {} }
            return try region.fileHandle.withUnsafeFileDescriptor { descriptor in
                try PosixBytes.read(descriptor, at: region.readerIndex, count: region.readableBytes)
            }
        }
    }
}

/// A clock that stands still until it is told.
final class TestClock: Clock {
    private let time: Mutex<Int64>

    init(_ ms: Int64 = 1_000_000) { time = Mutex(ms) }

    var now: Timestamp { Timestamp(ms: time.withLock { $0 }) }
    var monotonic: Monotonic { Monotonic(ns: UInt64(time.withLock { $0 }) * 1_000_000) }
    func advance(ms: Int64) { time.withLock { $0 += ms } }
}

/// Counts from any thread.
final class SyncCounter: Sendable {
    private let count = Mutex(0)

    func add() { count.withLock { $0 += 1 } }

    /// The count, which then starts again at 0.
    func take() -> Int {
        count.withLock { count in
            defer { count = 0 }
            return count
        }
    }
}
