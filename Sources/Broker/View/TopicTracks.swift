import Control
import Model

/// What one partition showed when statistics last looked.
struct PartitionSample: Sendable {
    var id: PartitionID
    var start: Offset
    var end: Offset
    /// Offsets between them that retention freed.
    var holes: Int64
    var bytes: Int64
    var counters: PartitionCounters

    var records: Int64 { end - start - holes }
}

/// One topic added up, with rates of the last second.
struct TopicSeries: Sendable {
    var counters = PartitionCounters()
    var records: Int64 = 0
    var bytes: Int64 = 0
    /// Partitions that statistics have seen.
    var partitions = 0
    fileprivate(set) var inRate = 0.0
    fileprivate(set) var inBytesRate = 0.0
    fileprivate(set) var outRate = 0.0
    /// Records in per second, of partitions that took any.
    fileprivate(set) var partitionRates: [Int32: Double] = [:]
    fileprivate var trend = SteppedRing<Float>(capacity: 60)
    /// Counters as of the last second.
    fileprivate var last: PartitionCounters?

    /// Records in per second, the last minute, oldest first.
    func trend(at tick: Int) -> [Double?] { trend.suffix(60, at: tick, now: 0).map { Double($0) } }
}

/// What is known of every partition and topic. Only those that changed are touched; their rates are gone a second later.
struct TopicTracks: Sendable {
    private(set) var series: [TopicID: TopicSeries] = [:]
    private(set) var partitions: [PartitionID: PartitionSample] = [:]
    /// Sums over all topics: records and bytes as of now, rates and what went through as of the last second.
    private(set) var records: Int64 = 0
    private(set) var bytes: Int64 = 0
    private(set) var inRate = 0.0
    private(set) var inBytesRate = 0.0
    private(set) var outRate = 0.0
    private(set) var through = PartitionCounters()
    private(set) var ticks = 0

    /// Partitions that changed since the last second, with their counters as of then; and topics that have rates.
    private var changed: [PartitionID: PartitionCounters] = [:]
    private var hot: Set<TopicID> = []

    var lastTick: Int { max(0, ticks - 1) }

    mutating func absorb(_ sample: PartitionSample) {
        let old = partitions.updateValue(sample, forKey: sample.id)
        if changed[sample.id] == nil { changed[sample.id] = old?.counters ?? PartitionCounters() }
        let records = sample.records - (old?.records ?? 0)
        let bytes = sample.bytes - (old?.bytes ?? 0)
        self.records += records
        self.bytes += bytes
        series[sample.id.topic, default: TopicSeries()].add(
            records: records, bytes: bytes, partitions: old == nil ? 1 : 0, counters: sample.counters, minus: old?.counters)
    }

    mutating func remove(_ id: PartitionID) {
        guard let old = partitions.removeValue(forKey: id) else { return }
        changed[id] = nil
        records -= old.records
        bytes -= old.bytes
        guard series[id.topic] != nil else { return }
        series[id.topic]?.add(
            records: -old.records, bytes: -old.bytes, partitions: -1, counters: PartitionCounters(), minus: old.counters)
        if series[id.topic]?.partitions == 0 {
            series[id.topic] = nil
            hot.remove(id.topic)
        }
    }

    /// A second has passed: what changed since the last one has rates, all others have none.
    mutating func tick(seconds: Double) {
        let cooling = hot
        hot = []
        (inRate, inBytesRate, outRate) = (0, 0, 0)
        for topic in cooling { series[topic]?.rest() }
        for (id, before) in changed {
            guard let now = partitions[id] else { continue }
            let rate = Double(max(0, now.counters.recordsIn - before.recordsIn)) / seconds
            if rate > 0 { series[id.topic]?.partitionRates[id.index] = rate }
            hot.insert(id.topic)
        }
        for topic in hot {
            guard let moved = series[topic]?.tick(seconds: seconds, at: ticks) else { continue }
            through.add(moved)
            inRate += series[topic]?.inRate ?? 0
            inBytesRate += series[topic]?.inBytesRate ?? 0
            outRate += series[topic]?.outRate ?? 0
        }
        changed.removeAll(keepingCapacity: true)
        ticks += 1
    }
}

extension TopicSeries {
    fileprivate mutating func add(
        records: Int64, bytes: Int64, partitions: Int, counters: PartitionCounters, minus old: PartitionCounters?
    ) {
        self.records += records
        self.bytes += bytes
        self.partitions += partitions
        self.counters.add(counters)
        if let old { self.counters.add(old, times: -1) }
    }

    fileprivate mutating func rest() {
        (inRate, inBytesRate, outRate) = (0, 0, 0)
        partitionRates = [:]
    }

    /// - Returns: what went through since the last second.
    fileprivate mutating func tick(seconds: Double, at tick: Int) -> PartitionCounters {
        let before = last ?? PartitionCounters()
        var moved = PartitionCounters()
        moved.recordsIn = max(0, counters.recordsIn - before.recordsIn)
        moved.bytesIn = max(0, counters.bytesIn - before.bytesIn)
        moved.recordsOut = max(0, counters.recordsOut - before.recordsOut)
        moved.bytesOut = max(0, counters.bytesOut - before.bytesOut)
        inRate = Double(moved.recordsIn) / seconds
        inBytesRate = Double(moved.bytesIn) / seconds
        outRate = Double(moved.recordsOut) / seconds
        trend.set(Float(inRate), at: tick, since: 0)
        last = counters
        return moved
    }
}

extension PartitionCounters {
    mutating func add(_ other: PartitionCounters, times sign: Int64 = 1) {
        recordsIn += sign * other.recordsIn
        bytesIn += sign * other.bytesIn
        recordsOut += sign * other.recordsOut
        bytesOut += sign * other.bytesOut
    }
}
