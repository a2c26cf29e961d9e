import Control
import Groups
import Model
import Synchronization

/// What the shards counted, turned into rates and history once a second. Counts are brought up to the moment by every snapshot too: shards
/// tell only of what changed. All of it is behind one lock; looks at the shards come in one by one, through the gate.
public final class Statistics: Sendable {
    struct State: Sendable {
        var topics = TopicTracks()
        var queues = QueueTracks()
        var groups = GroupHistory()
        var totals = Totals()
        var recordsIn: Int64 = 0
        var recordsOut: Int64 = 0
        var bytesIn: Int64 = 0
        var bytesOut: Int64 = 0
        var inHistory = Ring<Double>(capacity: 900)
        var outHistory = Ring<Double>(capacity: 900)
        var backlogHistory = Ring<Double>(capacity: 900)
        var sampledAt: Monotonic?
        var endMs: Int64 = 0
        var cpuNs: UInt64 = 0
        var cpuCores: Double?
        /// Queue totals, a point a second, in step with the other histories.
        var queueHistory = Ring<QueueTotals>(capacity: 900)
    }

    let startedAt: Timestamp
    let startedMonotonic: Monotonic
    let state = Mutex(State())
    /// One look at the shards at a time, so that a later one is never overwritten by an earlier.
    let gate = AsyncGate()
    /// Requests answered with an error, malformed frames, and open connections: counted by the doors.
    public let errors = Atomic<Int>(0)
    public let malformed = Atomic<Int>(0)
    public let connections = Atomic<Int>(0)
    let isSampling = Atomic(false)

    init(startedAt: Timestamp, startedMonotonic: Monotonic) {
        self.startedAt = startedAt
        self.startedMonotonic = startedMonotonic
    }

    /// A second has passed.
    func tick(_ second: Second) {
        state.withLock { $0.tick(second) }
    }

    /// What is known once a second besides what changed on the shards.
    struct Second: Sendable {
        var groups: [GroupSample]
        /// How many queues keep a point a second.
        var busiestQueues: Int
        var cpuNs: UInt64
        var now: Timestamp
        var monotonic: Monotonic
    }
}

extension Statistics.State {
    mutating func tick(_ second: Statistics.Second) {
        let seconds = sampledAt.map { Double(second.monotonic.ns - $0.ns) / 1e9 } ?? 1
        guard seconds > 0.05 else { return }
        topics.tick(seconds: seconds)
        groups.take(second.groups, now: second.now, monotonic: second.monotonic)
        queues.tick(seconds: seconds, busiest: second.busiestQueues)
        takeTotals(seconds: seconds, isFirst: sampledAt == nil)
        if sampledAt != nil { cpuCores = Double(second.cpuNs &- cpuNs) / 1e9 / seconds }
        cpuNs = second.cpuNs
        sampledAt = second.monotonic
        endMs = second.now.ms
    }

    private mutating func takeTotals(seconds: Double, isFirst: Bool) {
        let before = totals
        totals.inRate = topics.inRate
        totals.outRate = topics.outRate
        totals.inBytesRate = topics.inBytesRate
        totals.outBytesRate = isFirst ? 0 : Double(topics.through.bytesOut - bytesOut) / seconds
        recordsIn = topics.through.recordsIn
        bytesIn = topics.through.bytesIn
        recordsOut = topics.through.recordsOut
        bytesOut = topics.through.bytesOut
        totals.lag = groups.totalLag
        totals.lagRate = isFirst ? 0 : Double(totals.lag - before.lag) / seconds
        inHistory.append(totals.inRate)
        outHistory.append(totals.outRate)
        totals.inPeak = inHistory.suffix(300).max() ?? 0
        totals.outPeak = outHistory.suffix(300).max() ?? 0
        backlogHistory.append(Double(totals.lag))
        queueHistory.append(queues.totals)
    }

    /// The sums as of now.
    var currentTotals: Totals {
        var totals = totals
        totals.topics = topics.series.count
        totals.partitions = topics.partitions.count
        totals.groups = groups.count
        totals.records = topics.records
        totals.bytes = topics.bytes
        totals.recordsIn = recordsIn
        totals.bytesIn = bytesIn
        totals.recordsOut = recordsOut
        totals.bytesOut = bytesOut
        totals.queues = queues.totals.queues
        totals.ready = queues.totals.ready
        totals.unacked = queues.totals.unacked
        totals.delayed = queues.totals.delayed
        totals.retrying = queues.totals.retrying
        totals.dead = queues.totals.dead
        return totals
    }
}

extension Broker {
    /// A door opened (+1) or closed (−1) a connection.
    public func noteConnection(_ change: Int) { statistics.connections.add(change, ordering: .relaxed) }
    /// A door closed a connection because its bytes made no sense.
    public func noteMalformed() { statistics.malformed.add(1, ordering: .relaxed) }
    /// A request was answered with an error.
    public func noteError() { statistics.errors.add(1, ordering: .relaxed) }
}
