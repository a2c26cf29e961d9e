import Model

/// What operators do to waiting messages, and writing tables out.
extension DelayStore {
    /// Why a message can't be cancelled or moved.
    public enum Refusal: Error, Equatable, Sendable {
        /// It was released, cancelled or never there.
        case notWaiting
        case tooManyOverrides(limit: Int)
    }

    /// When a message that `entry` names is due by the index, corrected by what operators did; nil when it does not wait.
    public func dueMs(of ref: DelayRef, indexed: Int64, target: UInt32) -> Int64? {
        if isPurged(DelayEntry(dueMs: indexed, ref: ref, count: 1, target: target)) || released.contains(ref) { return nil }
        guard let override = overrides[ref] else { return DelayKey(dueMs: indexed, ref: ref) > taken ? indexed : nil }
        return override.toMs.flatMap { DelayKey(dueMs: $0, ref: ref) > taken ? $0 : nil }
    }

    /// The fact that moves a message to another time (nil: cancels it). A time that is past becomes the next there is.
    /// - Parameter indexed: when its index entry says it is due.
    public func move(
        _ ref: DelayRef, target: UInt32, indexed: Int64, toMs: Int64?
    ) -> Result<DelayFact, Refusal> {
        guard dueMs(of: ref, indexed: indexed, target: target) != nil else { return .failure(.notWaiting) }
        guard overrides[ref] != nil || overrides.count < overrideLimit else { return .failure(.tooManyOverrides(limit: overrideLimit)) }
        var toMs = toMs.map { max($0, floorMs) }
        // The entry in the index would be taken for the moved one.
        if toMs == indexed { toMs = indexed + 1 }
        return .success(.moved(ref, target: target, fromMs: overrides[ref]?.fromMs ?? indexed, toMs: toMs))
    }

    /// The fact that brings a cancelled message back, due at `toMs` or the next time there is. Its body is sure to be there as long as the
    /// front has not passed its index entry.
    public func restore(_ ref: DelayRef, target: UInt32, toMs: Int64) -> Result<DelayFact, Refusal> {
        guard let override = overrides[ref], override.toMs == nil, !released.contains(ref),
            !isPurged(DelayEntry(dueMs: override.fromMs, ref: ref, count: 1, target: target)),
            DelayKey(dueMs: override.fromMs, ref: ref) > front
        else { return .failure(.notWaiting) }
        var toMs = max(toMs, floorMs)
        // The entry in the index would be taken for the moved one.
        if toMs == override.fromMs { toMs += 1 }
        return .success(.moved(ref, target: target, fromMs: override.fromMs, toMs: toMs))
    }

    /// Applies a move that was decided by ``move(_:target:indexed:toMs:)`` and counts it.
    public mutating func perform(_ fact: DelayFact) {
        guard case .moved(let ref, let target, let fromMs, let toMs) = fact else { return apply(fact) }
        let before = overrides[ref].map { $0.toMs } ?? fromMs
        if let before { counts.add(-1, dueMs: before, band: ref.band, target: target) }
        if let toMs { counts.add(1, dueMs: toMs, band: ref.band, target: target) }
        apply(fact)
    }

    /// Purges what a target has waiting now; the fact, and how many messages that are.
    /// - Parameter ends: the end of each band's bodies.
    public func purge(target: UInt32, ends: [Offset]) -> (fact: DelayFact, count: Int64) {
        (.purged(target: target, ends: ends), counts.totals[target] ?? 0)
    }

    public mutating func performPurge(_ fact: DelayFact) {
        guard case .purged(let target, _) = fact else { return }
        counts.remove(target: target)
        apply(fact)
    }

    // MARK: Writing out

    /// Sets a band's table aside to be written out; nil when there is nothing in it. It goes on being released from.
    /// - Parameter bodyEnd: the end of the band's bodies that are written.
    public mutating func freeze(band: Int, bodyEnd: Offset, always: Bool = false) -> [DelayEntry]? {
        precondition(frozen == nil, "one table is written out at a time")
        guard always || !tables[band].isEmpty else { return nil }
        let table = tables[band]
        tables[band] = DelayTable(room: table.count)
        tailBytes[band] = 0
        frozen = (band, table, bodyEnd)
        return purges.isEmpty ? table.entries : table.entries.filter { !isPurged($0) }
    }

    /// The run that the frozen table became is logged: it takes the table's place.
    public mutating func adopt(_ run: DelayRun) {
        apply(.run(run))
        runs[run.band][runs[run.band].count - 1].start(after: taken)
        frozen = nil
    }

    /// The frozen table had nothing to write out.
    public mutating func dropFrozen() {
        guard let frozen else { return }
        apply(.emptied(band: frozen.band, bodyEnd: frozen.bodyEnd))
        self.frozen = nil
    }

    /// Writing out failed: its entries go back.
    public mutating func thaw() {
        guard let frozen else { return }
        tables[frozen.band].insert(contentsOf: frozen.table.entries)
        self.frozen = nil
    }

    // MARK: Start

    /// After all facts are applied: opens the runs behind the front and counts what they hold there. Entries of the span that the front
    /// lies in are counted one by one: the blocks returned must be read and passed to ``recount(_:)``.
    public mutating func open() -> [BlockRequest] {
        taken = front
        // What was moved and released before the front is done, though its override is kept until its index entry is passed too.
        while let first = moved.first, first.key <= front { moved.removeFirst() }
        var requests: [BlockRequest] = []
        for band in runs.indices {
            for index in runs[band].indices {
                runs[band][index].start(after: front)
                let run = runs[band][index].run
                guard !runs[band][index].isDone else { continue }
                for item in run.spans where item.span.startMs > front.dueMs && !isPurged(item, run) {
                    counts.add(item.count, in: item.span, target: item.target)
                }
                guard let straddled = run.spans.first(where: { $0.span.startMs <= front.dueMs && $0.span.endMs > front.dueMs }) else {
                    continue
                }
                for block in run.block(after: front)..<run.blocks where run.fences[block].dueMs < straddled.span.endMs {
                    requests.append(BlockRequest(band: band, run: run.first, offset: run.first + Int64(block)))
                }
            }
        }
        return requests
    }

    /// The last step of a start, when runs and the newest bodies are counted: what operators moved counts at its new time.
    public mutating func countMoved() {
        for (ref, override) in overrides {
            let entry = DelayEntry(dueMs: override.fromMs, ref: ref, count: 1, target: override.target)
            if isPurged(entry) { continue }
            if entry.key > front { counts.add(-1, dueMs: override.fromMs, band: ref.band, target: override.target) }
            if let toMs = override.toMs, DelayKey(dueMs: toMs, ref: ref) > front {
                counts.add(1, dueMs: toMs, band: ref.band, target: override.target)
            }
        }
    }

    private func isPurged(_ item: DelayRun.SpanCount, _ run: DelayRun) -> Bool {
        guard let ends = purges[item.target], run.band < ends.count else { return false }
        return run.bodyEnd <= ends[run.band]
    }

    public mutating func recount(_ entries: [DelayEntry]) {
        for entry in entries {
            guard let left = entry.after(front), !isPurged(left) else { continue }
            let span = counts.span(dueMs: left.dueMs, band: left.ref.band)
            if span.startMs <= front.dueMs { counts.add(left) }
        }
    }
}
