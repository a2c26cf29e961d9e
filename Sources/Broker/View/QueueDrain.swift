import Model
import Queues

/// How fast each partition of a queue with several drains: the queue is drained when its slowest one is, never at total ÷ rate.
///
/// ```
/// partition 0: 900 ready, -30/s → 30 s     1: 40 ready, -1/s → 40 s     the queue: 40 s
///                                          1: 40 ready,  0/s → never    the queue: never
/// ```
/// Priorities are drained one after the other by the same consumers, so that for them the queue's own net rate says it. Costs nothing for a
/// queue of one partition.
struct QueueDrain: Sendable {
    struct ETA: Sendable, Equatable {
        /// nil: never.
        var ms: Int64?
    }
    private var keys: [ShareKey] = []
    /// Ready messages of each partition, a point a second.
    private var trends: [SteppedRing<Float>] = []
    /// As of the last second.
    private var ready: [Float] = []
    /// Change of ready messages per second, by cursor as the sample has them; empty for a queue of one partition.
    private(set) var nets: [Double] = []

    /// A second has passed.
    mutating func tick(_ cursors: [CursorCounts], at tick: Int) {
        guard cursors.count > 1 else {
            if !keys.isEmpty { self = QueueDrain() }
            return
        }
        if keys.count != cursors.count || !zip(keys, cursors).allSatisfy({ $0 == $1.key }) {
            keys = cursors.map(\.key)
            trends = Array(repeating: SteppedRing(capacity: QueueTrack.netSeconds + 1), count: cursors.count)
            ready = cursors.map { Float($0.ready) }
            nets = Array(repeating: 0, count: cursors.count)
        }
        for index in cursors.indices {
            let now = Float(cursors[index].ready)
            trends[index].set(now, at: tick, since: ready[index])
            ready[index] = now
            let recent = trends[index].suffix(QueueTrack.netSeconds + 1, at: tick, now: now)
            nets[index] = recent.count > 1 ? Double((recent.last ?? 0) - (recent.first ?? 0)) / Double(recent.count - 1) : 0
        }
    }

    /// A partition's change of ready messages per second; nil when it came after the last second.
    func net(of key: ShareKey, at index: Int) -> Double? {
        keys.indices.contains(index) && keys[index] == key ? nets[index] : nil
    }

    /// The slowest partition's; nil for a queue of one.
    func slowest(_ cursors: [CursorCounts]) -> ETA? {
        guard nets.count == cursors.count, !nets.isEmpty else { return nil }
        var longest: Int64 = 0
        for (counts, net) in zip(cursors, nets) {
            guard let ms = Self.eta(ready: counts.ready, net: net).ms else { return ETA(ms: nil) }
            longest = max(longest, ms)
        }
        return ETA(ms: longest)
    }

    static func eta(ready: Int64, net: Double) -> ETA {
        guard ready > 0 else { return ETA(ms: 0) }
        guard net < -0.01 else { return ETA(ms: nil) }
        return ETA(ms: Int64(min(1e15, Double(ready) / -net * 1_000)))
    }
}
