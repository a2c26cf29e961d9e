import Glibc
import Model

/// When each consumer of a cursor last answered a message, and how many it accepts a second: an average whose past counts for a third less
/// every two seconds or so, so that a steady consumer shows its true rate and one that stopped fades within seconds.
///
/// ```
/// 100 accepted each second for 30 s → 100/s   then nothing: after 5 s 37/s, after 20 s 2/s, after 40 s 0
/// ```
struct MemberAnswers {
    struct Entry {
        fileprivate(set) var perSecond: Double
        fileprivate(set) var at: Monotonic
    }
    private static let fadeSeconds = 5.0
    private var entries: [String: Entry] = [:]
    let limit: Int

    /// - Parameter limit: consumers remembered; past it those that answered longest ago are forgotten.
    init(limit: Int) { self.limit = limit }

    mutating func note(_ member: String, accepted: Int64, now: Monotonic) {
        let before = entries[member].map { Self.rate($0, now) } ?? 0
        entries[member] = Entry(perSecond: before + Double(accepted) / Self.fadeSeconds, at: now)
        if entries.count > limit { forgetHalf() }
    }

    /// nil for one that never answered, or so long ago that it is forgotten.
    func look(_ member: String, now: Monotonic) -> (perSecond: Double, sinceMs: Int64)? {
        entries[member].map { (Self.rate($0, now), max(0, now.ms(since: $0.at))) }
    }

    var members: Dictionary<String, Entry>.Keys { entries.keys }

    private static func rate(_ entry: Entry, _ now: Monotonic) -> Double {
        let rate = entry.perSecond * exp(-Double(max(0, now.ms(since: entry.at))) / 1_000 / fadeSeconds)
        return rate < 0.05 ? 0 : rate
    }

    private mutating func forgetHalf() {
        let kept = entries.sorted { $0.value.at > $1.value.at }.prefix(limit / 2)
        entries = Dictionary(uniqueKeysWithValues: kept.map { ($0.key, $0.value) })
    }
}

/// What one consumer has of a queue, over some of its partitions.
struct MemberUse: Sendable {
    var held: Int64 = 0
    /// Accepted per second, of late.
    var perSecond = 0.0
    /// Since it last answered a message; nil when it never did.
    var sinceMs: Int64?

    mutating func add(_ other: MemberUse) {
        held += other.held
        perSecond += other.perSecond
        sinceMs = [sinceMs, other.sinceMs].compactMap { $0 }.min()
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
                guard let (perSecond, sinceMs) = cursor.answers.look(member, now: now) else { continue }
                uses[member, default: MemberUse()].add(MemberUse(perSecond: perSecond, sinceMs: sinceMs))
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
