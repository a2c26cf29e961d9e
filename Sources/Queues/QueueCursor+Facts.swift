import Collections
import Model

/// How facts change a cursor: alike when it decides them, and when they are read back.
extension QueueCursor {
    public mutating func apply(_ fact: QueueFact) {
        switch fact {
        case .start(let offset): restart(at: offset)
        case .settled(let range, let how): totals.count(how, take(range.raw))
        case .ready(let range, let attempts):
            take(range.raw)
            ready.insert(range.raw, Int32(attempts))
        case .waiting(let range, let attempts, let due):
            take(range.raw)
            addWaiting(range.raw, Wait(attempts: Int32(attempts), due: due))
        case .dying(let range, let attempts, let reason):
            take(range.raw)
            dying.insert(range.raw, Death(attempts: Int32(attempts), reason: reason))
            if reason != .expired { totals.hasFailures = true }
        case .purged(let mark, let end, let kept): purge(mark, end: end.value, kept: kept)
        case .undone(let id): undo(id)
        case .forgotten(let id): purges.removeAll { $0.mark.id == id }
        case .replayed(let range):
            for gap in gaps(in: max(range.lowerBound.value, floor)..<min(range.upperBound.value, frontier)) {
                ready.insert(gap, 0)
                // From here on they go their own way: undoing a purge that took them must not bring back what is settled by then.
                for index in purges.indices {
                    purges[index].ready.remove(gap)
                    purges[index].waiting.remove(gap)
                }
            }
        case .gate(.delivery, let held): holdsDelivery = held
        case .gate(.publishing, let held): holdsPublishing = held
        case .cut(let end): cut(end.value)
        case .deleted: break
        case .saved(let mark, let ready, let waiting):
            var purge = Purge(mark: mark, ready: RunMap(), waiting: RunMap())
            for run in ready { purge.ready.insert(run.range.raw, Int32(run.attempts)) }
            for run in waiting { purge.waiting.insert(run.range.raw, Wait(attempts: Int32(run.attempts), due: run.due ?? mark.at)) }
            purges.removeAll { $0.mark.id == mark.id }
            purges.append(purge)
        case .totals(let totals, let nextPurge):
            self.totals = totals
            self.nextPurge = nextPurge
        }
    }

    /// Facts that make an equal cursor: with what is acquired or claimed back where it was, as after a crash.
    public func snapshot() -> [QueueFact] {
        var facts: [QueueFact] = [.start(Offset(frontier)), .totals(totals, nextPurge: nextPurge)]
        var back = ready
        var waits = waiting
        acquired.forEach { run in
            back.insert(run.first..<run.end, run.value.attempts - 1)
            return true
        }
        claimed.forEach { run in
            if let due = run.value.due {
                waits.insert(run.first..<run.end, Wait(attempts: run.value.attempts, due: due))
            } else {
                back.insert(run.first..<run.end, run.value.attempts)
            }
            return true
        }
        back.forEach { run in
            facts.append(.ready(Range(run.first, run.end), attempts: Int(run.value)))
            return true
        }
        waits.forEach { run in
            facts.append(.waiting(Range(run.first, run.end), attempts: Int(run.value.attempts), due: run.value.due))
            return true
        }
        dying.forEach { run in
            facts.append(.dying(Range(run.first, run.end), attempts: Int(run.value.attempts), run.value.reason))
            return true
        }
        for purge in purges { facts.append(purge.fact) }
        if holdsDelivery { facts.append(.gate(.delivery, held: true)) }
        if holdsPublishing { facts.append(.gate(.publishing, held: true)) }
        return facts
    }

    /// The log's first offset has risen: what lies below is gone. No fact; the log knows.
    public mutating func raiseFloor(to start: Offset) {
        guard start.value > floor else { return }
        floor = start.value
        take(0..<floor)
    }

