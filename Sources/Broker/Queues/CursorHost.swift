import Collections
import Logging
import Model
import NIOCore
import Queues
import Storage
import Wire

/// The queue cursors of one shard: takes what consumers and operators ask, lets the machines decide, logs their facts to
/// `.facts(shard, .queues)` and answers when those are logged. Timers are one deadline for all cursors. All state is touched on the shard's
/// loop only, which is what `@unchecked Sendable` rests on.
final class CursorHost: @unchecked Sendable {
    /// Kept: what is on its way for it may come back after its broker was let go (a test that kills one).
    let shard: Shard
    let configs: GroupConfigs
    let queue: FactQueue
    let random: @Sendable () -> UInt64
    private(set) var cursors: [ShareKey: HostedCursor] = [:]
    var snapshots = SnapshotPace()
    /// Told of facts when they are logged; for jobs that count what becomes of what they sent.
    var observer: ((ShareKey, [QueueFact]) -> Void)?
    private var alarms = Heap<Alarm>()
    private var wakeAt: Monotonic?
    private var isStopped = false

    private struct Alarm: Comparable {
        var at: Monotonic
        var cursor: HostedCursor
        static func < (left: Alarm, right: Alarm) -> Bool { left.at < right.at }
        static func == (left: Alarm, right: Alarm) -> Bool { left.at == right.at && left.cursor === right.cursor }
    }

    /// Facts of one step go into records of this many; nothing is lost between two of them that a client was told of.
    private static let factsPerRecord = 20_000
    /// Wake-ups closer together than this are one, and wall time is looked at this often while something is due by it.
    private static let wakeSpacingMs: Int64 = 1
    private static let longestSleepMs: Int64 = 1_000

    init(shard: Shard, configs: GroupConfigs, random: @escaping @Sendable () -> UInt64) {
        self.shard = shard
        self.configs = configs
        self.random = random
        queue = FactQueue(factBytes: shard.log.limits.entryBytes) { builder, done in
            shard.appendFacts(.queues, &builder, done: done)
            return shard.factEnds[.queues] ?? .zero
        }
    }

    var now: CursorTime { CursorTime(wall: shard.clock.now, monotonic: shard.clock.monotonic) }
    var limits: Limits { shard.options.limits }

    // MARK: Cursors

    /// The cursor, if there is one on a partition that is here.
    subscript(key: ShareKey) -> HostedCursor? { cursors[key] }

    /// The cursor; made where it is not there yet. nil without the partition, or when there are too many.
    func open(_ key: ShareKey) -> HostedCursor? {
        if let cursor = cursors[key] { return cursor }
        guard let partition = shard.partitions[key.partition], cursors.count < limits.cursors else { return nil }
        let policy = policy(of: key, partition)
        let cursor = adopt(key, partition, QueueCursor(policy: policy, limits: limits))
        let start = policy.start == .earliest ? partition.start : partition.highWatermark
        log(cursor.machine.restart(from: start), of: cursor) { _ in }
        if cursor.isOwn { noteBacklog(cursor) }
        return cursor
    }

    /// A queue's limits are for all of its partitions together.
    private func policy(of key: ShareKey, _ partition: Partition) -> QueuePolicy {
        configs.policy(group: key.group, topic: partition.topicName, partition.config)
            .shared(by: partition.siblings, index: partition.id.index)
    }

    /// Takes a machine in, as new or as read back.
    @discardableResult
    func adopt(_ key: ShareKey, _ partition: Partition, _ machine: QueueCursor) -> HostedCursor {
        let cursor = HostedCursor(key: key, partition: partition, machine: machine, limits: limits)
        cursor.machine.policy = policy(of: key, partition)
        cursor.machine.end = partition.highWatermark
        cursor.machine.raiseFloor(to: partition.start)
        cursors[key] = cursor
        partition.cursors.append(cursor)
        if cursor.isOwn, partition.config.isQueue { partition.own = cursor }
        return cursor
    }

    /// Forgets the cursors of a partition that is gone: who waits for them is woken and finds nothing.
    func release(_ partition: Partition) {
        for cursor in partition.cursors {
            cursors[cursor.key] = nil
            cursor.wakeAll()
        }
        shard.space?.forget(partition.id)
        partition.cursors = []
        partition.own = nil
    }

    func remove(_ cursor: HostedCursor) {
        cursors[cursor.key] = nil
        cursor.partition.cursors.removeAll { $0 === cursor }
        if cursor.partition.own === cursor { cursor.partition.own = nil }
        cursor.wakeAll()
    }

    /// A partition is there, or its topic's settings have changed.
    func configured(_ partition: Partition) {
        let key = ShareKey(group: partition.topicName, partition: partition.id)
        if partition.config.isQueue {
            partition.own = open(key)
        } else {
            partition.own = nil
            shard.space?.note(settledBytes: 0, of: partition.id)
        }
        for cursor in partition.cursors { follow(cursor) }
    }

    /// A share group's settings have changed.
    func configured(group: String) {
        for cursor in cursors.values where cursor.key.group == group { follow(cursor) }
    }

    private func follow(_ cursor: HostedCursor) {
        let partition = cursor.partition
        let hadAges = cursor.machine.policy.ttlMs != nil
        cursor.machine.policy = policy(of: cursor.key, partition)
        if !hadAges { noteBacklog(cursor) }
        shedOverflow(cursor)
        changed(cursor)
    }

    // MARK: Steps

    /// Logs what a machine has decided; `done` runs when it is logged, or with the error that prevented it. What died is handed to the
    /// mover then.
    func log(_ step: CursorStep, of cursor: HostedCursor, done: @escaping (ShareError?) -> Void) {
        log([(cursor, step)], done: done)
    }

