import Model

/// What operators, jobs and the owner of the log do to a cursor.
extension QueueCursor {
    // MARK: Looking

    /// Runs of messages in one state from `offset` on, at most `limit` runs. Deliveries so far and, for waiting ones, when they are due.
    public func list(_ state: CursorState, in range: Range<Offset>, limit: Int) -> [CursorRun] {
        var runs: [CursorRun] = []
        func add(_ first: Int64, _ end: Int64, _ attempts: Int32, _ due: Timestamp? = nil) -> Bool {
            runs.append(CursorRun(range: Range(first, end), state: state, attempts: Int(attempts), due: due))
            return runs.count < limit
        }
        guard limit > 0, !range.isEmpty else { return [] }
        switch state {
        case .ready:
            ready.forEach(in: range.raw) { add($0.first, $0.end, $0.value) }
            let fresh = range.raw.clamped(to: frontier..<max(frontier, end.value))
            if runs.count < limit, !fresh.isEmpty { _ = add(fresh.lowerBound, fresh.upperBound, 0) }
        case .acquired: acquired.forEach(in: range.raw) { add($0.first, $0.end, $0.value.attempts) }
        case .waiting: waiting.forEach(in: range.raw) { add($0.first, $0.end, $0.value.attempts, $0.value.due) }
        case .moving:
            var found: [CursorRun] = []
            dying.forEach(in: range.raw) { run in
                found.append(CursorRun(range: Range(run.first, run.end), state: state, attempts: Int(run.value.attempts)))
                return found.count < limit
            }
            let dead = found.count
            claimed.forEach(in: range.raw) { run in
                found.append(CursorRun(range: Range(run.first, run.end), state: state, attempts: Int(run.value.attempts)))
                return found.count - dead < limit
            }
            runs = Array(found.sorted { $0.range.lowerBound < $1.range.lowerBound }.prefix(limit))
        case .settled:
            for gap in gaps(in: range.raw.clamped(to: floor..<max(floor, frontier))) where !add(gap.lowerBound, gap.upperBound, 0) { break }
        }
        return runs
    }

    /// A message's state, deliveries and due time. What lies below the log's start is settled.
    public func state(of offset: Offset) -> CursorRun {
        let one = offset..<(offset + 1)
        for state in [CursorState.ready, .acquired, .waiting, .moving] {
            if let run = list(state, in: one, limit: 1).first { return run }
        }
        return CursorRun(range: one, state: .settled, attempts: 0)
    }

    /// Ranges of messages that are ready or wait, the first `limit` of them.
    public func movable(in range: Range<Offset>, limit: Int) -> [Range<Offset>] {
        joined(list(.ready, in: range, limit: limit) + list(.waiting, in: range, limit: limit), limit)
    }

    /// Ranges of messages that are not settled, the first `limit` of them.
    public func open(in range: Range<Offset>, limit: Int) -> [Range<Offset>] {
        joined([.ready, .acquired, .waiting, .moving].flatMap { list($0, in: range, limit: limit) }, limit)
    }

    private func joined(_ runs: [CursorRun], _ limit: Int) -> [Range<Offset>] {
        var ranges: [Range<Offset>] = []
        for run in runs.sorted(by: { $0.range.lowerBound < $1.range.lowerBound }) {
            if let last = ranges.last, last.upperBound == run.range.lowerBound {
                ranges[ranges.count - 1] = last.lowerBound..<run.range.upperBound
            } else {
                if ranges.count == limit { break }
                ranges.append(run.range)
            }
        }
        return ranges
    }

    // MARK: Claims of jobs

    /// Takes what is ready or waits out of delivery. No fact: after a crash it is where it was.
    public mutating func claim(_ range: Range<Offset>, now: CursorTime) -> [Range<Offset>] {
        promote(now: now)
        let runs = list(.ready, in: range, limit: .max) + list(.waiting, in: range, limit: .max)
        for run in runs {
            take(run.range.raw)
            claimed.insert(run.range.raw, Claim(attempts: Int32(run.attempts), due: run.due))
        }
        return joined(runs, .max)
    }

    /// Puts claimed messages back as they were.
    public mutating func giveBack(_ range: Range<Offset>) {
        var runs: [RunMap<Claim>.Run] = []
        claimed.remove(range.raw) { runs.append($0) }
        for run in runs {
            if let due = run.value.due {
                addWaiting(run.first..<run.end, Wait(attempts: run.value.attempts, due: due))
            } else {
                ready.insert(run.first..<run.end, run.value.attempts)
            }
        }
    }

    /// Messages that were dying when the facts were logged: to be handed to the mover again after a restart.
    public var dyingRuns: [DeadRun] {
        var runs: [DeadRun] = []
        dying.forEach { run in
            runs.append(DeadRun(range: Range(run.first, run.end), attempts: Int(run.value.attempts), reason: run.value.reason))
            return true
        }
        return runs
    }

    // MARK: Settling

    /// Settles what is not settled yet of the ranges: all of it, or (`onlyMovable`) what is ready or waits. Returns the number of messages.
    public mutating func settle(
        _ ranges: [Range<Offset>], as how: Settlement, onlyMovable: Bool, _ step: inout CursorStep
    ) -> Int64 {
        var count: Int64 = 0
        for range in ranges {
            for piece in onlyMovable ? movable(in: range, limit: .max) : open(in: range, limit: .max) {
                count += piece.upperBound - piece.lowerBound
                settle(piece.raw, how, &step)
            }
        }
        return count
    }

