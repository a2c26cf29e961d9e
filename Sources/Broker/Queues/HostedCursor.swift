import Model
import Queues

/// A queue cursor in its shard: the machine, who waits for it, and what its owner remembers besides. All state is touched on the shard's
/// loop only, which is what `@unchecked Sendable` rests on.
final class HostedCursor: @unchecked Sendable {
    let key: ShareKey
    let partition: Partition
    /// The queue's own group: the cursor that admission and retention go by.
    let isOwn: Bool
    var machine: QueueCursor { didSet { partition.touch() } }
    /// When the machine will be ticked; nil when it has nothing to wait for.
    var armedAt: Monotonic?
    /// When messages were appended, where they may expire.
    var ages = QueueAges()
    /// What is settled, and since when.
    var aging = SettledAging()
    /// Space is being freed.
    var isFreeing = false
    /// Everything ready below it has expired.
    var expiredBelow = Offset.zero
    /// Tokens of `rate.in`.
    var rateIn = RateBucket()
    /// Publishes that admission refused.
    var refused: Int64 = 0 { didSet { partition.touch() } }
    /// Publishes that were refused and went to the dead-letter target.
    var rejected = RejectedPublishes()

    /// Where the log was last found damaged, so that it is told once.
    var damagedAt: Offset?

    /// Who answered when.
    var answers: MemberAnswers

    private var waiters: [UInt64: FetchWaiter] = [:]

    init(key: ShareKey, partition: Partition, machine: QueueCursor, limits: Limits) {
        answers = MemberAnswers(limit: limits.answersPerCursor)
        self.key = key
        self.partition = partition
        self.machine = machine
        isOwn = key.group == partition.topicName
    }

    func wait(_ waiter: FetchWaiter) { waiters[waiter.id] = waiter }
    func stopWaiting(_ id: UInt64) { waiters[id] = nil }

    /// Wakes everyone who waits when there is something to deliver. Who comes too late waits again.
    func wakeIfDeliverable() {
        guard !waiters.isEmpty, machine.mayDeliver else { return }
        wakeAll()
    }

    func wakeAll() {
        guard !waiters.isEmpty else { return }
        let woken = waiters
        waiters.removeAll(keepingCapacity: true)
        for waiter in woken.values { waiter.wake() }
    }

    /// Waiting messages whose time has come are ready. What looks and changes nothing does not touch the partition, so that queues that
    /// nobody writes to cost statistics nothing, however many consumers wait for them.
    func promote(now: CursorTime) {
        if machine.hasDue(at: now.wall) { machine.promote(now: now) }
    }

    /// The first message that `member` could have now.
    func firstAvailable(to member: String, now: CursorTime) -> Offset? {
        machine.isQuiet(at: now.wall) ? nil : machine.firstAvailable(to: member, now: now)
    }

    /// The log begins at `start` now.
    func raiseFloor(to start: Offset) {
        if machine.mayRaiseFloor(to: start) { machine.raiseFloor(to: start) }
    }

    var counts: CursorCounts {
        var counts = CursorCounts(key: key, topic: partition.topicName)
        counts.ready = machine.readyCount
        counts.acquired = machine.acquiredCount
        counts.waiting = machine.waitingCount
        counts.moving = machine.movingCount
        counts.dead = machine.totals.dead
        counts.dropped = machine.totals.dropped
        counts.expired = machine.totals.expired
        counts.hasFailures = machine.totals.hasFailures
        counts.delivered = machine.statistics.delivered
        counts.accepted = machine.statistics.accepted
        counts.refused = refused
        counts.start = partition.start
        counts.end = partition.highWatermark
        counts.firstOpen = machine.firstOpen
        counts.firstOpenAt = counts.ready > 0 ? partition.times.known(counts.firstOpen) : nil
        counts.holes = partition.holeCount
        counts.bytes = partition.bytes
        counts.holdsDelivery = machine.holdsDelivery
        counts.holdsPublishing = machine.holdsPublishing
        counts.nextDue = machine.nextDue
        counts.attempts = machine.statistics.attempts
        counts.purges = machine.marks
        counts.limitShare = limitShare
        return counts
    }
}
