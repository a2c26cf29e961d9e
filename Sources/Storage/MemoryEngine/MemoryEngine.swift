import Model
import NIOCore
import Synchronization

/// An engine that keeps everything in memory (`--data memory`): for tests, trials and workloads that may lose their records.
///
/// *Durable* means *written* here. Streams last as long as the engine: acquiring a shard again finds them.
public final class MemoryEngine: Log {
    public let limits = LogLimits(entryBytes: 128 << 20, frameBytes: 8 << 20, expectedLatencyMs: 0)

    private struct State: Sendable {
        var streams: [StreamID: MemoryStream] = [:]
        var owners: [StreamID: ShardID] = [:]
        var epochs: [ShardID: Epoch] = [:]
        var fates: [ShardID: FrameFates] = [:]
    }

    /// Held for the length of one call; calls work on memory only.
    private let state = Mutex(State())
    private let thread = WorkThread(name: "memory-log")

    public init() {}

    deinit { thread.stop() }

    public func acquire(
        _ shard: ShardID, epoch: Epoch, done: @escaping @Sendable (Result<[StreamID: StreamExtent], LogError>) -> Void
    ) {
        thread.submit { [self] in
            done(
                state.withLock { state in
                    if let current = state.epochs[shard], current > epoch { return .failure(.fenced(current)) }
                    state.epochs[shard] = epoch
                    state.fates[shard] = FrameFates()
                    return .success(state.streams.filter { state.owners[$0.key] == shard }.mapValues(\.extent))
                })
        }
    }

    public func commit(_ frame: Frame, shard: ShardID, progress: @escaping @Sendable (Result<CommitStage, LogError>) -> Void) {
        thread.submit { [self] in
            let failure = state.withLock { Self.append(frame, shard, &$0) }
            if let failure { return progress(.failure(failure)) }
            progress(.success(.written))
            if frame.durable { progress(.success(.durable)) }
        }
    }

    private static func append(_ frame: Frame, _ shard: ShardID, _ state: inout State) -> LogError? {
        guard let epoch = state.epochs[shard] else { return .unavailable("shard \(shard) was not acquired") }
        if frame.epoch < epoch { return .fenced(epoch) }
        guard frame.epoch == epoch else { return .unavailable("shard \(shard) was not acquired for epoch \(frame.epoch)") }
        var ends: [StreamID: Offset] = [:]
        for append in frame.appends {
            let end = ends[append.stream] ?? state.streams[append.stream]?.end ?? append.base
            let owner = state.owners[append.stream] ?? shard
            let stream = state.streams[append.stream] ?? MemoryStream(base: end)
            guard owner == shard, stream.accepts(append, at: end) else {
                state.fates[shard]?.refuse(frame.id)
                return .unavailable(
                    "\(append.stream) of shard \(owner) ends at offset \(end); what begins at \(append.base) does not fit on to it")
            }
            ends[append.stream] = append.next
        }
        for append in frame.appends {
            state.owners[append.stream] = shard
            state.streams[append.stream, default: MemoryStream(base: append.base)].append(append)
        }
        state.fates[shard]?.commit(frame.id)
        return nil
    }

    public func resolve(_ frame: FrameID, shard: ShardID, done: @escaping @Sendable (Result<FrameFate, LogError>) -> Void) {
        thread.submit { [self] in
            let fate = state.withLock { $0.fates[shard]?.fate(frame) }
            done(fate.map { .success($0) } ?? .failure(.unavailable("shard \(shard) was not acquired")))
        }
    }

    public func sync(_ shard: ShardID, done: @escaping @Sendable (Result<Void, LogError>) -> Void) {
        thread.submit { [self] in
            let isAcquired = state.withLock { $0.epochs[shard] != nil }
            done(isAcquired ? .success(()) : .failure(.unavailable("shard \(shard) was not acquired")))
        }
    }

    public func locate(
        _ stream: StreamID, _ target: LocateTarget, later: @escaping @Sendable (Result<Located, LogError>) -> Void
    ) -> Result<Located, LogError>? {
        state.withLock { $0.streams[stream]?.locate(target) } ?? .failure(.unknownStream)
    }

    public func read(
        _ stream: StreamID, at position: Position, maxBytes: Int, wantsRegion: Bool,
        later: @escaping @Sendable (Result<LogSlice, LogError>) -> Void
    ) -> Result<LogSlice, LogError>? {
        state.withLock { $0.streams[stream]?.read(at: position, maxBytes: maxBytes) } ?? .failure(.unknownStream)
    }

    public func trim(_ stream: StreamID, before: Offset, done: @escaping @Sendable (Result<StreamExtent, LogError>) -> Void) {
        remove(stream, done) { .trim($0, before: before) }
    }

    public func retain(_ stream: StreamID, _ retention: Retention, done: @escaping @Sendable (Result<StreamExtent, LogError>) -> Void) {
        remove(stream, done) { .retain($0, retention) }
    }

    private func remove(
        _ stream: StreamID, _ done: @escaping @Sendable (Result<StreamExtent, LogError>) -> Void,
        decide: @escaping @Sendable ([Segment]) -> RetentionDecision
    ) {
        thread.submit { [self] in
            let extent = state.withLock { state -> StreamExtent? in
                guard let segments = state.streams[stream]?.segments else { return nil }
                state.streams[stream]?.remove(decide(segments))
                return state.streams[stream]?.extent
            }
            done(extent.map { .success($0) } ?? .failure(.unknownStream))
        }
    }

    public func free(_ stream: StreamID, _ ranges: OffsetRanges, done: @escaping @Sendable (Result<StreamExtent, LogError>) -> Void) {
        thread.submit { [self] in
            let extent = state.withLock { state -> StreamExtent? in
                state.streams[stream]?.free(ranges)
                return state.streams[stream]?.extent
            }
            done(extent.map { .success($0) } ?? .failure(.unknownStream))
        }
    }

    /// Chunks are as they are.
    public func setUnits(_ units: StreamUnits, of stream: StreamID, shard: ShardID) {}

    public func drop(_ stream: StreamID, done: @escaping @Sendable (Result<Void, LogError>) -> Void) {
        thread.submit { [self] in
            let known = state.withLock { state in
                state.owners[stream] = nil
                return state.streams.removeValue(forKey: stream) != nil
            }
            done(known ? .success(()) : .failure(.unknownStream))
        }
    }

    public func close(done: @escaping @Sendable () -> Void) {
        thread.submit(done)
        thread.stop()
    }
}