    /// Throws away what waits of the ranges for its next attempt. Returns the number of messages.
    public mutating func cancelWaiting(_ ranges: [Range<Offset>], now: CursorTime) -> (count: Int64, step: CursorStep) {
        promote(now: now)
        let waits = ranges.flatMap { list(.waiting, in: $0, limit: .max).map(\.range) }
        var step = CursorStep()
        let count = settle(waits, as: .discarded, onlyMovable: true, &step)
        return (count, step)
    }

    /// Expires what is ready below `offset`, at most `limit` messages.
    public mutating func expire(before offset: Offset, limit: Int, now: CursorTime) -> CursorStep {
        promote(now: now)
        var step = CursorStep()
        dropReady(before: offset, limit: Int64(limit), .expired, &step)
        return step
    }

    /// Gives up the oldest `count` ready messages for room.
    public mutating func dropHead(_ count: Int64) -> CursorStep {
        var step = CursorStep()
        dropReady(before: end, limit: count, .maxlen, &step)
        return step
    }

    private mutating func dropReady(before offset: Offset, limit: Int64, _ reason: DeadReason, _ step: inout CursorStep) {
        var left = limit
        while left > 0, let run = list(.ready, in: Offset.zero..<max(.zero, offset), limit: 1).first {
            let end = min(run.range.upperBound.value, run.range.lowerBound.value + left)
            left -= end - run.range.lowerBound.value
            die(run.range.lowerBound.value..<end, Int32(run.attempts), reason, &step)
        }
    }

    /// Settles all that is ready or waits, and keeps where it was until `until`. nil when there is nothing.
    public mutating func purge(now: CursorTime) -> (mark: PurgeMark, step: CursorStep)? {
        promote(now: now)
        let count = readyCount + waitingCount
        guard count > 0 else { return nil }
        let mark = PurgeMark(id: nextPurge, count: count, at: now.wall, until: now.wall + policy.purgeUndoMs)
        var kept: [Range<Int64>] = []
        acquired.collect(0..<Int64.max, &kept)
        dying.collect(0..<Int64.max, &kept)
        claimed.collect(0..<Int64.max, &kept)
        kept.sort { $0.lowerBound < $1.lowerBound }
        var step = CursorStep()
        decide(
            .purged(mark, end: max(end, Offset(frontier)), kept: kept.map { Range($0.lowerBound, $0.upperBound) }), &step)
        return (mark, step)
    }

    /// Puts back what a purge took. Returns the number of messages; nil when it can't be undone (any more).
    public mutating func undoPurge(_ id: Int64, now: CursorTime) -> (count: Int64, step: CursorStep)? {
        guard let purge = purges.first(where: { $0.mark.id == id }), purge.mark.until > now.wall else { return nil }
        let before = openCount
        var step = CursorStep()
        decide(.undone(purge: id), &step)
        return (openCount - before, step)
    }

    /// How many messages ``replay(_:)`` would make ready.
    public func replayable(_ range: Range<Offset>) -> Int64 {
        gaps(in: delivered(range)).reduce(0) { $0 + ($1.upperBound - $1.lowerBound) }
    }

    /// Makes what is settled of the range ready again, as new. Returns the number of messages.
    public mutating func replay(_ range: Range<Offset>) -> (count: Int64, step: CursorStep) {
        let part = delivered(range)
        let count = replayable(range)
        var step = CursorStep()
        if count > 0 { decide(.replayed(Range(part.lowerBound, part.upperBound)), &step) }
        return (count, step)
    }

    private func delivered(_ range: Range<Offset>) -> Range<Int64> { range.raw.clamped(to: floor..<max(floor, frontier)) }

    /// Makes waiting messages due at another time, or ready at once (nil). Returns how many of them waited.
    public mutating func reschedule(_ offsets: [Offset], at due: Timestamp?, now: CursorTime) -> (count: Int64, step: CursorStep) {
        promote(now: now)
        var step = CursorStep()
        var count: Int64 = 0
        for offset in offsets {
            guard let run = list(.waiting, in: offset..<(offset + 1), limit: 1).first else { continue }
            count += 1
            decide(due.map { .waiting(run.range, attempts: run.attempts, due: $0) } ?? .ready(run.range, attempts: run.attempts), &step)
        }
        return (count, step)
    }

    /// Holds or resumes delivery or publishing.
    public mutating func setGate(_ gate: CursorGate, held: Bool) -> CursorStep {
        var step = CursorStep()
        if held != (gate == .delivery ? holdsDelivery : holdsPublishing) { decide(.gate(gate, held: held), &step) }
        return step
    }

    /// Moves the cursor: all below `offset` is settled, all from it on ready and new; nobody holds anything.
    public mutating func restart(from offset: Offset) -> CursorStep {
        var step = CursorStep()
        decide(.start(max(offset, Offset(floor))), &step)
        return step
    }

    /// After a start: the log ended at `end`. What was known of messages behind it would be taken for others with the same offsets.
    public mutating func cutBehind(_ end: Offset) -> CursorStep {
        var step = CursorStep()
        self.end = end
        if frontier > end.value { decide(.cut(end: end), &step) }
        return step
    }
}

public enum CursorState: Sendable, CaseIterable {
    case ready, acquired, waiting
    /// On its way to the dead-letter target, or taken by a job.
    case moving
    case settled
}

/// Messages side by side that are alike on a cursor.
public struct CursorRun: Equatable, Sendable {
    public var range: Range<Offset>
    public var state: CursorState
    /// Deliveries so far.
    public var attempts: Int
    /// For waiting messages.
    public var due: Timestamp?

    public init(range: Range<Offset>, state: CursorState, attempts: Int, due: Timestamp? = nil) {
        self.range = range
        self.state = state
        self.attempts = attempts
        self.due = due
    }
}
