import Model
import Synchronization

/// All streams of an engine, for readers on any thread.
final class StreamRegistry: Sendable {
    private struct State: Sendable {
        var logs: [StreamID: (log: SegmentedLog, shard: ShardID)] = [:]
        var lastNumber: UInt32 = 0
    }

    private let state = Mutex(State())

    func find(_ id: StreamID) -> SegmentedLog? { state.withLock { $0.logs[id]?.log } }

    func shard(of id: StreamID) -> ShardID? { state.withLock { $0.logs[id]?.shard } }

    func add(_ log: SegmentedLog, shard: ShardID) { state.withLock { $0.logs[log.id] = (log, shard) } }

    /// Removes the stream if it is still this log.
    func remove(_ log: SegmentedLog) {
        state.withLock { state in
            if state.logs[log.id]?.log === log { state.logs[log.id] = nil }
        }
    }

    func nextNumber() -> UInt32 {
        state.withLock { state in
            state.lastNumber += 1
            return state.lastNumber
        }
    }
}
