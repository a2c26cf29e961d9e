import Model

/// Taking what is due, in order, from tables, runs and moved messages.
extension DelayStore {
    /// A block of a run that must be read before anything more can be taken.
    public struct BlockRequest: Equatable, Sendable {
        public var band: Int
        /// The run, by its first block's offset.
        public var run: Offset
        /// The block's offset in the runs stream.
        public var offset: Offset
    }

    public struct Take: Sendable {
        /// In order of release; the last key of what was looked at is ``through``.
        public var entries: [DelayEntry] = []
        public var records = 0
        /// Cancelled, moved or purged ones were passed over: everything up to here is done once `entries` are.
        public var through: DelayKey?
        public var needs: BlockRequest?
    }

    private enum Source {
        case table(Int), frozen, run(Int, Int), moved, returned
    }

    /// Takes up to `limit` messages that are due at `dueMs` or before.
    public mutating func take(dueMs: Int64, limit: Int) -> Take {
        var take = Take()
        while take.records < limit, let (source, key) = nextSource(), key.dueMs <= dueMs {
            guard let entry = first(of: source) else {
                take.needs = request(source)
                break
            }
            var part = entry
            let room = limit - take.records
            if Int(part.count) > room {
                part.count = UInt32(room)
                replaceFirst(
                    of: source,
                    with: DelayEntry(
                        dueMs: entry.dueMs, ref: entry.ref.advanced(by: room), count: entry.count - UInt32(room), target: entry.target))
            } else {
                removeFirst(of: source)
            }
            taken = max(taken, part.lastKey)
            take.through = part.lastKey
            let live = living(part, isMoved: isMoved(source, part))
            for entry in live { take.records += Int(entry.count) }
            take.entries.append(contentsOf: live)
            if live.isEmpty, take.entries.isEmpty, take.through.map({ $0.dueMs < dueMs }) ?? false { continue }
        }
        return take
    }

    /// When the next message is due at the earliest; nil when none waits.
    public func nextDueMs() -> Int64? { nextSource()?.key.dueMs }

    /// Puts back what was taken and could not be released. It comes out first.
    public mutating func giveBack(_ entries: [DelayEntry]) {
        for entry in entries { returned.insert(entry) }
    }

    /// Nothing that was taken has come back.
    public var hasReturned: Bool { !returned.isEmpty }

    /// Blocks that come due until `dueMs`, to be read ahead.
    public func wantedBlocks(dueMs: Int64) -> [BlockRequest] {
        runs.indices.flatMap { band in
            runs[band].compactMap { reader in
                guard reader.entries.isEmpty, !reader.isDone, reader.run.fences[reader.block].dueMs <= dueMs else { return nil }
                return BlockRequest(band: band, run: reader.run.first, offset: reader.run.first + Int64(reader.block))
            }
        }
    }

    /// Takes in a block that was read.
    public mutating func load(_ request: BlockRequest, _ entries: [DelayEntry]) {
        guard let index = runs[request.band].firstIndex(where: { $0.run.first == request.run }) else { return }
        let reader = runs[request.band][index]
        guard reader.entries.isEmpty, reader.run.first + Int64(reader.block) == request.offset else { return }
        runs[request.band][index].load(entries)
    }

    /// Makes a copy, which is only looked at, begin at a time; tables keep only what belongs to these targets (nil: all).
    public mutating func seek(fromMs: Int64, targets: Set<UInt32>?) {
        func isWanted(_ entry: DelayEntry) -> Bool { entry.dueMs >= fromMs && targets?.contains(entry.target) ?? true }
        func kept(_ table: DelayTable) -> DelayTable {
            var result = DelayTable()
            result.insert(contentsOf: table.entries.filter(isWanted))
            return result
        }
        func kept(_ heap: DelayHeap) -> DelayHeap {
            var result = DelayHeap()
            for entry in heap.entries where isWanted(entry) { result.insert(entry) }
            return result
        }
        for band in tables.indices { tables[band] = kept(tables[band]) }
        if let frozen { self.frozen = (frozen.band, kept(frozen.table), frozen.bodyEnd) }
        moved = kept(moved)
        returned = kept(returned)
        let key = DelayKey(dueMs: fromMs - 1, ref: DelayRef(raw: .max))
        for band in runs.indices {
            for index in runs[band].indices where runs[band][index].run.fences[0] <= key {
                runs[band][index].restart(after: max(key, taken))
            }
        }
    }

