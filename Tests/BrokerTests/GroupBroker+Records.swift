import Dispatch
import Model
import NIOCore
import NIOPosix
import Storage
import Synchronization

@testable import Broker

extension GroupBroker {
    /// A topic with one partition.
    func topic(_ name: String) async throws -> PartitionID {
        try await broker.createTopic(name, partitions: 1, config: .defaults).partitionIDs[0]
    }

    func produce(_ id: PartitionID, _ batch: ByteBuffer) async throws -> ProduceResult {
        let header = try RecordBatchHeader.parse(batch)
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        return await withCheckedContinuation { continuation in
            broker.shard(of: id).produce(
                [ProduceItem(slot: 0, partition: id, header: header, batch: batch)], wants: .durable, replyLoop: loop
            ) { continuation.resume(returning: $0[0]) }
        }
    }

    func fetch(_ id: PartitionID, at offset: Int64, waiter: FetchWaiter? = nil) async throws -> FetchPart {
        let item = FetchItem(slot: 0, partition: id, offset: Offset(offset), maxBytes: 1 << 20)
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        return await withCheckedContinuation { continuation in
            broker.shard(of: id).fetch(
                [item], maxBytes: 1 << 20, minBytes: 1, wantsRegion: false, waiter: waiter, replyLoop: loop
            ) { continuation.resume(returning: $0[0]) }
        }
    }

    /// The values of the records in a part.
    func values(_ part: FetchPart) throws -> [String] {
        guard let slice = part.slice, case .bytes(var bytes) = slice.content else { return [] }
        var values: [String] = []
        while bytes.readableBytes > 0 {
            let header = try RecordBatchHeader.parse(bytes)
            guard var batch = bytes.readSlice(length: header.totalBytes) else { break }
            batch.moveReaderIndex(forwardBy: RecordBatchHeader.size)
            values += try Record.readAll(header: header, records: batch).map { String(buffer: $0.value ?? ByteBuffer()) }
        }
        return values
    }

    func endOfEpoch(_ id: PartitionID, _ epoch: Int32) async -> (Int32, Offset) {
        await withCheckedContinuation { continuation in
            broker.shard(of: id).endOfEpoch(of: id, epoch: epoch, currentEpoch: -1) { continuation.resume(returning: ($1, $2)) }
        }
    }
}

final class Woken: Sendable {
    private let state = Mutex(false)
    var isSet: Bool { state.withLock { $0 } }
    func set() { state.withLock { $0 = true } }
}

/// An engine that outlives its broker, and fails a commit when told.
final class SharedLog: Log {
    private let engine: any Log
    private let failure = Mutex<LogError?>(nil)
    private let race = Mutex<OffsetRanges?>(nil)

    private let moved = Mutex<(stream: StreamID, from: Offset, to: Offset)?>(nil)

    init(_ engine: any Log) { self.engine = engine }

    /// From now on the batch of a stream that begins with offset `from` says that it begins with `to`: a bit of it has turned over.
    func moveBatch(of stream: StreamID, from: Offset, to: Offset) { moved.withLock { $0 = (stream, from, to) } }

    /// Between the next look-up in a partition and the read that follows, these offsets are freed.
    func freeBehindNextLookUp(_ ranges: OffsetRanges) { race.withLock { $0 = ranges } }

    private let slow = Mutex<(stream: StreamID, from: Offset, reached: @Sendable () -> Void)?>(nil)
    /// Look-ups that wait.
    let slowLookUps = Atomic(0)

    /// The next look-up of a stream at `from` or behind it calls `reached` and takes its time.
    func delayLookUp(of stream: StreamID, from: Offset, reached: @escaping @Sendable () -> Void) {
        slow.withLock { $0 = (stream, from, reached) }
    }

    private func isSlow(_ stream: StreamID, _ target: LocateTarget) -> (@Sendable () -> Void)? {
        guard case .offset(let offset) = target else { return nil }
        return slow.withLock { slow in
            guard let wanted = slow, wanted.stream == stream, offset >= wanted.from else { return nil }
            slow = nil
            return wanted.reached
        }
    }

