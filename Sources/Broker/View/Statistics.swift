import Control
import Model
import Synchronization

/// What the shards counted, turned into rates and history once a second. Written by the sampling loop, read by snapshots; one lock.
public final class Statistics: Sendable {
    /// What one partition showed when it was sampled.
    struct PartitionSample: Sendable {
        var id: PartitionID
        var start: Offset
        var end: Offset
        /// Offsets between them that retention freed.
        var holes: Int64
        var bytes: Int64
        var counters: PartitionCounters
    }

    struct TopicSeries: Sendable {
        var counters = PartitionCounters()
        var inRate = 0.0
        var inBytesRate = 0.0
        var outRate = 0.0
        var records: Int64 = 0
        var bytes: Int64 = 0
        /// Records in per second, a point a second.
        var trend = Ring<Float>(capacity: 60)
        var partitionRates: [Int32: Double] = [:]
    }

    struct State: Sendable {
        var topics: [TopicID: TopicSeries] = [:]
        var partitions: [PartitionID: PartitionSample] = [:]
        var totals = Totals()
        var recordsIn: Int64 = 0
        var recordsOut: Int64 = 0
        var bytesIn: Int64 = 0
        var bytesOut: Int64 = 0
        var lastBytesOut: Int64 = 0
        var inHistory = Ring<Double>(capacity: 900)
        var outHistory = Ring<Double>(capacity: 900)
        var backlogHistory = Ring<Double>(capacity: 900)
        var sampledAt: Monotonic?
        var endMs: Int64 = 0
        var cpuNs: UInt64 = 0
        var cpuCores: Double?
        var groups = GroupHistory()
        var queues = QueueTracks()
        /// Commands that this picture has seen.
        var commands = 0
        /// Queue totals, a point a second, in step with the other histories.
        var queueHistory = Ring<QueueTotals>(capacity: 900)
    }

    let startedAt: Timestamp
    let startedMonotonic: Monotonic
    let state = Mutex(State())
    /// Requests answered with an error, malformed frames, and open connections: counted by the doors.
    public let errors = Atomic<Int>(0)
    public let malformed = Atomic<Int>(0)
    public let connections = Atomic<Int>(0)
    /// Commands carried out since the start.
    let commands = Atomic<Int>(0)
    let isSampling = Atomic(false)

    init(startedAt: Timestamp, startedMonotonic: Monotonic) {
        self.startedAt = startedAt
        self.startedMonotonic = startedMonotonic
    }

    /// Takes in one second's samples of all shards, groups and queues.
    func take(
        _ samples: [PartitionSample], groups: [GroupSample], queues: QueueIntake, cpuNs: UInt64, now: Timestamp, monotonic: Monotonic
    ) {
        state.withLock { state in
            let seconds = state.sampledAt.map { Double(monotonic.ns - $0.ns) / 1e9 } ?? 1
            guard seconds > 0.05 else { return }
            state.takePartitions(samples, seconds: seconds)
            state.groups.take(groups, now: now, monotonic: monotonic)
            state.queues.take(queues, seconds: seconds)
            state.commands = queues.commands
            state.takeTotals(seconds: seconds, isFirst: state.sampledAt == nil)
            if state.sampledAt != nil { state.cpuCores = Double(cpuNs &- state.cpuNs) / 1e9 / seconds }
            state.cpuNs = cpuNs
            state.sampledAt = monotonic
            state.endMs = now.ms
        }
    }
}

extension Statistics.State {
    fileprivate mutating func takePartitions(_ samples: [Statistics.PartitionSample], seconds: Double) {
        var sums: [TopicID: (counters: PartitionCounters, records: Int64, bytes: Int64)] = [:]
        var current: [PartitionID: Statistics.PartitionSample] = [:]
        current.reserveCapacity(samples.count)
        for sample in samples {
            current[sample.id] = sample
            var sum = sums[sample.id.topic] ?? (PartitionCounters(), 0, 0)
            sum.counters.add(sample.counters)
            sum.records += sample.end - sample.start - sample.holes
            sum.bytes += sample.bytes
            sums[sample.id.topic] = sum
            let before = partitions[sample.id]?.counters.recordsIn ?? sample.counters.recordsIn
            topics[sample.id.topic, default: .init()].partitionRates[sample.id.index] =
                Double(max(0, sample.counters.recordsIn - before)) / seconds
        }
        partitions = current
        for gone in topics.keys where sums[gone] == nil { topics[gone] = nil }
        for (id, sum) in sums {
            var series = topics[id] ?? .init()
            series.inRate = Double(max(0, sum.counters.recordsIn - series.counters.recordsIn)) / seconds
            series.inBytesRate = Double(max(0, sum.counters.bytesIn - series.counters.bytesIn)) / seconds
            series.outRate = Double(max(0, sum.counters.recordsOut - series.counters.recordsOut)) / seconds
            recordsIn += max(0, sum.counters.recordsIn - series.counters.recordsIn)
            bytesIn += max(0, sum.counters.bytesIn - series.counters.bytesIn)
            recordsOut += max(0, sum.counters.recordsOut - series.counters.recordsOut)
            bytesOut += max(0, sum.counters.bytesOut - series.counters.bytesOut)
            series.counters = sum.counters
            series.records = sum.records
            series.bytes = sum.bytes
            series.trend.append(Float(series.inRate))
            topics[id] = series
        }
    }

    fileprivate mutating func takeTotals(seconds: Double, isFirst: Bool) {
        let before = totals
        totals.topics = topics.count
        totals.partitions = partitions.count
        totals.groups = groups.count
        totals.records = topics.values.reduce(0) { $0 + $1.records }
        totals.bytes = topics.values.reduce(0) { $0 + $1.bytes }
        totals.inRate = topics.values.reduce(0) { $0 + $1.inRate }
        totals.outRate = topics.values.reduce(0) { $0 + $1.outRate }
        totals.inBytesRate = topics.values.reduce(0) { $0 + $1.inBytesRate }
        totals.outBytesRate = isFirst ? 0 : Double(bytesOut - lastBytesOut) / seconds
        lastBytesOut = bytesOut
        totals.lag = groups.totalLag
        totals.lagRate = isFirst ? 0 : Double(totals.lag - before.lag) / seconds
        totals.inPeak = max(totals.inRate, inHistory.suffix(300).max() ?? 0)
        totals.outPeak = max(totals.outRate, outHistory.suffix(300).max() ?? 0)
        inHistory.append(totals.inRate)
        outHistory.append(totals.outRate)
        backlogHistory.append(Double(totals.lag))
        totals.take(queues.totals)
        queueHistory.append(queues.totals)
    }
}

extension Totals {
    mutating func take(_ queues: QueueTotals) {
        self.queues = queues.queues
        ready = queues.ready
        unacked = queues.unacked
        delayed = queues.delayed
        retrying = queues.retrying
        dead = queues.dead
    }
}

extension PartitionCounters {
    mutating func add(_ other: PartitionCounters) {
        recordsIn += other.recordsIn
        bytesIn += other.bytesIn
        recordsOut += other.recordsOut
        bytesOut += other.bytesOut
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