    // MARK: Sources

    private func nextSource() -> (Source, key: DelayKey)? {
        var best: (Source, key: DelayKey)?
        func consider(_ key: DelayKey, _ source: Source) {
            if best.map({ key < $0.key }) ?? true { best = (source, key) }
        }
        if let first = returned.first { consider(first.key, .returned) }
        if let first = moved.first { consider(first.key, .moved) }
        if let first = frozen?.table.firstKey { consider(first, .frozen) }
        for band in tables.indices {
            if let first = tables[band].firstKey { consider(first, .table(band)) }
            for index in runs[band].indices where !runs[band][index].isDone { consider(runs[band][index].bound, .run(band, index)) }
        }
        return best
    }

    private mutating func first(of source: Source) -> DelayEntry? {
        switch source {
        case .table(let band): tables[band].first()
        case .frozen: frozen?.table.first()
        case .moved: moved.first
        case .returned: returned.first
        case .run(let band, let index):
            runs[band][index].entries.isEmpty ? nil : runs[band][index].entries[runs[band][index].next]
        }
    }

    private func request(_ source: Source) -> BlockRequest? {
        guard case .run(let band, let index) = source else { return nil }
        let reader = runs[band][index]
        return BlockRequest(band: band, run: reader.run.first, offset: reader.run.first + Int64(reader.block))
    }

    private mutating func removeFirst(of source: Source) {
        switch source {
        case .table(let band): tables[band].removeFirst()
        case .frozen: frozen?.table.removeFirst()
        case .moved:
            // What was moved away and back again is in there twice.
            let key = moved.removeFirst()?.key
            while let first = moved.first, first.key == key { moved.removeFirst() }
        case .returned: returned.removeFirst()
        case .run(let band, let index): runs[band][index].removeFirst()
        }
    }

    private mutating func replaceFirst(of source: Source, with entry: DelayEntry) {
        switch source {
        case .table(let band): tables[band].replaceFirst(with: entry)
        case .frozen: frozen?.table.replaceFirst(with: entry)
        case .moved: moved.replaceFirst(with: entry)
        case .returned: returned.replaceFirst(with: entry)
        case .run(let band, let index): runs[band][index].replaceFirst(with: entry)
        }
    }

    /// Whether an entry stands for a message that an operator moved to this time.
    private func isMoved(_ source: Source, _ entry: DelayEntry) -> Bool {
        switch source {
        case .moved: true
        case .returned: entry.count == 1 && overrides[entry.ref].map { $0.toMs == entry.dueMs } ?? false
        case .table, .frozen, .run: false
        }
    }

    /// What of an entry is to be released: not what was purged, cancelled, moved to another time or released before a crash.
    private mutating func living(_ entry: DelayEntry, isMoved: Bool) -> [DelayEntry] {
        if isPurged(entry) { return [] }
        if isMoved {
            guard overrides[entry.ref]?.toMs == entry.dueMs else { return [] }
            return wasReleased(entry) ? [] : [entry]
        }
        if overrides.isEmpty, released.isEmpty { return [entry] }
        var parts: [DelayEntry] = []
        var start = 0
        for index in 0...Int(entry.count) {
            let ref = entry.ref.advanced(by: index)
            let isGone =
                index == Int(entry.count) || overrides[ref] != nil
                || wasReleased(DelayEntry(dueMs: entry.dueMs, ref: ref, count: 1, target: entry.target))
            guard isGone else { continue }
            if index > start {
                parts.append(
                    DelayEntry(
                        dueMs: entry.dueMs, ref: entry.ref.advanced(by: start), count: UInt32(index - start), target: entry.target))
            }
            start = index + 1
        }
        return parts
    }

    private mutating func wasReleased(_ entry: DelayEntry) -> Bool {
        guard !released.isEmpty, released.remove(entry.ref) != nil else { return false }
        counts.add(entry, sign: -1)
        return true
    }
}
