import Control

/// What was shown in the last 15 minutes, for freeze and step.
///
/// The last minute is kept as it came, older instants five seconds apart: at most about 240 entries, each without its broker
/// history, which ``HistoryStore`` keeps once.
public struct SnapshotRing: Equatable, Sendable {
    public static let spanMs: Int64 = 15 * 60_000
    static let instantMs: Int64 = 200
    static let denseMs: Int64 = 60_000
    static let sparseStepMs: Int64 = 5_000
    /// Hard limit, for refresh intervals below a second.
    static let capacity = 480

    public private(set) var entries: [Snapshot] = []

    public init() {}

    public mutating func append(_ snapshot: Snapshot) {
        var slim = snapshot
        slim.history = History()
        let now = snapshot.broker.nowMs
        // A broker whose clock went back starts a new line of instants.
        if let last = entries.last, last.broker.nowMs > now { entries = [] }
        // Moving about asks again within one instant: the last answer stands for it.
        if let last = entries.last, now - last.broker.nowMs < Self.instantMs { entries.removeLast() }
        entries.append(slim)
        thin(now: now)
        entries.removeAll { now - $0.broker.nowMs > Self.spanMs }
        if entries.count > Self.capacity { entries.removeFirst(entries.count - Self.capacity) }
    }

    /// Drops the entry that just left the dense minute when its neighbour is too near.
    private mutating func thin(now: Int64) {
        guard let first = entries.firstIndex(where: { now - $0.broker.nowMs <= Self.denseMs }), first >= 2 else { return }
        let place = first - 1
        if entries[place].broker.nowMs - entries[place - 1].broker.nowMs < Self.sparseStepMs { entries.remove(at: place) }
    }

    /// The entry at or before an instant; the oldest when all are later.
    public func index(atMs ms: Int64) -> Int? {
        guard !entries.isEmpty else { return nil }
        return entries.lastIndex { $0.broker.nowMs <= ms } ?? 0
    }
}
