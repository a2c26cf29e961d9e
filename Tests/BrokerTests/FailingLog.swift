import Model
import NIOCore
import Storage
import Synchronization

/// A memory engine whose commits fail while it is told so.
final class FailingLog: Log {
    private let engine = MemoryEngine()
    private let failure = Mutex<LogError?>(nil)
    /// Frames that wait; nil: none has to.
    private let stalled = Mutex<[@Sendable () -> Void]?>(nil)

    func fail(with error: LogError?) { failure.withLock { $0 = error } }

    /// Frames are neither written nor refused until ``goOn()``.
    func stall() { stalled.withLock { $0 = $0 ?? [] } }

    func goOn() {
        let waiting = stalled.withLock { stalled in
            defer { stalled = nil }
            return stalled ?? []
        }
        for commit in waiting { commit() }
    }

    var stalledFrames: Int { stalled.withLock { $0?.count ?? 0 } }

    var limits: LogLimits { engine.limits }

    func acquire(
        _ shard: ShardID, epoch: Epoch, done: @escaping @Sendable (Result<[StreamID: StreamExtent], LogError>) -> Void
    ) { engine.acquire(shard, epoch: epoch, done: done) }

    func commit(_ frame: Frame, shard: ShardID, progress: @escaping @Sendable (Result<CommitStage, LogError>) -> Void) {
        let isStalled = stalled.withLock { stalled in
            stalled?.append { self.commit(frame, shard: shard, progress: progress) }
            return stalled != nil
        }
        if isStalled { return }
        if let error = failure.withLock({ $0 }) { return progress(.failure(error)) }
        engine.commit(frame, shard: shard, progress: progress)
    }

    func resolve(_ frame: FrameID, shard: ShardID, done: @escaping @Sendable (Result<FrameFate, LogError>) -> Void) {
        engine.resolve(frame, shard: shard, done: done)
    }

    func sync(_ shard: ShardID, done: @escaping @Sendable (Result<Void, LogError>) -> Void) {
        if let error = failure.withLock({ $0 }) { return done(.failure(error)) }
        engine.sync(shard, done: done)
    }

    func locate(
        _ stream: StreamID, _ target: LocateTarget, later: @escaping @Sendable (Result<Located, LogError>) -> Void
    ) -> Result<Located, LogError>? { engine.locate(stream, target, later: later) }

    func read(
        _ stream: StreamID, at position: Position, maxBytes: Int, wantsRegion: Bool,
        later: @escaping @Sendable (Result<LogSlice, LogError>) -> Void
    ) -> Result<LogSlice, LogError>? {
        engine.read(stream, at: position, maxBytes: maxBytes, wantsRegion: wantsRegion, later: later)
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

    func close(done: @escaping @Sendable () -> Void) { engine.close(done: done) }
}
