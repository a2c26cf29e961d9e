import Model

/// Which messages of a shard wait until when: the index, not the bodies. A value without clock or I/O: the host tells it what was
/// published, takes what is due, and logs ``DelayFact``s.
///
/// ```
/// front (due 1000, ref 7)   everything up to here is done, for ever
/// taken (due 1040, ref 2)   handed out for release; not all of it is done yet
/// publish, due 1020         becomes due 1041: nothing enters behind `taken`
/// ```
/// Newest entries are in one ``DelayTable`` per band; a table that grows is written out as a ``DelayRun``, of which blocks are read back
/// when they come due. Memory: the tables, one block per run that is being released, and what operators moved.
public struct DelayStore: Sendable {
    public struct Override: Equatable, Sendable {
        public var target: UInt32
        /// When the index says it is due.
        public var fromMs: Int64
        /// When it is due; nil: never.
        public var toMs: Int64?
        /// The override can be forgotten when the front has passed this.
        var lastKey: (Int64) { max(fromMs, toMs ?? 0) }
    }

    // MARK: Durable

    public internal(set) var targets: [UInt32: PartitionID] = [:]
    public internal(set) var numbers: [PartitionID: UInt32] = [:]
    public internal(set) var front = DelayKey.zero
    /// Where to search for released messages after a crash.
    public internal(set) var openTargets: [UInt32: Offset] = [:]
    /// Written runs, by band and age.
    public internal(set) var runs: [[RunReader]] = Array(repeating: [], count: DelayBand.count)
    /// Bodies below these are in runs or done.
    public internal(set) var bodyEnds: [Offset] = Array(repeating: .zero, count: DelayBand.count)
    public internal(set) var overrides: [DelayRef: Override] = [:]
    public internal(set) var purges: [UInt32: [Offset]] = [:]

    // MARK: In memory

    public internal(set) var taken = DelayKey.zero
    public internal(set) var tables: [DelayTable] = Array(repeating: DelayTable(), count: DelayBand.count)
    /// A table that is being written out; it goes on being released from.
    public internal(set) var frozen: (band: Int, table: DelayTable, bodyEnd: Offset)?
    /// Messages whose time was changed, by their new time. May hold outdated entries: ``overrides`` decides.
    var moved = DelayHeap()
    /// Taken, but not released after all.
    var returned = DelayHeap()
    /// Overrides by when they can be forgotten.
    var forgetting = DelayHeap()
    /// Released before a crash, behind the front of then.
    public internal(set) var released: Set<DelayRef> = []
    /// When the front has passed this, no released one can be met any more.
    private var releasedUntilMs: Int64 = 0
    public internal(set) var counts: DelayCounts
    /// Bodies behind ``bodyEnds`` that are in tables: their count and bytes by band.
    public internal(set) var tailBytes: [Int] = Array(repeating: 0, count: DelayBand.count)

    let overrideLimit: Int

    public init(limits: Limits) {
        overrideLimit = limits.delayOverrides
        counts = DelayCounts(spanLimit: limits.delaySpans)
    }

    // MARK: Targets

    /// The target's number, and the fact that gives it one if it is new.
    public func number(of partition: PartitionID) -> (number: UInt32, fact: DelayFact?) {
        if let number = numbers[partition] { return (number, nil) }
        let number = UInt32(targets.count)
        return (number, .target(number: number, partition))
    }

    // MARK: Entries

    /// The earliest time a message that is published now can be due.
    public var floorMs: Int64 { taken.dueMs + 1 }

    /// Takes in messages of one band and target whose bodies are written.
    public mutating func insert(contentsOf entries: [DelayEntry]) {
        guard let first = entries.first else { return }
        for entry in entries { precondition(entry.key > taken, "an entry behind what was taken would never be released") }
        tables[first.ref.band].insert(contentsOf: entries)
        counts.add(contentsOf: entries)
    }

    /// Takes what was released, in the order of its release, out of the counts.
    public mutating func count(released entries: [DelayEntry]) { counts.add(sorted: entries, sign: -1) }

