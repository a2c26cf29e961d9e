import Model
import Synchronization

/// What a shard must know of the others before it frees space: where copies lie that a start might still look for, and how much settled
/// data all queues keep together. Any thread.
///
/// ```
/// limit 100: settled 10, 30, 90 → each may keep 60: the largest gives first
///            settled 10, 80, 90 → 45
/// ```
final class SpaceLedger: Sendable {
    private struct State {
        /// Ends of target partitions when moves to them began.
        var moves: [PartitionID: [Offset]] = [:]
        var settledBytes: [PartitionID: Int64] = [:]
        /// Of all of these.
        var totalBytes: Int64 = 0
        /// Of these, what the disk or memory needs back.
        var wantedBytes: Int64 = 0

        mutating func note(_ bytes: Int64, of id: PartitionID) {
            totalBytes += bytes - (settledBytes[id] ?? 0)
            settledBytes[id] = bytes > 0 ? bytes : nil
        }
    }
    private let state = Mutex(State())
    let limitBytes: Int64

    /// - Parameter limitBytes: of settled messages of all queues together.
    init(limitBytes: Int64) { self.limitBytes = limitBytes }

    // MARK: Moves

    /// A move to `target` begins, whose end is `end`: until it has ended its copies must be found.
    func moveBegan(to target: PartitionID, at end: Offset) { state.withLock { $0.moves[target, default: []].append(end) } }

    func moveEnded(to target: PartitionID, at end: Offset) {
        state.withLock { state in
            guard let index = state.moves[target]?.firstIndex(of: end) else { return }
            state.moves[target]?.remove(at: index)
            if state.moves[target]?.isEmpty ?? true { state.moves[target] = nil }
        }
    }

    /// The first offset that open moves may have written to.
    func firstMoved(to target: PartitionID) -> Offset? { state.withLock { $0.moves[target]?.min() } }

    // MARK: Settled bytes

    func note(settledBytes: Int64, of id: PartitionID) {
        state.withLock { $0.note(max(0, settledBytes), of: id) }
    }

    func forget(_ id: PartitionID) {
        state.withLock { state in
            state.note(0, of: id)
            state.moves[id] = nil
        }
    }

    /// Settled data of all queues, as of the last look at their retention.
    var settledBytes: Int64 { state.withLock { $0.totalBytes } }

    /// Space is short: this much of what is settled is to be given back, whatever the limits allow.
    func wantsBack(_ bytes: Int64) { state.withLock { $0.wantedBytes = max(0, bytes) } }

    /// The most settled bytes that each queue may keep so that all together keep no more than the limit; nil while they do not.
    func shareBytes() -> Int64? {
        let (allowed, sizes): (Int64, [Int64]) = state.withLock { state in
            let allowed = min(limitBytes, max(0, state.totalBytes - state.wantedBytes))
            return (allowed, state.totalBytes > allowed ? state.settledBytes.values.sorted() : [])
        }
        var left = allowed
        for (index, size) in sizes.enumerated() {
            let share = left / Int64(sizes.count - index)
            if size > share { return share }
            left -= size
        }
        return nil
    }
}
