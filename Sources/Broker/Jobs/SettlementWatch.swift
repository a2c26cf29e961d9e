import Model
import Queues
import Synchronization

/// Counts for jobs what became of the copies they sent, on one shard. Told by the shard's cursors of every settlement; costs nothing while
/// nobody watches. Touched on the shard's loop, but for ``take()``.
final class SettlementWatch: @unchecked Sendable {
    struct Outcome: Sendable, Equatable {
        var acked: Int64 = 0
        var died: Int64 = 0
        /// Settled in another way: moved on, purged, discarded, gone with their queue.
        var other: Int64 = 0
    }
    /// What is told of one job at a time.
    struct Told: Sendable, Equatable {
        var counts = Outcome()
        /// Where the settled copies are; those beyond the limit are only counted.
        var settled: [JobOutcomes.Settled] = []
    }

    private struct Place {
        var job: Int64
        /// Whose settlements count; nil: those of whichever group settles first.
        var group: String?
        var range: Range<Offset>
        /// Not settled yet.
        var left: Int64
    }
    /// By first offset.
    private var places: [PartitionID: [Place]] = [:]
    /// Partitions to which copies are on their way, and what was settled there meanwhile: a consumer may be faster than the job that learns
    /// where its copies are.
    private var expecting: [PartitionID: Int] = [:]
    private var early: [PartitionID: [Early]] = [:]
    private struct Early {
        var group: String
        var range: Range<Offset>
        var end: Settlement
    }
    /// Settlements of one partition that are kept for copies on their way, and why messages are dying until they are dead.
    private static let earlyLimit = 10_000
    /// Stretches of settled copies of one job that are told at a time.
    private static let settledLimit = 20_000
    /// Why watched messages are dying, until they are settled as dead.
    private var dying: [ShareKey: [(range: Range<Offset>, reason: DeadReason)]] = [:]

    private let counted = Mutex<[Int64: Told]>([:])

    var isIdle: Bool { places.isEmpty && expecting.isEmpty }

    /// Copies are on their way to a partition, or no longer.
    func expect(_ target: PartitionID, _ isComing: Bool) {
        let count = (expecting[target] ?? 0) + (isComing ? 1 : -1)
        expecting[target] = count > 0 ? count : nil
        guard count <= 0 else { return }
        early[target] = nil
        if places[target] == nil { dying = dying.filter { $0.key.partition != target } }
    }

    /// Watches copies of a job. Places never overlap: an offset is written once.
    func add(job: Int64, group: String?, _ target: PartitionID, _ range: Range<Offset>) {
        let place = Place(job: job, group: group, range: range, left: range.upperBound - range.lowerBound)
        var list = places[target] ?? []
        if let last = list.last, last.job == job, last.range.upperBound == range.lowerBound {
            list[list.count - 1].range = last.range.lowerBound..<range.upperBound
            list[list.count - 1].left += place.left
        } else {
            list.insert(place, at: Self.index(of: range.lowerBound, in: list))
        }
        places[target] = list
        for settlement in early[target] ?? [] {
            let first = max(range.lowerBound, settlement.range.lowerBound)
            let last = min(range.upperBound, settlement.range.upperBound)
            guard first < last else { continue }
            count(ShareKey(group: settlement.group, partition: target), first..<last, as: settlement.end)
        }
    }

    /// Messages of a cursor died and are on their way to its dead-letter target.
    func died(_ key: ShareKey, _ range: Range<Offset>, _ reason: DeadReason) {
        guard places[key.partition] != nil || expecting[key.partition] != nil, dying[key, default: []].count < Self.earlyLimit else {
            return
        }
        dying[key, default: []].append((range, reason))
    }

    /// Messages of a cursor were settled.
    func settled(_ key: ShareKey, _ range: Range<Offset>, as end: Settlement) {
        if expecting[key.partition] != nil, early[key.partition, default: []].count < Self.earlyLimit {
            early[key.partition, default: []].append(Early(group: key.group, range: range, end: end))
        }
        count(key, range, as: end)
        if end == .dead { buried(key, range) }
    }

    private func buried(_ key: ShareKey, _ range: Range<Offset>) {
        guard let list = dying[key] else { return }
        let rest = list.filter { !$0.range.overlaps(range) || $0.range.upperBound > range.upperBound }
        // What an early settlement needs to know of is kept as long as copies are on their way.
        if expecting[key.partition] == nil { dying[key] = rest.isEmpty ? nil : rest }
    }

