import Collections
import Model

/// The time at which a cursor decides: wall time for what is due, monotonic time for locks and rates.
public struct CursorTime: Equatable, Sendable {
    public var wall: Timestamp
    public var monotonic: Monotonic

    public init(wall: Timestamp, monotonic: Monotonic) {
        self.wall = wall
        self.monotonic = monotonic
    }
}

/// Per-message state over one partition log for one share group: who has what, what waits, what is done. A pure value: it decides, applies
/// its own decisions at once and returns them as facts; its owner logs those before it answers.
///
/// ```
/// floor 60              frontier 500                  end 900
///   │ settled, but for the runs in the maps │ ready and new │
/// ready     [70, 72) attempt 1 failed            acquired [480, 500) by c1, 1st delivery, until 12:00:30
/// waiting   [90, 91) due 12:05                   dying    [75, 76) rejected
/// ```
/// Everything from the frontier on is ready and was never delivered; below it a message is settled unless one of the maps has it. So memory
/// follows what is in flight or waits, not the backlog: a hundred million ready messages are two integers.
///
/// Applying the logged facts to an empty cursor gives the live state, with what was acquired or claimed back where it was.
public struct QueueCursor: Sendable {
    struct Lock: Equatable, Sendable {
        var owner: Int32
        var attempts: Int32
        /// When it was delivered.
        var since: Monotonic
        var deadline: Monotonic
    }
    struct Wait: Equatable, Sendable {
        var attempts: Int32
        var due: Timestamp
    }
    struct Death: Equatable, Sendable {
        var attempts: Int32
        var reason: DeadReason
    }
    /// Taken by a job; goes back to ready, or to waiting where `due` says so.
    struct Claim: Equatable, Sendable {
        var attempts: Int32
        var due: Timestamp?
    }
    struct Purge: Sendable {
        var mark: PurgeMark
        var ready: RunMap<Int32>
        var waiting: RunMap<Wait>
    }
    /// Something to look at when `at` (ns or ms) has come; what it was set for may have gone meanwhile.
    struct Alarm: Comparable, Sendable {
        var at: Int64
        var first: Int64
        var end: Int64

        static func < (left: Alarm, right: Alarm) -> Bool { (left.at, left.first) < (right.at, right.first) }
    }

    /// What the cursor is told to do; set by its owner when settings change.
    public var policy: QueuePolicy
    let limits: Limits

    // Durable state: a function of the facts.
    var floor: Int64 = 0
    var frontier: Int64 = 0
    /// Ready again, by deliveries so far.
    var ready = RunMap<Int32>()
    var acquired = RunMap<Lock>()
    var waiting = RunMap<Wait>()
    var dying = RunMap<Death>()
    var claimed = RunMap<Claim>()
    var purges: [Purge] = []
    var nextPurge: Int64 = 1
    public internal(set) var totals = CursorTotals()
    public internal(set) var holdsDelivery = false
    public internal(set) var holdsPublishing = false

    // What lives only as long as the broker runs.
    /// The log's high watermark.
    public var end = Offset.zero
    var members = CursorMembers()
    var locks = Heap<Alarm>()
    var dues = Heap<Alarm>()
    /// The one member that gets messages, where only one may.
    var active: Int32?
    var rate = RateBucket()
    public internal(set) var statistics = CursorStatistics()

    public init(policy: QueuePolicy, limits: Limits) {
        self.policy = policy
        self.limits = limits
    }

    // MARK: Numbers

    public var readyCount: Int64 { ready.count + max(0, end.value - frontier) }
    public var acquiredCount: Int64 { acquired.count }
    public var waitingCount: Int64 { waiting.count }
    /// On their way to the dead-letter target, or taken by a job.
    public var movingCount: Int64 { dying.count + claimed.count }
    /// Messages that are not settled.
    public var openCount: Int64 { readyCount + acquired.count + waiting.count + movingCount }

    /// The first message that is not settled; the log's end when all are.
    public var firstOpen: Offset {
        var first = min(frontier, end.value)
        for run in [ready.first?.first, acquired.first?.first, waiting.first?.first, dying.first?.first, claimed.first?.first] {
            if let run { first = min(first, run) }
        }
        return Offset(first)
    }

    /// The first message that a purge could bring back, or that is not settled.
    public var firstNeeded: Offset {
        purges.reduce(firstOpen) { first, purge in
            min(first, Offset(min(purge.ready.first?.first ?? .max, purge.waiting.first?.first ?? .max)))
        }
    }

