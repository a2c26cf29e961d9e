import Groups
import Logging
import Model
import NIOCore
import Storage

/// The groups of one shard: takes requests, lets the group machines decide, logs their facts to `.facts(shard, .groups)` and answers when
/// those are logged. Timers are one deadline for all groups. All state is touched on the shard's loop only, which is what `@unchecked
/// Sendable` rests on; requests may come from any thread and are answered on the shard's loop.
public final class GroupCoordinator: @unchecked Sendable {
    enum Reply {
        case join(@Sendable (JoinAnswer) -> Void)
        case sync(@Sendable (SyncAnswer) -> Void)
    }

    unowned let shard: Shard
    let limits: Limits
    let queue: FactQueue
    var table = GroupTable()
    /// Who waits under which ticket.
    var replies: [Int: Reply] = [:]
    private var lastTicket = 0
    private var wakeAt: Monotonic?
    private var isStopped = false
    /// Groups with facts on their way to the log, and how many times.
    private var logging: [String: Int] = [:]
    var views = ViewCache()
    var snapshots = SnapshotPace()
    private var sweeping: RepeatedTask?
    private let random: @Sendable () -> UInt64
    /// Names that share groups have: no consumer group may take them. Set once the broker has started.
    var belongsToShareGroup: (String) -> Bool = { _ in false }

    /// The largest generation of a group: 16 KiB for each of 1,000 members.
    private static let generationBytes = 16 << 20
    /// As much of a client's name as goes into its member id.
    private static let idNameBytes = 200
    /// Wake-ups closer together than this are one.
    private static let wakeSpacingMs: Int64 = 10

    init(shard: Shard, random: @escaping @Sendable () -> UInt64) {
        self.shard = shard
        self.random = random
        limits = shard.options.limits
        queue = FactQueue(factBytes: min(shard.log.limits.entryBytes, Self.generationBytes)) { [unowned shard] builder, done in
            shard.appendFacts(.groups, &builder, done: done)
            return shard.factEnds[.groups] ?? .zero
        }
    }

    var now: Moment { Moment(wall: shard.clock.now, monotonic: shard.clock.monotonic) }

    /// Takes over what was read back. Members of before go on if they are heard of within their session timeout.
    func begin(with recovered: GroupTable, end: Offset) {
        table = recovered
        queue.loggedEnd = end
        table.resume(now: now)
        for id in table.groups.keys { views.changed(id) }
        if let next = table.nextDeadline { arm(next) }
        let sweep = TimeAmount.milliseconds(Self.sweepMs)
        sweeping = shard.loop.scheduleRepeatedTask(initialDelay: sweep, delay: sweep) { [weak self] _ in self?.sweep() }
    }

    /// No more alarms.
    func stop() {
        sweeping?.cancel()
        sweeping = nil
        isStopped = true
    }

    // MARK: Steps

    /// Keeps a caller for an answer that may come later.
    func ticket(_ reply: Reply) -> Int {
        lastTicket += 1
        replies[lastTicket] = reply
        return lastTicket
    }

    /// Logs a step's facts, then gives its answers.
    func perform(_ id: String, _ step: GroupStep) {
        views.changed(id)
        if step.facts.isEmpty {
            if !step.effects.isEmpty { queue.after { _ in self.deliver(step.effects) } }
        } else if !queue.log(step.facts, at: shard.clock.now, done: { error in self.logged(id, step, error) }) {
            shard.logger.error("group \(id): a generation of \(table[id]?.members.count ?? 0) members is too large for the log")
            deliver(step.effects, failing: .unknownServerError)
            withGroup(id) { group, now in group.factsLost(now: now) }
        }
        arm(for: id)
    }

    private func logged(_ id: String, _ step: GroupStep, _ error: LogError?) {
        guard let error else {
            for fact in step.facts { table.applyLive(fact) }
            noteLogged()
            return deliver(step.effects)
        }
        shard.logger.error("group \(id): its new generation was not logged: \(error)")
        deliver(step.effects, failing: .coordinatorNotAvailable)
        withGroup(id) { group, now in group.factsLost(now: now) }
    }