    /// Puts a message back into the counts that was not released after all.
    public mutating func count(returned entry: DelayEntry) { counts.add(entry) }

    /// Like ``insert(contentsOf:)`` at a start: what lies behind the front, or was purged, is passed over.
    public mutating func recover(_ entry: DelayEntry) {
        guard let left = entry.after(front) else { return }
        if isPurged(left) { return }
        tables[left.ref.band].insert(left)
        counts.add(left)
    }

    /// At a start: the publish of these messages was never whole, so none of it counts, nor what operators did to it.
    public mutating func void(_ entry: DelayEntry) {
        for index in 0..<Int(entry.count) { overrides[entry.ref.advanced(by: index)] = nil }
    }

    /// Messages that were found in their targets at a start.
    public mutating func noteReleased(_ refs: [DelayRef], nowMs: Int64) {
        released.formUnion(refs)
        releasedUntilMs = nowMs
    }

    /// Per band, the offset behind every message that is known of, be its body there or lost.
    public var remembered: [Offset] {
        var ends = bodyEnds
        for band in runs.indices { for reader in runs[band] { ends[band] = max(ends[band], reader.run.bodyEnd) } }
        for ref in overrides.keys { ends[ref.band] = max(ends[ref.band], ref.offset + 1) }
        for purge in purges.values { for band in ends.indices where band < purge.count { ends[band] = max(ends[band], purge[band]) } }
        return ends
    }

    /// Makes the state agree with what the streams hold after a power failure took unsynced bytes: bodies that are gone are not waited for,
    /// and what a lost run held is indexed again from the bodies. True when anything was lost.
    public mutating func repair(bodyEnds ends: [Offset], runEnds: [Offset]) -> Bool {
        var isChanged = false
        for band in runs.indices {
            if let lost = runs[band].firstIndex(where: { $0.run.end > runEnds[band] && $0.run.last > front }) {
                bodyEnds[band] = lost == 0 ? .zero : runs[band][lost - 1].run.bodyEnd
                runs[band].removeSubrange(lost...)
                isChanged = true
            }
            // The offsets of lost bodies will be given to others.
            for ref in overrides.keys where ref.band == band && ref.offset >= ends[band] {
                overrides[ref] = nil
                isChanged = true
            }
            guard bodyEnds[band] > ends[band] else { continue }
            for index in runs[band].indices where runs[band][index].run.validBelow > ends[band] {
                runs[band][index].run.validBelow = ends[band]
            }
            bodyEnds[band] = ends[band]
            isChanged = true
        }
        return isChanged
    }

    public mutating func addTail(bytes: Int, band: Int) { tailBytes[band] += bytes }

    func isPurged(_ entry: DelayEntry) -> Bool {
        guard let ends = purges[entry.target], entry.ref.band < ends.count else { return false }
        return entry.ref.offset < ends[entry.ref.band]
    }

    public var tableCount: Int { tables.reduce(0) { $0 + $1.count } }
    public var runCount: Int { runs.reduce(0) { $0 + $1.count } }

    // MARK: Facts

    /// What a logged fact changes. Recovery applies all of them in order; live, the same calls are made when a fact is on its way or
    /// logged.
    public mutating func apply(_ fact: DelayFact) {
        switch fact {
        case .target(let number, let partition):
            targets[number] = partition
            numbers[partition] = number
        case .run(let run):
            runs[run.band].append(RunReader(run))
            bodyEnds[run.band] = run.bodyEnd
        case .emptied(let band, let bodyEnd):
            bodyEnds[band] = max(bodyEnds[band], bodyEnd)
        case .front(let key, let targets):
            front = max(front, key)
            if !released.isEmpty, front.dueMs > releasedUntilMs { released = [] }
            openTargets = Dictionary(targets.map { ($0.target, $0.from) }) { min($0, $1) }
            forget()
        case .open(let target):
            openTargets[target.target] = min(openTargets[target.target] ?? target.from, target.from)
        case .moved(let ref, let target, let fromMs, let toMs):
            overrides[ref] = Override(target: target, fromMs: fromMs, toMs: toMs)
            if let toMs { moved.insert(DelayEntry(dueMs: toMs, ref: ref, count: 1, target: target)) }
            forgetting.insert(DelayEntry(dueMs: max(fromMs, toMs ?? 0), ref: ref, count: 1, target: target))
        case .purged(let target, let ends):
            purges[target] = ends.isEmpty ? nil : ends
        }
    }

