import Model

/// What a cursor decided: facts to log before anything is answered, and messages to hand to the mover once they are logged.
public struct CursorStep: Sendable {
    public var facts: [QueueFact] = []
    public var dead: [DeadRun] = []

    public init() {}
    public var isEmpty: Bool { facts.isEmpty && dead.isEmpty }
}

/// Messages that died alike.
public struct DeadRun: Equatable, Sendable {
    public var range: Range<Offset>
    public var attempts: Int
    public var reason: DeadReason

    public init(range: Range<Offset>, attempts: Int, reason: DeadReason) {
        self.range = range
        self.attempts = attempts
        self.reason = reason
    }
}

/// Messages that were delivered together, each for the `attempts`-th time.
public struct Delivery: Equatable, Sendable {
    public var range: Range<Offset>
    public var attempts: Int

    public init(range: Range<Offset>, attempts: Int) {
        self.range = range
        self.attempts = attempts
    }
}

/// A consumer's word on a message (KIP-932's acknowledgement types).
public enum Verdict: Int8, Sendable {
    case gap = 0, accept, release, reject, renew
}

/// Delivering, and what consumers answer.
extension QueueCursor {
    /// The first message that `member` could get now; nil when there is none, or delivery is held, or the member has to wait for another
    /// (single active consumer), for messages in flight to be answered, or for `rate.out`.
    public mutating func firstAvailable(to member: String, now: CursorTime) -> Offset? {
        promote(now: now)
        guard !holdsDelivery, acquired.count < Int64(policy.maxInFlight), mayConsume(member) else { return nil }
        let first: Int64
        if let run = ready.first {
            first = run.first
        } else {
            guard frontier < end.value, runCount < limits.runsPerCursor else { return nil }
            first = frontier
        }
        guard rate.allowance(1, rate: policy.rateOut, now: now.monotonic) > 0 else { return nil }
        return Offset(first)
    }

    /// Whether there is anything that somebody could get now, as far as is known without promoting what is due.
    public var mayDeliver: Bool {
        !holdsDelivery && (!ready.isEmpty || frontier < end.value) && acquired.count < Int64(policy.maxInFlight) && rate.waitsUntil == nil
    }

    private func mayConsume(_ member: String) -> Bool {
        guard policy.isSingleActive, let active else { return true }
        return members.number(of: member) == active
    }

    /// The first message at or after `offset` that is ready.
    public func nextReady(from offset: Offset) -> Offset? {
        if let run = ready.run(atOrAfter: offset.value) { return Offset(max(run.first, offset.value)) }
        let next = max(frontier, offset.value)
        return next < end.value ? Offset(next) : nil
    }

    /// Gives ready messages within `window` to `member`, the oldest first, at most `count` of them, and locks them for `lockMs`.
    ///
    /// ```
    /// ready [70, 72) after 1 attempt, frontier 500, window 60..<503, count 4 → 70..<72 for the 2nd time, 500..<502 for the 1st
    /// ```
    /// - Parameter isWhole: the window is a batch that is given whole or not at all, as far as `maxInFlight` goes: it may exceed it.
    public mutating func acquire(
        for member: String, in window: Range<Offset>, count: Int, isWhole: Bool = false, now: CursorTime
    ) -> [Delivery] {
        promote(now: now)
        guard !holdsDelivery, mayConsume(member), count > 0 else { return [] }
        let room = Int(max(0, Int64(policy.maxInFlight) - acquired.count))
        var left = rate.allowance(isWhole && room > 0 ? count : min(count, room), rate: policy.rateOut, now: now.monotonic)
        guard left > 0 else { return [] }
        let asked = left
        let owner = members.intern(member, keeping: active)
        let deadline = now.monotonic.advanced(byMs: policy.lockMs)
        var deliveries: [Delivery] = []

        var taken: [RunMap<Int32>.Run] = []
        ready.forEach(in: window.raw) { run in
            var run = run
            run.end = min(run.end, run.first + Int64(left))
            left -= Int(run.count)
            taken.append(run)
            return left > 0
        }
        for run in taken {
            ready.remove(run.first..<run.end)
            let lock = Lock(owner: owner, attempts: run.value + 1, since: now.monotonic, deadline: deadline)
            deliver(run.first..<run.end, lock, &deliveries)
        }
        let first = max(frontier, window.lowerBound.value)
        let limit = min(end.value, window.upperBound.value)
        if left > 0, first < limit, runCount < limits.runsPerCursor {
            let last = min(limit, first + Int64(left))
            if first > frontier { ready.insert(frontier..<first, 0) }
            frontier = last
            left -= Int(last - first)
            deliver(first..<last, Lock(owner: owner, attempts: 1, since: now.monotonic, deadline: deadline), &deliveries)
        }
        rate.take(asked - left, rate: policy.rateOut)
        if policy.isSingleActive, left < asked { active = owner }
        return deliveries
    }

