import Glibc
import Model

/// When each consumer of a cursor last answered a message, and how many it accepts a second: an average whose past counts for a third less
/// every two seconds or so, so that a steady consumer shows its true rate and one that stopped fades within seconds.
///
/// ```
/// 100 accepted each second for 30 s → 100/s   then nothing: after 5 s 37/s, after 20 s 2/s, after 40 s 0
/// took 10 messages at 0 s, answered at 4 s → silent for 6 s at 10 s; one that holds nothing is not waited for
/// ```
/// A consumer that leaves is forgotten, and one of whom nothing was heard for an hour when another comes.
struct MemberAnswers {
    private struct Entry {
        /// Accepted per second as of `answeredAt`.
        var perSecond = 0.0
        var answeredAt: Monotonic?
        /// When it last got messages while it held none.
        var busySince: Monotonic
        var times = AnswerTimes()

        /// When it was last heard of, or was given something to answer.
        var quietSince: Monotonic { answeredAt.map { max($0, busySince) } ?? busySince }

        func rate(_ now: Monotonic) -> Double {
            guard let answeredAt else { return 0 }
            let rate = perSecond * exp(-Double(max(0, now.ms(since: answeredAt))) / 1_000 / MemberAnswers.fadeSeconds)
            return rate < 0.05 ? 0 : rate
        }
    }
    /// What is known of one consumer.
    struct Look: Equatable {
        /// Accepted per second, of late.
        var perSecond: Double
        /// Since it last answered; nil when it never did.
        var answeredMs: Int64?
        /// Since it last answered, or got something to answer when it held nothing, whichever came later.
        var silentMs: Int64
    }

    private static let fadeSeconds = 5.0
    private static let keepMs: Int64 = 3_600_000
    private var entries: [String: Entry] = [:]
    let limit: Int

    /// - Parameter limit: consumers remembered; past it those of whom nothing was heard for longest are forgotten.
    init(limit: Int) { self.limit = limit }

    /// The member has answered, and accepted so many messages by it.
    mutating func note(_ member: String, accepted: Int64, now: Monotonic) {
        var entry = entries[member] ?? Entry(busySince: now)
        entry.perSecond = entry.rate(now) + Double(accepted) / Self.fadeSeconds
        entry.answeredAt = now
        set(entry, of: member, now: now)
    }

    /// The member answered so many messages that it had been given `ms` ago.
    mutating func answered(_ member: String, after ms: Int64, count: Int64, now: Monotonic) {
        entries[member]?.times.add(ms, count: count, now: now)
    }

    /// How long it takes to answer; nil when it did not of late.
    func times(_ member: String, now: Monotonic) -> AnswerTimes.Counts? { entries[member]?.times.counts(now: now) }

    /// The member was given `count` messages, and now holds `all`.
    mutating func took(_ member: String, all: Int64, of count: Int64, now: Monotonic) {
        if var entry = entries[member] {
            guard all <= count else { return }
            entry.busySince = now
            entries[member] = entry
        } else {
            set(Entry(busySince: now), of: member, now: now)
        }
    }

    /// The member has left.
    mutating func forget(_ member: String) { entries[member] = nil }

    /// nil for one that never had a message, or of whom nothing was heard for so long that it is forgotten.
    func look(_ member: String, now: Monotonic) -> Look? {
        entries[member].map { entry in
            Look(
                perSecond: entry.rate(now), answeredMs: entry.answeredAt.map { max(0, now.ms(since: $0)) },
                silentMs: max(0, now.ms(since: entry.quietSince)))
        }
    }

    var members: some Collection<String> { entries.keys }

    private mutating func set(_ entry: Entry, of member: String, now: Monotonic) {
        guard entries.updateValue(entry, forKey: member) == nil else { return }
        entries = entries.filter { now.ms(since: $0.value.quietSince) < Self.keepMs }
        guard entries.count > limit else { return }
        let kept = entries.sorted { $0.value.quietSince > $1.value.quietSince }.prefix(max(1, limit / 2))
        entries = Dictionary(uniqueKeysWithValues: kept.map { ($0.key, $0.value) })
    }
}

/// What one consumer has of a queue, over some of its partitions.
struct MemberUse: Sendable {
    var held: Int64 = 0
    /// Accepted per second, of late.
    var perSecond = 0.0
    /// Since it last answered a message; nil when it never did.
    var answeredMs: Int64?
    /// Since it last answered, or got something to answer; nil when neither is known.
    var silentMs: Int64?
    /// How long messages were with it; nil when it answered none of late.
    var times: AnswerTimes.Counts?

    mutating func add(_ other: MemberUse) {
        held += other.held
        perSecond += other.perSecond
        answeredMs = [answeredMs, other.answeredMs].compactMap { $0 }.min()
        silentMs = [silentMs, other.silentMs].compactMap { $0 }.min()
        if let more = other.times {
            if times == nil { times = more } else { times?.add(more) }
        }
    }
}

extension Shard {
    /// What consumers hold and how they answer, over these cursors. Call on the shard's loop.
    func use(of keys: [ShareKey]) -> [String: MemberUse] {
        loop.preconditionInEventLoop()
        var uses: [String: MemberUse] = [:]
        let now = clock.monotonic
        for key in keys {
            guard let cursor = cursors?[key] else { continue }
            for holder in cursor.machine.holders { uses[holder.member, default: MemberUse()].held += holder.held }
            for member in cursor.answers.members {
                guard let look = cursor.answers.look(member, now: now) else { continue }
                uses[member, default: MemberUse()].add(
                    MemberUse(
                        perSecond: look.perSecond, answeredMs: look.answeredMs, silentMs: look.silentMs,
                        times: cursor.answers.times(member, now: now)))
            }
        }
        return uses
    }
}

extension AcknowledgeItem {
    /// Messages it accepts, and whether it answers any.
    var answers: (accepted: Int64, isAny: Bool) {
        var accepted: Int64 = 0
        var isAny = false
        for batch in batches {
            for kind in batch.kinds where kind != .renew && kind != .gap {
                isAny = true
                if kind == .accept { accepted += batch.kinds.count == 1 ? batch.last - batch.first + 1 : 1 }
            }
        }
        return (accepted, isAny)
    }
}
