import Model

/// A batch of messages on its way from one partition to others: what is logged before anything is appended.
///
/// ```
/// number 42, from queue payments, partition P, settled as dead
/// part 0  target D, which ended at 900 then   offsets [17, 20) [25, 26)     → one record batch of 4 records at D, somewhere from 900 on
/// ```
/// A part is one record batch, so it lands whole or not at all.
public struct MoveIntent: Equatable, Sendable {
    public struct Part: Equatable, Sendable {
        public var target: PartitionID
        /// The target's end before the append: the batch can only be at or behind it.
        public var targetEnd: Offset
        /// Offsets in the source, half open, in order.
        public var ranges: [Range<Offset>]

        public init(target: PartitionID, targetEnd: Offset, ranges: [Range<Offset>]) {
            self.target = target
            self.targetEnd = targetEnd
            self.ranges = ranges
        }

        public var count: Int64 { ranges.reduce(0) { $0 + ($1.upperBound - $1.lowerBound) } }
    }
    /// From 1 within a shard, never used again.
    public var number: UInt64
    /// The cursor that settles what has landed.
    public var group: String
    public var source: PartitionID
    /// How the source settles what has landed, in the mover's code; 0 for a copy, which settles nothing.
    public var end: UInt8
    /// The job it is part of; 0 for none.
    public var job: Int64
    /// What of the source is done for the job when all parts have landed.
    public var window: Range<Offset>?
    public var parts: [Part]

    public init(
        number: UInt64, group: String, source: PartitionID, end: UInt8, job: Int64 = 0, window: Range<Offset>? = nil, parts: [Part]
    ) {
        self.number = number
        self.group = group
        self.source = source
        self.end = end
        self.job = job
        self.window = window
        self.parts = parts
    }
}

/// Where copies are: `count` records from `base` on.
public struct MoveLanding: Equatable, Sendable {
    public var target: PartitionID
    public var base: Offset
    public var count: Int64

    public init(target: PartitionID, base: Offset, count: Int64) {
        self.target = target
        self.base = base
        self.count = count
    }

    public var range: Range<Offset> { base..<(base + count) }
}

/// What is logged of moves.
public enum MoveFact: Equatable, Sendable {
    case begun(MoveIntent)
    /// The move is over: per part where its batch begins in the target, where it is settled in the source too; nil: it is not there.
    case ended(number: UInt64, bases: [Offset?])
    /// What a job has done so far: written into snapshots.
    case progress(job: Int64, MoveProgress)
    case jobForgotten(Int64)
    /// Numbers up to this have been used: written into snapshots.
    case numbered(UInt64)
}

/// What a job has done, as its moves tell.
public struct MoveProgress: Equatable, Sendable {
    /// Windows of each source partition that are done; they touch nowhere.
    public var done: [PartitionID: [Range<Offset>]] = [:]
    public var sent: Int64 = 0
    /// Where its copies are, for counting what became of them.
    public var landed: [MoveLanding] = []
    /// Copies that are not in `landed`, because there were too many places.
    public var unwatched: Int64 = 0

    public init() {}

    /// Places that are remembered; adjacent ones are one.
    public static let landingLimit = 20_000

    /// The first offset at or after `offset` that is not done, and the end of what is not.
    public func gap(of partition: PartitionID, from offset: Offset, to end: Offset) -> Range<Offset>? {
        var start = offset
        for range in done[partition] ?? [] {
            if range.upperBound <= start { continue }
            if range.lowerBound > start { return start < end ? start..<min(end, range.lowerBound) : nil }
            start = range.upperBound
        }
        return start < end ? start..<end : nil
    }

    public mutating func add(_ window: Range<Offset>, of partition: PartitionID) {
        var ranges = done[partition] ?? []
        let first = ranges.firstIndex { $0.upperBound >= window.lowerBound } ?? ranges.count
        var merged = window
        var last = first
        while last < ranges.count, ranges[last].lowerBound <= merged.upperBound {
            merged = min(merged.lowerBound, ranges[last].lowerBound)..<max(merged.upperBound, ranges[last].upperBound)
            last += 1
        }
        ranges.replaceSubrange(first..<last, with: [merged])
        done[partition] = ranges
    }

    /// Takes a stretch back that turned out not to be done.
    public mutating func remove(_ range: Range<Offset>, of partition: PartitionID) {
        let ranges = done[partition] ?? []
        done[partition] = ranges.flatMap { old -> [Range<Offset>] in
            guard old.overlaps(range) else { return [old] }
            var rest: [Range<Offset>] = []
            if old.lowerBound < range.lowerBound { rest.append(old.lowerBound..<range.lowerBound) }
            if range.upperBound < old.upperBound { rest.append(range.upperBound..<old.upperBound) }
            return rest
        }
    }

    /// Takes in what became of a move of the job: its window is done, but for what did not land.
    public mutating func take(_ intent: MoveIntent, bases: [Offset?]) {
        if let window = intent.window { add(window, of: intent.source) }
        for (index, part) in intent.parts.enumerated() {
            if index < bases.count, let base = bases[index] {
                add(MoveLanding(target: part.target, base: base, count: part.count))
            } else {
                for range in part.ranges { remove(range, of: intent.source) }
            }
        }
    }

    mutating func add(_ landing: MoveLanding) {
        sent += landing.count
        if let last = landed.indices.last, landed[last].target == landing.target, landed[last].range.upperBound == landing.base {
            landed[last].count += landing.count
        } else if landed.count < Self.landingLimit {
            landed.append(landing)
        } else {
            unwatched += landing.count
        }
    }
}

/// A shard's moves: which are under way, and what jobs have done by them. Facts in, state out; replaying the facts gives the live state.
public struct MoveLedger: Equatable, Sendable {
    public private(set) var open: [UInt64: MoveIntent] = [:]
    public private(set) var lastNumber: UInt64 = 0
    public private(set) var jobs: [Int64: MoveProgress] = [:]

    public init() {}

    /// Open moves by number.
    public var openInOrder: [MoveIntent] { open.values.sorted { $0.number < $1.number } }

    public mutating func apply(_ fact: MoveFact) {
        switch fact {
        case .begun(let intent):
            open[intent.number] = intent
            lastNumber = max(lastNumber, intent.number)
        case .ended(let number, let bases):
            guard let intent = open.removeValue(forKey: number), intent.job != 0 else { return }
            var progress = jobs.removeValue(forKey: intent.job) ?? MoveProgress()
            progress.take(intent, bases: bases)
            jobs[intent.job] = progress
        case .progress(let job, let progress): jobs[job] = progress
        case .jobForgotten(let job): jobs[job] = nil
        case .numbered(let number): lastNumber = max(lastNumber, number)
        }
    }

    /// Facts that make this state.
    public func snapshot() -> [MoveFact] {
        [.numbered(lastNumber)] + jobs.sorted { $0.key < $1.key }.map { .progress(job: $0.key, $0.value) } + openInOrder.map { .begun($0) }
    }
}