    private mutating func deliver(_ range: Range<Int64>, _ lock: Lock, _ deliveries: inout [Delivery]) {
        addLock(range, lock)
        let count = range.upperBound - range.lowerBound
        statistics.delivered += count
        statistics.attempts[CursorStatistics.row(lock.attempts)].delivered += count
        if let last = deliveries.last, last.range.upperBound.value == range.lowerBound, last.attempts == Int(lock.attempts) {
            deliveries[deliveries.count - 1].range = last.range.lowerBound..<Offset(range.upperBound)
        } else {
            deliveries.append(Delivery(range: Range(range.lowerBound, range.upperBound), attempts: Int(lock.attempts)))
        }
    }

    // MARK: Answers

    /// Whether `member` holds every message of the range. What lies below the log's start needs no answer any more and does not count.
    public func holds(_ member: String, _ range: Range<Offset>) -> Bool {
        let first = max(range.lowerBound.value, floor)
        guard first < range.upperBound.value else { return true }
        guard let owner = members.number(of: member) else { return false }
        var at = first
        acquired.forEach(in: first..<range.upperBound.value) { run in
            guard run.first == at, run.value.owner == owner else { return false }
            at = run.end
            return true
        }
        return at == range.upperBound.value
    }

    /// Since when the message at an offset has been with whoever holds it; nil when nobody does.
    public func heldSince(_ offset: Offset) -> Monotonic? {
        var since: Monotonic?
        acquired.forEach(in: offset.value..<(offset.value + 1)) { run in
            since = run.value.since
            return false
        }
        return since
    }

    /// Takes a verdict on messages that `member` holds; check with ``holds(_:_:)`` first. `seed` makes the jitter of retries.
    public mutating func answer(
        _ verdict: Verdict, _ range: Range<Offset>, now: CursorTime, seed: UInt64, _ step: inout CursorStep
    ) {
        let held = max(range.lowerBound.value, floor)..<max(range.upperBound.value, floor)
        guard !held.isEmpty else { return }
        switch verdict {
        case .accept:
            let acquired = acquired
            acquired.forEach(in: held) { run in
                statistics.accepted += run.count
                statistics.attempts[CursorStatistics.row(run.value.attempts)].succeeded += run.count
                return true
            }
            settle(held, .accepted, &step)
        case .gap: settle(held, .missing, &step)
        case .release: for run in pieces(held) { fail(run, now: now, seed: seed, &step) }
        case .reject: for run in pieces(held) { die(run.first..<run.end, run.value.attempts, .rejected, &step) }
        case .renew:
            let deadline = now.monotonic.advanced(byMs: policy.lockMs)
            for run in pieces(held) {
                take(run.first..<run.end)
                var lock = run.value
                lock.deadline = deadline
                addLock(run.first..<run.end, lock)
            }
        }
    }

