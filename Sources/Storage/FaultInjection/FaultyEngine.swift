import Model
import NIOCore
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// An engine that behaves like a bad remote one: every answer takes its time, no read is answered at once, and commits end `indeterminate`
/// now and then, whether they were done or not. What the engine beneath holds stays true.
public final class FaultyEngine: Log {
    public struct Faults: Sendable {
        /// Time that every call takes (a remote engine: 400 ms on a bad day).
        public var delayMs: UInt32 = 0
        /// Of 100 commits, how many are done but reported `indeterminate`.
        public var lostAnswerPercent = 0
        /// Of 100 commits, how many never arrive and are reported `indeterminate`.
        public var lostFramePercent = 0
        /// Whether reads and look-ups always complete by `later`.
        public var remoteReads = true

        public init() {}
    }

    private struct State: Sendable {
        var faults: Faults
        var random: SeededRandom
    }

    private let base: any Log
    private let state: Mutex<State>
    private let thread = WorkThread(name: "faulty-log")

    public init(_ base: any Log, seed: UInt64 = 1, faults: Faults = Faults()) {
        self.base = base
        state = Mutex(State(faults: faults, random: SeededRandom(seed: seed)))
    }

    deinit { thread.stop() }

    public var faults: Faults {
        get { state.withLock { $0.faults } }
        set { state.withLock { $0.faults = newValue } }
    }

    public var limits: LogLimits {
        var limits = base.limits
        limits.expectedLatencyMs = Int(faults.delayMs)
        return limits
    }

    /// Another owner takes the shard: whoever has it now is fenced at its next commit.
    public func usurp(_ shard: ShardID, epoch: Epoch, done: @escaping @Sendable (Result<[StreamID: StreamExtent], LogError>) -> Void) {
        base.acquire(shard, epoch: epoch, done: done)
    }

    private func late(_ body: @escaping @Sendable () -> Void) {
        thread.submit { [self] in
            let ms = faults.delayMs
            if ms > 0 { usleep(ms * 1_000) }
            body()
        }
    }

    public func acquire(
        _ shard: ShardID, epoch: Epoch, done: @escaping @Sendable (Result<[StreamID: StreamExtent], LogError>) -> Void
    ) {
        late { [base] in base.acquire(shard, epoch: epoch, done: done) }
    }

    public func commit(_ frame: Frame, shard: ShardID, progress: @escaping @Sendable (Result<CommitStage, LogError>) -> Void) {
        let (roll, faults) = state.withLock { ($0.random.below(100), $0.faults) }
        late { [base] in
            if roll < faults.lostFramePercent { return progress(.failure(.indeterminate)) }
            guard roll < faults.lostFramePercent + faults.lostAnswerPercent else {
                return base.commit(frame, shard: shard, progress: progress)
            }
            base.commit(frame, shard: shard) { result in
                switch result {
                case .success(.written) where frame.durable: break
                case .success: progress(.failure(.indeterminate))
                // A fence is a definite answer.
                case .failure(let error): progress(.failure(error))
                }
            }
        }
    }

    public func resolve(_ frame: FrameID, shard: ShardID, done: @escaping @Sendable (Result<FrameFate, LogError>) -> Void) {
        late { [base] in base.resolve(frame, shard: shard, done: done) }
    }

    public func sync(_ shard: ShardID, done: @escaping @Sendable (Result<Void, LogError>) -> Void) {
        late { [base] in base.sync(shard, done: done) }
    }

    public func locate(
        _ stream: StreamID, _ target: LocateTarget, later: @escaping @Sendable (Result<Located, LogError>) -> Void
    ) -> Result<Located, LogError>? {
        guard faults.remoteReads else { return base.locate(stream, target, later: later) }
        late { [base] in
            if let ready = base.locate(stream, target, later: later) { later(ready) }
        }
        return nil
    }

    public func read(
        _ stream: StreamID, at position: Position, maxBytes: Int, wantsRegion: Bool,
        later: @escaping @Sendable (Result<LogSlice, LogError>) -> Void
    ) -> Result<LogSlice, LogError>? {
        guard faults.remoteReads else {
            return base.read(stream, at: position, maxBytes: maxBytes, wantsRegion: wantsRegion, later: later)
        }
        late { [base] in
            let ready = base.read(stream, at: position, maxBytes: maxBytes, wantsRegion: false, later: later)
            if let ready { later(ready) }
        }
        return nil
    }

    public func trim(_ stream: StreamID, before: Offset, done: @escaping @Sendable (Result<StreamExtent, LogError>) -> Void) {
        late { [base] in base.trim(stream, before: before, done: done) }
    }

    public func retain(_ stream: StreamID, _ retention: Retention, done: @escaping @Sendable (Result<StreamExtent, LogError>) -> Void) {
        late { [base] in base.retain(stream, retention, done: done) }
    }

    public func free(_ stream: StreamID, _ ranges: OffsetRanges, done: @escaping @Sendable (Result<StreamExtent, LogError>) -> Void) {
        late { [base] in base.free(stream, ranges, done: done) }
    }

    public func setUnits(_ units: StreamUnits, of stream: StreamID, shard: ShardID) {
        base.setUnits(units, of: stream, shard: shard)
    }

    public func drop(_ stream: StreamID, done: @escaping @Sendable (Result<Void, LogError>) -> Void) {
        late { [base] in base.drop(stream, done: done) }
    }

    public func close(done: @escaping @Sendable () -> Void) {
        late { [base] in base.close(done: done) }
        thread.stop()
    }
}