    func log(_ steps: [(cursor: HostedCursor, step: CursorStep)], done: @escaping (ShareError?) -> Void) {
        var records: [FactQueue.Entry] = []
        for (cursor, step) in steps where !step.facts.isEmpty {
            for start in stride(from: 0, to: step.facts.count, by: Self.factsPerRecord) {
                records.append(
                    CursorFacts.record(cursor.key, step.facts[start..<min(start + Self.factsPerRecord, step.facts.count)]))
            }
        }
        for (cursor, _) in steps { changed(cursor) }
        guard !records.isEmpty else { return queue.after { error in done(error.map { .storage("\($0)") }) } }
        let isLogged = queue.log(records, at: shard.clock.now) { error in
            if let error {
                self.lost(error)
                return done(.storage("\(error)"))
            }
            for (cursor, step) in steps {
                self.observer?(cursor.key, step.facts)
                self.bury(step.dead, of: cursor)
            }
            done(nil)
            self.snapshotIfDue()
        }
        if !isLogged {
            lost(.full)
            done(.storage("too many facts for one entry of the log"))
        }
    }

    /// Facts that are applied here were not logged. The next snapshot holds what they say, so that later facts do not stand on a gap.
    private func lost(_ error: LogError) {
        shard.logger.error("shard \(shard.id): facts of queues were not logged: \(error)")
        snapshots.isForced = true
        snapshotIfDue()
    }

    private func bury(_ dead: [DeadRun], of cursor: HostedCursor) {
        guard !dead.isEmpty, cursors[cursor.key] === cursor, let mover = shard.mover else { return }
        var messages: [DeadMessage] = []
        for run in dead {
            for offset in run.range.lowerBound.value..<run.range.upperBound.value {
                messages.append(DeadMessage(offset: Offset(offset), attempts: run.attempts, reason: run.reason))
            }
        }
        mover.bury(cursor.key, messages)
    }

    /// After a start: what was dying goes on its way again.
    func resumeDying() {
        for cursor in cursors.values { bury(cursor.machine.dyingRuns, of: cursor) }
    }

    /// A cursor is not as it was: sets its alarm and wakes those who wait for it.
    func changed(_ cursor: HostedCursor) {
        arm(cursor)
        cursor.wakeIfDeliverable()
    }

    /// Counts what went out.
    func delivered(_ cursor: HostedCursor, messages: Int64, bytes: Int) {
        cursor.partition.counters.recordsOut += messages
        cursor.partition.counters.bytesOut += Int64(bytes)
    }

    /// The partition has more to read.
    func written(_ partition: Partition, from base: Offset) {
        for cursor in partition.cursors {
            cursor.machine.end = partition.highWatermark
            if let ttl = cursor.machine.policy.ttlMs {
                let isFirst = cursor.ages.isEmpty
                cursor.ages.note(base, at: shard.clock.now, ttlMs: ttl)
                if isFirst { arm(cursor) }
            }
            if cursor.isOwn { shedOverflow(cursor) }
            cursor.wakeIfDeliverable()
        }
    }

    /// The partition's first offset has risen.
    func trimmed(_ partition: Partition) {
        for cursor in partition.cursors { cursor.raiseFloor(to: partition.start) }
    }

    // MARK: Time

    private func arm(_ cursor: HostedCursor) {
        let now = now
        var deadline = cursor.machine.nextDeadline(now: now)
        if let ttl = cursor.machine.policy.ttlMs, let expiry = cursor.ages.nextExpiry(ttlMs: ttl) {
            deadline = min(deadline ?? Monotonic(ns: .max), now.monotonic.advanced(byMs: expiry - now.wall))
        }
        guard var deadline else { return }
        deadline = min(deadline, now.monotonic.advanced(byMs: Self.longestSleepMs))
        if let armed = cursor.armedAt, armed <= deadline { return }
        cursor.armedAt = deadline
        alarms.insert(Alarm(at: deadline, cursor: cursor))
        wake(at: deadline, now: now.monotonic)
    }

    private func wake(at deadline: Monotonic, now: Monotonic) {
        guard !isStopped else { return }
        if let wakeAt, wakeAt <= deadline { return }
        wakeAt = deadline
        let delay = max(deadline.ms(since: now) + 1, Self.wakeSpacingMs)
        shard.loop.scheduleTask(in: .milliseconds(delay)) { [weak self] in self?.woken(for: deadline) }
    }

    private func woken(for deadline: Monotonic) {
        guard wakeAt == deadline, !isStopped else { return }
        wakeAt = nil
        tick()
        if let next = alarms.min { wake(at: next.at, now: shard.clock.monotonic) }
    }

    /// Lets every cursor act on what has become due.
    func tick() {
        let now = now
        var steps: [(cursor: HostedCursor, step: CursorStep)] = []
        var due: [HostedCursor] = []
        while let alarm = alarms.min, alarm.at <= now.monotonic {
            alarms.removeMin()
            guard alarm.cursor.armedAt == alarm.at else { continue }
            alarm.cursor.armedAt = nil
            if cursors[alarm.cursor.key] === alarm.cursor { due.append(alarm.cursor) }
        }
        for cursor in due {
            let step = cursor.machine.wantsTick(now: now) ? cursor.machine.tick(now: now, seed: random()) : CursorStep()
            if step.isEmpty { changed(cursor) } else { steps.append((cursor, step)) }
        }
        // Facts of one cursor are logged in the order in which it decided them.
        if !steps.isEmpty { log(steps) { _ in } }
        for cursor in due { expire(cursor, now: now) }
    }

    /// No more alarms.
    func stop() { isStopped = true }
}
