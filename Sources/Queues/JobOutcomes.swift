import Model

/// What became of the messages of one job, as runs of messages that lay side by side and fared alike. Bounded: past the limit of runs the
/// least telling go first (acked ones, the oldest before the newer), and are only counted from then on.
///
/// ```
/// source 0: 10..<20 sent as D 500..<510        one run, sent
/// D 503..<504 settled as dead (rejected)       10..<13 sent │ 13..<14 died, rejected │ 14..<20 sent
/// ```
/// A pure value: it is told what was sent and what was settled, and reads nothing itself.
public struct JobOutcomes: Equatable, Sendable {
    public enum End: Int64, Sendable, CaseIterable {
        /// Its copy is there; nobody has settled it yet.
        case sent = 0
        case acked
        /// Its copy died again: dead, dropped or expired.
        case died
        /// Its copy was sent on by another job.
        case moved
        /// Its copy was purged or discarded.
        case removed
        /// It was not sent.
        case skipped
    }

    public struct Run: Equatable, Sendable {
        /// The source's partition; −1 with ``first`` −1 where only the copy's place is known any more.
        public var partition: Int32
        public var first: Int64
        public var count: Int64
        /// Where the copies are; nil for what was skipped.
        public var target: PartitionID?
        public var targetFirst: Int64
        public var end: End
        /// Why it was skipped or died; empty where there is nothing to say.
        public var reason: String

        public init(partition: Int32, first: Int64, count: Int64, target: PartitionID?, targetFirst: Int64, end: End, reason: String = "") {
            self.partition = partition
            self.first = first
            self.count = count
            self.target = target
            self.targetFirst = targetFirst
            self.end = end
            self.reason = reason
        }
    }

    /// Copies that were settled alike.
    public struct Settled: Equatable, Sendable {
        public var target: PartitionID
        public var range: Range<Offset>
        public var end: End
        public var reason: String

        public init(target: PartitionID, range: Range<Offset>, end: End, reason: String = "") {
            self.target = target
            self.range = range
            self.end = end
            self.reason = reason
        }
    }

    /// By partition and offset of the source.
    public private(set) var runs: [Run] = []
    /// Messages that are in no run any more, by what became of them.
    public private(set) var unlisted: [End: Int64] = [:]

    public init() {}

    init(runs: [Run], unlisted: [End: Int64]) {
        self.runs = runs
        self.unlisted = unlisted
    }

    public var isCut: Bool { !unlisted.isEmpty }

    // MARK: Taking in

    /// Messages of the source have landed, in the order of `ranges`, from `base` of the target on.
    public mutating func sent(_ partition: Int32, _ ranges: [Range<Offset>], to target: PartitionID, at base: Offset, limit: Int) {
        var at = base.value
        for range in ranges {
            let count = range.upperBound - range.lowerBound
            insert(
                Run(partition: partition, first: range.lowerBound.value, count: count, target: target, targetFirst: at, end: .sent))
            at += count
        }
        cut(limit)
    }

    public mutating func skipped(_ partition: Int32, _ offset: Offset, reason: String, limit: Int) {
        insert(Run(partition: partition, first: offset.value, count: 1, target: nil, targetFirst: -1, end: .skipped, reason: reason))
        cut(limit)
    }

    /// Copies were settled. What is known only as a number any more stays one, but for what died: that is listed by its copy's place.
    /// - Parameter knownOnly: the list may hold what was told before; what no run has is passed over.
    public mutating func settle(_ settled: [Settled], limit: Int, knownOnly: Bool = false) {
        var byTarget: [PartitionID: [(Settled, matched: Int64)]] = [:]
        for entry in settled where !entry.range.isEmpty && entry.end != .sent { byTarget[entry.target, default: []].append((entry, 0)) }
        for target in byTarget.keys { byTarget[target]?.sort { $0.0.range.lowerBound < $1.0.range.lowerBound } }
        let before = runs
        runs = []
        runs.reserveCapacity(before.count)
        for run in before {
            guard run.end == .sent, let target = run.target, byTarget[target] != nil else {
                append(run)
                continue
            }
            split(run, by: &byTarget[target, default: []])
        }
        defer { cut(limit) }
        if knownOnly { return }
        for (entry, matched) in byTarget.sorted(by: { $0.key < $1.key }).flatMap(\.value) {
            count(entry, rest: entry.range.upperBound - entry.range.lowerBound - matched)
        }
    }