    /// Runs a command on a group that is there and performs what it decides.
    func withGroup(_ id: String, _ command: (inout Group, Moment) -> GroupStep) {
        let now = now
        if let step = table.with(id, { command(&$0, now) }) { perform(id, step) }
    }

    private func deliver(_ effects: [GroupEffect], failing error: GroupError? = nil) {
        for effect in effects {
            switch effect {
            case .join(let ticket, let answer):
                guard case .join(let reply) = replies.removeValue(forKey: ticket) else { continue }
                reply(error.map { JoinAnswer(error: $0, memberID: answer.memberID) } ?? answer)
            case .sync(let ticket, let answer):
                guard case .sync(let reply) = replies.removeValue(forKey: ticket) else { continue }
                reply(error.map { SyncAnswer(error: $0) } ?? answer)
            }
        }
    }

    /// Logs facts that the table takes over when they are logged; `done` gets the error if they are not.
    func log(_ facts: [GroupFact], of id: String, done: @escaping (GroupError?) -> Void) {
        logging[id, default: 0] += 1
        let isLogged = queue.log(facts, at: shard.clock.now) { error in
            self.noLongerLogging(id)
            if let error {
                self.shard.logger.error("group \(id): \(facts.count) facts were not logged: \(error)")
                return done(.coordinatorNotAvailable)
            }
            for fact in facts { self.table.applyLive(fact) }
            self.views.changed(id)
            self.noteLogged()
            done(nil)
        }
        guard isLogged else {
            noLongerLogging(id)
            return done(.unknownServerError)
        }
    }

    private func noLongerLogging(_ id: String) {
        let left = (logging[id] ?? 1) - 1
        logging[id] = left > 0 ? left : nil
    }

    /// A unique member id, by Kafka's custom a readable name and a UUID.
    func freshID(_ name: String) -> String {
        let name = String(decoding: name.utf8.prefix(Self.idNameBytes), as: UTF8.self)
        func hex(_ value: UInt64, _ digits: Int) -> String {
            let text = String(value, radix: 16)
            return String(repeating: "0", count: max(0, digits - text.count)) + text
        }
        let high = (random() & ~0xF000) | 0x4000
        let low = (random() & 0x3FFF_FFFF_FFFF_FFFF) | 0x8000_0000_0000_0000
        return "\(name)-\(hex(high >> 32, 8))-\(hex(high >> 16 & 0xFFFF, 4))-\(hex(high & 0xFFFF, 4))-\(hex(low >> 48, 4))-"
            + hex(low & 0xFFFF_FFFF_FFFF, 12)
    }

    // MARK: Time

    /// Makes sure that the loop wakes up for the group's next deadline.
    func arm(for id: String) {
        if let deadline = table.with(id, { $0.nextDeadline }) ?? nil { arm(deadline) }
    }

    func arm(_ deadline: Monotonic) {
        if let wakeAt, wakeAt <= deadline { return }
        wakeAt = deadline
        let delay = max(deadline.ms(since: shard.clock.monotonic) + 1, Self.wakeSpacingMs)
        shard.loop.scheduleTask(in: .milliseconds(delay)) { self.wake(for: deadline) }
    }

    private func wake(for deadline: Monotonic) {
        // A later alarm that an earlier one has overtaken finds nothing due and sets no other.
        guard wakeAt == deadline, !isStopped else { return }
        wakeAt = nil
        tick()
        if let next = table.nextDeadline { arm(next) }
    }

    /// Lets every group act on what has become due.
    func tick() {
        for (id, step) in table.tick(limits: limits, now: now) { perform(id, step) }
    }

    /// Forgets expired offsets and unused groups; every ``sweepMs``. Groups with facts on their way are passed over: a commit that is not
    /// applied yet would be lost with its group.
    func sweep() {
        let now = now
        for id in Array(table.groups.keys) where logging[id] == nil {
            table.removeIfUnused(id)
            let facts = table.with(id) { $0.expireOffsets(retentionMs: limits.offsetsRetentionMs, now: now) } ?? []
            guard !facts.isEmpty else {
                views.changed(id)
                continue
            }
            log(facts, of: id) { error in
                if error != nil { self.table.with(id) { $0.deletionLost() } }
            }
        }
    }

    static let sweepMs: Int64 = 60_000
}