    private func count(_ key: ShareKey, _ range: Range<Offset>, as end: Settlement) {
        guard var list = places[key.partition] else { return }
        var index = max(0, Self.index(of: range.lowerBound, in: list) - 1)
        var isDone = false
        while index < list.count, list[index].range.lowerBound < range.upperBound {
            let place = list[index].range
            let first = max(place.lowerBound, range.lowerBound)
            let last = min(place.upperBound, range.upperBound)
            if first < last, list[index].group.map({ $0 == key.group }) ?? true {
                let count = min(last - first, list[index].left)
                list[index].left -= count
                isDone = isDone || list[index].left <= 0
                note(list[index].job, count, end)
                tell(list[index].job, key, first..<last, end)
            }
            index += 1
        }
        if isDone { list.removeAll { $0.left <= 0 } }
        places[key.partition] = list.isEmpty ? nil : list
    }

    /// Says where copies were settled, with the reasons of those that died.
    private func tell(_ job: Int64, _ key: ShareKey, _ range: Range<Offset>, _ end: Settlement) {
        let outcome = end.outcome
        var pieces: [JobOutcomes.Settled] = []
        var from = range.lowerBound
        func add(_ to: Offset, _ reason: String) {
            guard from < to else { return }
            pieces.append(.init(target: key.partition, range: from..<to, end: outcome, reason: reason))
            from = to
        }
        if end == .dead {
            for entry in (dying[key] ?? []).sorted(by: { $0.range.lowerBound < $1.range.lowerBound }) where entry.range.overlaps(range) {
                add(min(range.upperBound, entry.range.lowerBound), "")
                add(min(range.upperBound, entry.range.upperBound), entry.reason.rawValue)
            }
        }
        add(
            range.upperBound, end == .expired ? DeadReason.expired.rawValue : end == .dropped ? "dropped, without a dead-letter target" : ""
        )
        counted.withLock { counted in
            for piece in pieces { counted[job, default: Told()].add(piece, limit: Self.settledLimit) }
        }
    }

    /// A partition is gone, and its copies with it.
    func gone(_ target: PartitionID) {
        for place in places.removeValue(forKey: target) ?? [] where place.left > 0 { note(place.job, place.left, .missing) }
        early[target] = nil
        dying = dying.filter { $0.key.partition != target }
    }

    func forget(job: Int64) {
        for (target, list) in places {
            let rest = list.filter { $0.job != job }
            places[target] = rest.isEmpty ? nil : rest
        }
        counted.withLock { $0[job] = nil }
    }

    /// What was counted since the last call, by job. Any thread.
    func take() -> [Int64: Told] {
        counted.withLock { counted in
            defer { counted = [:] }
            return counted
        }
    }

    private func note(_ job: Int64, _ count: Int64, _ end: Settlement) {
        counted.withLock { counted in
            switch end {
            case .accepted: counted[job, default: Told()].counts.acked += count
            case .dead, .dropped, .expired: counted[job, default: Told()].counts.died += count
            case .purged, .discarded, .moved, .missing: counted[job, default: Told()].counts.other += count
            }
        }
    }

    /// The first place that begins at or behind `offset`.
    private static func index(of offset: Offset, in list: [Place]) -> Int {
        var low = 0
        var high = list.count
        while low < high {
            let middle = (low + high) / 2
            if list[middle].range.lowerBound < offset { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

extension SettlementWatch.Told {
    /// Consumers answer one by one what lies side by side.
    fileprivate mutating func add(_ piece: JobOutcomes.Settled, limit: Int) {
        if let last = settled.last, last.target == piece.target, last.end == piece.end, last.reason == piece.reason,
            last.range.upperBound == piece.range.lowerBound
        {
            settled[settled.count - 1].range = last.range.lowerBound..<piece.range.upperBound
        } else if settled.count < limit {
            settled.append(piece)
        }
    }
}

extension Settlement {
    /// What it means for a copy that a job sent.
    fileprivate var outcome: JobOutcomes.End {
        switch self {
        case .accepted: .acked
        case .dead, .dropped, .expired: .died
        case .moved: .moved
        case .purged, .discarded, .missing: .removed
        }
    }
}