    /// Cuts a run of sent messages where settlements lie, which are in order.
    private mutating func split(_ run: Run, by settled: inout [(Settled, matched: Int64)]) {
        var rest = run
        let end = run.targetFirst + run.count
        var index = settled.partitioningIndex { $0.0.range.upperBound.value > run.targetFirst }
        while index < settled.count, settled[index].0.range.lowerBound.value < end, rest.count > 0 {
            let first = max(rest.targetFirst, settled[index].0.range.lowerBound.value)
            let last = min(end, settled[index].0.range.upperBound.value)
            if first < last {
                if first > rest.targetFirst { append(rest.takePrefix(first - rest.targetFirst)) }
                var piece = rest.takePrefix(last - first)
                (piece.end, piece.reason) = (settled[index].0.end, settled[index].0.reason)
                settled[index].matched += last - first
                append(piece)
            }
            index += 1
        }
        if rest.count > 0 { append(rest) }
    }

    /// A settlement of messages that no run has.
    private mutating func count(_ entry: Settled, rest: Int64) {
        let known = min(rest, unlisted[.sent] ?? 0)
        guard known > 0 else { return }
        move(known, from: .sent)
        guard entry.end == .died, known == entry.range.upperBound - entry.range.lowerBound else {
            unlisted[entry.end, default: 0] += known
            return
        }
        let run = Run(
            partition: -1, first: -1, count: known, target: entry.target, targetFirst: entry.range.lowerBound.value, end: .died,
            reason: entry.reason)
        runs.insert(run, at: 0)
    }

    private mutating func move(_ count: Int64, from end: End) {
        let left = (unlisted[end] ?? 0) - count
        unlisted[end] = left > 0 ? left : nil
    }

    // MARK: Asking

    /// Stretches of `landed` that nothing is known of: what landed shortly before a crash.
    public func unknown(_ landed: [MoveLanding]) -> [MoveLanding] {
        var result: [MoveLanding] = []
        let known = Dictionary(grouping: runs.filter { $0.target != nil }) { $0.target ?? PartitionID(topic: .zero, index: 0) }
            .mapValues { $0.sorted { $0.targetFirst < $1.targetFirst } }
        for landing in landed {
            var at = landing.base
            for run in known[landing.target] ?? [] where run.targetFirst < landing.range.upperBound.value {
                if run.targetFirst > at.value {
                    result.append(MoveLanding(target: landing.target, base: at, count: run.targetFirst - at.value))
                }
                at = max(at, Offset(run.targetFirst + run.count))
            }
            if at < landing.range.upperBound {
                result.append(MoveLanding(target: landing.target, base: at, count: landing.range.upperBound - at))
            }
        }
        return result
    }

    // MARK: Runs

    private mutating func append(_ run: Run) {
        if let last = runs.last, last.isFollowed(by: run) {
            runs[runs.count - 1].count += run.count
        } else {
            runs.append(run)
        }
    }

    private mutating func insert(_ run: Run) {
        let index = runs.partitioningIndex { ($0.partition, $0.first) > (run.partition, run.first) }
        if index > 0, runs[index - 1].isFollowed(by: run) {
            runs[index - 1].count += run.count
        } else {
            runs.insert(run, at: index)
        }
    }

    /// From the least to the most telling.
    private static let interest: [End] = [.acked, .moved, .removed, .sent, .skipped, .died]

    private mutating func cut(_ limit: Int) {
        guard runs.count > limit else { return }
        var excess = runs.count - limit * 9 / 10
        for end in Self.interest where excess > 0 {
            var kept: [Run] = []
            kept.reserveCapacity(runs.count)
            for run in runs {
                if excess > 0, run.end == end {
                    unlisted[end, default: 0] += run.count
                    excess -= 1
                } else {
                    kept.append(run)
                }
            }
            runs = kept
        }
    }
}

extension JobOutcomes.Run {
    /// Whether `next` goes on where this ends, on both sides, with the same outcome.
    fileprivate func isFollowed(by next: JobOutcomes.Run) -> Bool {
        partition == next.partition && partition >= 0 && first + count == next.first && end == next.end && reason == next.reason
            && target == next.target && (target == nil || targetFirst + count == next.targetFirst)
    }

    /// Takes the first `count` messages off.
    fileprivate mutating func takePrefix(_ count: Int64) -> JobOutcomes.Run {
        var prefix = self
        prefix.count = count
        first += count
        targetFirst += count
        self.count -= count
        return prefix
    }
}

extension Array {
    /// The first index whose element satisfies what all behind it satisfy too; the count where none does.
    fileprivate func partitioningIndex(_ isBehind: (Element) -> Bool) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if isBehind(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