    /// Lets go of runs and overrides that the front has passed.
    mutating func forget() {
        while let first = forgetting.first, first.key <= front {
            forgetting.removeFirst()
            if let override = overrides[first.ref], override.lastKey == first.dueMs { overrides[first.ref] = nil }
        }
    }

    /// The first runs of a band that are wholly done and that no moved message lies in; they are gone from the store.
    public mutating func removeDoneRuns(band: Int) -> DelayRun? {
        var done: DelayRun?
        while let first = runs[band].first, first.run.last <= front, !isPinned(band: band, below: first.run.bodyEnd) {
            done = first.run
            runs[band].removeFirst()
        }
        return done
    }

    /// Whether a message that still waits has its body below `bodyEnd`.
    public func isPinned(band: Int, below bodyEnd: Offset) -> Bool {
        overrides.contains { ref, override in
            ref.band == band && ref.offset < bodyEnd && override.toMs.map { DelayKey(dueMs: $0, ref: ref) > front } ?? false
        }
    }

    /// All durable state as facts: what a snapshot holds.
    public func snapshot() -> [DelayFact] {
        var facts: [DelayFact] = targets.sorted { $0.key < $1.key }.map { .target(number: $0.key, $0.value) }
        for band in 0..<DelayBand.count {
            facts += runs[band].map { .run($0.run) }
            facts.append(.emptied(band: band, bodyEnd: bodyEnds[band]))
        }
        facts += purges.sorted { $0.key < $1.key }.map { .purged(target: $0.key, ends: $0.value) }
        facts += overrides.sorted { $0.key < $1.key }.map {
            .moved($0.key, target: $0.value.target, fromMs: $0.value.fromMs, toMs: $0.value.toMs)
        }
        let targets = openTargets.sorted { $0.key < $1.key }.map { DelayFact.OpenTarget(target: $0.key, from: $0.value) }
        facts.append(.front(front, open: targets))
        return facts
    }
}

extension DelayStore {
    /// A run and how far it has been released.
    public struct RunReader: Sendable {
        public internal(set) var run: DelayRun
        /// The block that is read next, or is being read.
        public internal(set) var block = 0
        var entries: [DelayEntry] = []
        /// The first entry of `entries` that is left.
        var next = 0
        /// Entries up to this were done when the run was opened.
        var skipped = DelayKey.zero

        init(_ run: DelayRun) { self.run = run }

        var isDone: Bool { entries.isEmpty && block >= run.blocks }

        /// No entry that is left comes before this.
        var bound: DelayKey { entries.isEmpty ? run.fences[block] : entries[next].key }

        mutating func start(after key: DelayKey) {
            skipped = key
            block = key >= run.last ? run.blocks : run.block(after: key)
        }

        /// Begins again further on.
        mutating func restart(after key: DelayKey) {
            guard !isDone, bound <= key else { return }
            entries = []
            next = 0
            start(after: key)
        }

        mutating func load(_ loaded: [DelayEntry]) {
            var left = skipped == .zero ? loaded : loaded.compactMap { $0.after(skipped) }
            if run.validBelow < run.bodyEnd { left.removeAll { $0.nextOffset > run.validBelow } }
            block += 1
            entries = left
            next = 0
        }

        mutating func removeFirst() {
            next += 1
            if next == entries.count { entries = [] }
        }

        mutating func replaceFirst(with entry: DelayEntry) { entries[next] = entry }
    }
}