    /// The next commit fails: nothing of it is written, except `indeterminate`, which writes and loses the answer.
    func failNext(_ error: LogError) { failure.withLock { $0 = error } }

    var limits: LogLimits { engine.limits }

    func acquire(_ shard: ShardID, epoch: Epoch, done: @escaping @Sendable (Result<[StreamID: StreamExtent], LogError>) -> Void) {
        engine.acquire(shard, epoch: epoch, done: done)
    }

    func commit(_ frame: Frame, shard: ShardID, progress: @escaping @Sendable (Result<CommitStage, LogError>) -> Void) {
        let error = failure.withLock { failure in
            defer { failure = nil }
            return failure
        }
        switch error {
        case nil: engine.commit(frame, shard: shard, progress: progress)
        case .indeterminate?: engine.commit(frame, shard: shard) { _ in progress(.failure(.indeterminate)) }
        case let error?: progress(.failure(error))
        }
    }

    func resolve(_ frame: FrameID, shard: ShardID, done: @escaping @Sendable (Result<FrameFate, LogError>) -> Void) {
        engine.resolve(frame, shard: shard, done: done)
    }

    func sync(_ shard: ShardID, done: @escaping @Sendable (Result<Void, LogError>) -> Void) { engine.sync(shard, done: done) }

    func locate(
        _ stream: StreamID, _ target: LocateTarget, later: @escaping @Sendable (Result<Located, LogError>) -> Void
    ) -> Result<Located, LogError>? {
        if let reached = isSlow(stream, target) {
            slowLookUps.add(1, ordering: .sequentiallyConsistent)
            reached()
            DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(500)) {
                self.slowLookUps.subtract(1, ordering: .sequentiallyConsistent)
                if let found = self.engine.locate(stream, target, later: later) { later(found) }
            }
            return nil
        }
        let found = engine.locate(stream, target, later: later)
        guard case .partition = stream, let ranges = race.withLock({ $0.take() }) else { return found }
        let freed = DispatchSemaphore(value: 0)
        engine.free(stream, ranges) { _ in freed.signal() }
        freed.wait()
        return found
    }

    func read(
        _ stream: StreamID, at position: Position, maxBytes: Int, wantsRegion: Bool,
        later: @escaping @Sendable (Result<LogSlice, LogError>) -> Void
    ) -> Result<LogSlice, LogError>? {
        let read = engine.read(stream, at: position, maxBytes: maxBytes, wantsRegion: wantsRegion, later: later)
        guard let moved = moved.withLock({ $0 }), moved.stream == stream, case .success(var slice)? = read,
            case .bytes(var bytes) = slice.content
        else { return read }
        var batch = bytes.readerIndex
        while let base: Int64 = bytes.getInteger(at: batch), let length: Int32 = bytes.getInteger(at: batch + 8) {
            if base == moved.from.value { bytes.setInteger(moved.to.value, at: batch) }
            batch += 12 + Int(length)
        }
        slice.content = .bytes(bytes)
        return .success(slice)
    }

    func trim(_ stream: StreamID, before: Offset, done: @escaping @Sendable (Result<StreamExtent, LogError>) -> Void) {
        engine.trim(stream, before: before, done: done)
    }

    func retain(_ stream: StreamID, _ retention: Retention, done: @escaping @Sendable (Result<StreamExtent, LogError>) -> Void) {
        engine.retain(stream, retention, done: done)
    }

    func free(_ stream: StreamID, _ ranges: OffsetRanges, done: @escaping @Sendable (Result<StreamExtent, LogError>) -> Void) {
        engine.free(stream, ranges, done: done)
    }

    func setUnits(_ units: StreamUnits, of stream: StreamID, shard: ShardID) { engine.setUnits(units, of: stream, shard: shard) }

    func drop(_ stream: StreamID, done: @escaping @Sendable (Result<Void, LogError>) -> Void) { engine.drop(stream, done: done) }

    /// The engine stays: the next broker takes it over.
    func close(done: @escaping @Sendable () -> Void) { done() }
}