    /// What `member` holds goes back. A member that was lost has used up its attempts (they fail as if released); one that left has not.
    public mutating func release(_ member: String, wasLost: Bool, now: CursorTime, seed: UInt64) -> CursorStep {
        var step = CursorStep()
        guard let owner = members.number(of: member) else { return step }
        if active == owner { active = nil }
        for run in pieces(0..<Int64.max) where run.value.owner == owner {
            if wasLost {
                fail(run, now: now, seed: seed, &step)
            } else {
                take(run.first..<run.end)
                ready.insert(run.first..<run.end, run.value.attempts - 1)
            }
        }
        return step
    }

    /// Lets time act: locks that ran out, waiting messages that are due, purges that can no longer be undone.
    public mutating func tick(now: CursorTime, seed: UInt64) -> CursorStep {
        var step = CursorStep()
        rate.stopWaiting()
        promote(now: now)
        while let alarm = locks.min, alarm.at <= Int64(now.monotonic.ns) {
            locks.removeMin()
            for run in pieces(alarm.first..<alarm.end) where run.value.deadline <= now.monotonic {
                fail(run, now: now, seed: seed, &step)
            }
        }
        for purge in purges where purge.mark.until <= now.wall { decide(.forgotten(purge: purge.mark.id), &step) }
        return step
    }

    private func pieces(_ range: Range<Int64>) -> [RunMap<Lock>.Run] {
        var runs: [RunMap<Lock>.Run] = []
        acquired.forEach(in: range) { run in
            runs.append(run)
            return true
        }
        return runs
    }

    /// An attempt failed: dead at the limit, waiting where there are retries, else ready again in its place.
    private mutating func fail(_ run: RunMap<Lock>.Run, now: CursorTime, seed: UInt64, _ step: inout CursorStep) {
        let attempts = run.value.attempts
        if let limit = policy.deliveryLimit, Int(attempts) >= limit {
            return die(run.first..<run.end, attempts, .deliveryLimit, &step)
        }
        guard let retry = policy.retry else {
            return decide(.ready(Range(run.first, run.end), attempts: Int(attempts)), &step)
        }
        if retry.jitter == 0 {
            let due = now.wall + retry.delayMs(afterAttempt: Int(attempts))
            return decide(.waiting(Range(run.first, run.end), attempts: Int(attempts), due: due), &step)
        }
        for offset in run.first..<run.end {
            let due = now.wall + retry.delayMs(afterAttempt: Int(attempts), noise: Self.noise(seed, offset))
            decide(.waiting(Range(offset, offset + 1), attempts: Int(attempts), due: due), &step)
        }
    }

    mutating func die(_ range: Range<Int64>, _ attempts: Int32, _ reason: DeadReason, _ step: inout CursorStep) {
        statistics.attempts[CursorStatistics.row(attempts)].died += attempts > 0 ? range.upperBound - range.lowerBound : 0
        if policy.deadLetter == .none { return settle(range, reason == .expired ? .expired : .dropped, &step) }
        let offsets = Range<Offset>(range.lowerBound, range.upperBound)
        decide(.dying(offsets, attempts: Int(attempts), reason), &step)
        step.dead.append(DeadRun(range: offsets, attempts: Int(attempts), reason: reason))
    }

    mutating func settle(_ range: Range<Int64>, _ how: Settlement, _ step: inout CursorStep) {
        let offsets = Range<Offset>(range.lowerBound, range.upperBound)
        apply(.settled(offsets, how))
        // Consumers answer one by one what lies side by side.
        if case .settled(let last, how) = step.facts.last, last.upperBound == offsets.lowerBound {
            step.facts[step.facts.count - 1] = .settled(last.lowerBound..<offsets.upperBound, how)
        } else {
            step.facts.append(.settled(offsets, how))
        }
    }

    mutating func decide(_ fact: QueueFact, _ step: inout CursorStep) {
        apply(fact)
        step.facts.append(fact)
    }

    /// From 0 to 1, the same for the same seed and offset (SplitMix64).
    static func noise(_ seed: UInt64, _ offset: Int64) -> Double {
        var mixed = seed &+ UInt64(bitPattern: offset) &* 0x9E37_79B9_7F4A_7C15
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return Double((mixed ^ (mixed >> 31)) >> 11) / Double(1 << 53)
    }
}