    /// The earliest time at which a waiting message is due.
    public var nextDue: Timestamp? { dues.min.map { Timestamp(ms: $0.at) } }

    /// Purges that can be undone, newest first.
    public var marks: [PurgeMark] { purges.reversed().map(\.mark) }

    /// Members that hold messages, and how many.
    public var holders: [(member: String, held: Int64)] { members.holders }

    public func held(by member: String) -> Int64 { members.held(by: member) }

    /// Everything that costs memory.
    var runCount: Int { ready.runCount + acquired.runCount + waiting.runCount + dying.runCount + claimed.runCount }

    // MARK: Time

    /// Whether ``promote(now:)`` would change anything.
    public func hasDue(at now: Timestamp) -> Bool { dues.min.map { $0.at <= now.ms } ?? false }

    /// Whether ``tick(now:seed:)`` would: a cursor that is only looked at stays as it was.
    public func wantsTick(now: CursorTime) -> Bool {
        if rate.waitsUntil != nil || hasDue(at: now.wall) { return true }
        if let lock = locks.min, lock.at <= Int64(now.monotonic.ns) { return true }
        return purges.contains { $0.mark.until <= now.wall }
    }

    /// Nobody could get anything now, whoever asks: nothing is ready and nothing that waits is due, delivery is held, or as much is out as
    /// may be.
    public func isQuiet(at now: Timestamp) -> Bool {
        if hasDue(at: now) { return false }
        return holdsDelivery || acquired.count >= Int64(policy.maxInFlight) || (ready.isEmpty && frontier >= end.value)
    }

    /// Whether ``raiseFloor(to:)`` would change anything.
    public func mayRaiseFloor(to start: Offset) -> Bool { start.value > floor }

    /// Waiting messages whose time has come are ready. No fact: the waiting one says it already.
    public mutating func promote(now: CursorTime) {
        while let alarm = dues.min, alarm.at <= now.wall.ms {
            dues.removeMin()
            var come: [RunMap<Wait>.Run] = []
            waiting.forEach(in: alarm.first..<alarm.end) { run in
                if run.value.due <= now.wall { come.append(run) }
                return true
            }
            for run in come {
                waiting.remove(run.first..<run.end)
                ready.insert(run.first..<run.end, run.value.attempts)
            }
        }
    }

    /// When the cursor should be ticked next: a lock runs out, a message is due, a rate allows more, a purge can no longer be undone.
    public func nextDeadline(now: CursorTime) -> Monotonic? {
        var deadline: Monotonic?
        func consider(_ candidate: Monotonic) { deadline = min(deadline ?? candidate, candidate) }
        if let lock = locks.min { consider(Monotonic(ns: UInt64(lock.at))) }
        if let due = dues.min { consider(now.monotonic.advanced(byMs: due.at - now.wall.ms)) }
        if let refill = rate.waitsUntil { consider(refill) }
        if let purge = purges.map(\.mark.until).min() { consider(now.monotonic.advanced(byMs: purge - now.wall)) }
        return deadline
    }

    mutating func addWaiting(_ range: Range<Int64>, _ wait: Wait) {
        waiting.insert(range, wait)
        if dues.count > 2 * waiting.runCount + 64 {
            dues = Heap()
            waiting.forEach { run in
                dues.insert(Alarm(at: run.value.due.ms, first: run.first, end: run.end))
                return true
            }
        } else {
            dues.insert(Alarm(at: wait.due.ms, first: range.lowerBound, end: range.upperBound))
        }
    }

    mutating func addLock(_ range: Range<Int64>, _ lock: Lock) {
        acquired.insert(range, lock)
        members.hold(lock.owner, range.upperBound - range.lowerBound)
        guard locks.count > 2 * acquired.runCount + 64 else {
            return locks.insert(Alarm(at: Int64(lock.deadline.ns), first: range.lowerBound, end: range.upperBound))
        }
        locks = Heap()
        acquired.forEach { run in
            locks.insert(Alarm(at: Int64(run.value.deadline.ns), first: run.first, end: run.end))
            return true
        }
    }
}

extension Range<Offset> {
    init(_ first: Int64, _ end: Int64) { self = Offset(first)..<Offset(end) }
    var raw: Range<Int64> { lowerBound.value..<upperBound.value }
}