    /// Takes a range out of every map; what is left of it is settled. Returns how many messages of it were not settled.
    @discardableResult
    mutating func take(_ range: Range<Int64>) -> Int64 {
        guard !range.isEmpty else { return 0 }
        var taken: Int64 = 0
        if range.upperBound > frontier {
            if range.lowerBound > frontier { ready.insert(frontier..<range.lowerBound, 0) }
            taken += range.upperBound - max(range.lowerBound, frontier)
            frontier = range.upperBound
        }
        taken += ready.remove(range)
        if !acquired.isEmpty {
            var members = CursorMembers()
            swap(&members, &self.members)
            taken += acquired.remove(range) { members.drop($0.value.owner, $0.count) }
            swap(&members, &self.members)
        }
        taken += waiting.remove(range)
        taken += dying.remove(range)
        taken += claimed.remove(range)
        return taken
    }

    private mutating func restart(at offset: Offset) {
        ready = RunMap()
        acquired = RunMap()
        waiting = RunMap()
        dying = RunMap()
        claimed = RunMap()
        purges = []
        locks = Heap()
        dues = Heap()
        members.dropAll()
        frontier = offset.value
    }

    private mutating func cut(_ end: Int64) {
        if frontier > end {
            take(end..<Int64.max)
            frontier = end
        }
        for index in purges.indices {
            purges[index].ready.remove(end..<Int64.max)
            purges[index].waiting.remove(end..<Int64.max)
        }
    }

    // MARK: Purge and undo

    private mutating func purge(_ mark: PurgeMark, end: Int64, kept: [Range<Offset>]) {
        guard !purges.contains(where: { $0.mark.id == mark.id }) else { return }
        if end > frontier {
            ready.insert(frontier..<end, 0)
            frontier = end
        }
        var purge = Purge(mark: mark, ready: ready, waiting: waiting)
        ready = RunMap()
        waiting = RunMap()
        dues = Heap()
        // What lies at or above the end was replayed or arrived later, and what was held is not purged.
        for range in kept.map(\.raw) + [end..<Int64.max] {
            var stays: [RunMap<Int32>.Run] = []
            purge.ready.remove(range) { stays.append($0) }
            for run in stays { ready.insert(run.first..<run.end, run.value) }
            var waits: [RunMap<Wait>.Run] = []
            purge.waiting.remove(range) { waits.append($0) }
            for run in waits { addWaiting(run.first..<run.end, run.value) }
        }
        purges.append(purge)
        nextPurge = max(nextPurge, mark.id + 1)
        if purges.count > limits.purgesPerCursor { purges.removeFirst() }
    }

    private mutating func undo(_ id: Int64) {
        guard let index = purges.firstIndex(where: { $0.mark.id == id }) else { return }
        let purge = purges.remove(at: index)
        purge.ready.forEach { run in
            for gap in gaps(in: max(run.first, floor)..<max(floor, min(run.end, frontier))) { ready.insert(gap, run.value) }
            return true
        }
        purge.waiting.forEach { run in
            for gap in gaps(in: max(run.first, floor)..<max(floor, min(run.end, frontier))) { addWaiting(gap, run.value) }
            return true
        }
    }

    /// The settled stretches of a range below the frontier, in order.
    func gaps(in range: Range<Int64>) -> [Range<Int64>] {
        guard !range.isEmpty else { return [] }
        var open: [Range<Int64>] = []
        ready.collect(range, &open)
        acquired.collect(range, &open)
        waiting.collect(range, &open)
        dying.collect(range, &open)
        claimed.collect(range, &open)
        open.sort { $0.lowerBound < $1.lowerBound }
        var gaps: [Range<Int64>] = []
        var at = range.lowerBound
        for run in open {
            if run.lowerBound > at { gaps.append(at..<run.lowerBound) }
            at = run.upperBound
        }
        if at < range.upperBound { gaps.append(at..<range.upperBound) }
        return gaps
    }
}

extension QueueCursor.Purge {
    fileprivate var fact: QueueFact {
        var saved: [SavedRun] = []
        ready.forEach { run in
            saved.append(SavedRun(range: Range(run.first, run.end), attempts: Int(run.value)))
            return true
        }
        var waits: [SavedRun] = []
        waiting.forEach { run in
            waits.append(SavedRun(range: Range(run.first, run.end), attempts: Int(run.value.attempts), due: run.value.due))
            return true
        }
        return .saved(mark, ready: saved, waiting: waits)
    }
}

extension RunMap {
    func collect(_ range: Range<Int64>, _ ranges: inout [Range<Int64>]) {
        forEach(in: range) { run in
            ranges.append(run.first..<run.end)
            return true
        }
    }
}
