import Collections
import Model
import NIOCore

/// One consumer group in Kafka's classic protocol (KIP-394 member ids, KIP-345 static members, KIP-814 skipped assignment) with the
/// offsets it has committed. A value that decides: commands in, facts and answers out; it reads no clock and keeps no timer.
///
/// ```
/// join(a)  t=0     PreparingRebalance, ticket 1 waits; nextDeadline = 500 ms (initial delay)
/// tick     t=500   generation 1, CompletingRebalance; ticket 1 answered: leader a, members [a]
/// sync(a)  t=510   fact generation 1 with a's assignment, Stable; ticket 2 answered with the assignment
/// ```
/// A join or sync waits under a `ticket`, the caller's own number; every ticket is answered exactly once, by an effect of a later step
/// at the latest when its member expires. The owner calls ``tick(now:)`` at ``nextDeadline``. Answers of a step go out after the
/// facts of that step and of all steps before it are logged.
///
/// The logged part of the state changes only as a ``GroupFact/generation(_:)`` says; who waits and until when is not logged.
public struct Group: Sendable {
    public let id: String
    public internal(set) var state = GroupState.empty
    public internal(set) var generation: Int32 = 0
    public internal(set) var protocolType: String?
    public internal(set) var protocolName: String?
    public internal(set) var leader: String?
    /// Wall time of the last change of state.
    public internal(set) var since: Timestamp
    public internal(set) var members: OrderedDictionary<String, GroupMember> = [:]
    public internal(set) var offsets = CommittedOffsets()
    /// The generation that was logged last: what a snapshot holds while the next one is in the making.
    public internal(set) var logged: GroupGeneration?

    /// No later than the earliest deadline; ticking too early only makes it exact. nil when nothing is due, ever.
    public internal(set) var nextDeadline: Monotonic?

    /// Member ids handed out by ``GroupError/memberIDRequired`` and not yet used, each until its session would end.
    var pendingJoins: OrderedDictionary<String, Monotonic> = [:]
    /// Members that have not sent a sync for the generation in the making.
    var pendingSyncs: OrderedSet<String> = []
    /// Static members' ids by instance id.
    var staticMembers: [String: String] = [:]
    /// What the members, and those about to be, take in memory; kept current by the steps that change them.
    public internal(set) var metadataBytes = 0
    /// How many members offer a protocol.
    var protocolSupport: [String: Int] = [:]
    var joinsWaiting = 0

    var joinPhase = JoinPhase.none
    var syncDeadline: Monotonic?
    /// Topics the members subscribe to; nil when they can't be read from the metadata.
    var subscribedTopics: Set<String>?

    /// How a rebalance that waits for joins ends.
    enum JoinPhase: Equatable, Sendable {
        case none
        /// A group that was empty: wait for more members, again and again while some come and time remains.
        case initial(until: Monotonic, delayMs: Int64, remainingMs: Int64, newcomers: Bool)
        /// At the latest then; sooner when all have joined.
        case rejoin(until: Monotonic)

        var deadline: Monotonic? {
            switch self {
            case .none: nil
            case .initial(let until, _, _, _), .rejoin(let until): until
            }
        }
        var isInitial: Bool { if case .initial = self { true } else { false } }
    }

    public init(id: String, now: Timestamp) {
        self.id = id
        since = now
    }

    /// Members or handed-out ids: whether somebody is here or about to be.
    public var isVacant: Bool { members.isEmpty && pendingJoins.isEmpty }
    /// Stores offsets for consumers that manage themselves.
    public var isSimple: Bool { protocolType == nil && isVacant }

    /// Whether every member's join waits and nobody with a handed-out id is still to come.
    var allJoined: Bool { joinsWaiting == members.count && pendingJoins.isEmpty }

    var rebalanceTimeoutMs: Int64 { Int64(members.values.lazy.map(\.rebalanceTimeoutMs).max() ?? 0) }

    mutating func enter(_ next: GroupState, now: Moment) {
        state = next
        since = now.wall
    }

    mutating func note(_ deadline: Monotonic) {
        if nextDeadline.map({ deadline < $0 }) ?? true { nextDeadline = deadline }
    }

    // MARK: Members

    mutating func add(_ member: GroupMember) {
        if let instance = member.instanceID { staticMembers[instance] = member.id }
        if leader == nil { leader = member.id }
        for offered in member.protocols { protocolSupport[offered.name, default: 0] += 1 }
        if member.joinTicket != nil { joinsWaiting += 1 }
        members[member.id] = member
        pendingJoins.removeValue(forKey: member.id)
    }

    /// Takes a member out; what it waits for is answered so that its client starts anew.
    mutating func remove(_ id: String, _ step: inout GroupStep) {
        if let member = members.removeValue(forKey: id) {
            withdrawProtocols(member)
            if let ticket = member.joinTicket {
                joinsWaiting -= 1
                step.answer(ticket, JoinAnswer(error: .unknownMemberID, memberID: ""))
            }
            if let ticket = member.syncTicket { step.answer(ticket, SyncAnswer(error: .unknownMemberID)) }
            if let instance = member.instanceID { staticMembers.removeValue(forKey: instance) }
        }
        if leader == id { leader = members.keys.first }
        pendingJoins.removeValue(forKey: id)
        pendingSyncs.remove(id)
    }

    mutating func withdrawProtocols(_ member: GroupMember) {
        for offered in member.protocols {
            let left = (protocolSupport[offered.name] ?? 1) - 1
            protocolSupport[offered.name] = left > 0 ? left : nil
        }
    }

    mutating func countMetadata() {
        metadataBytes = members.values.reduce(pendingJoins.count * GroupMember.overheadBytes) { $0 + $1.metadataBytes }
    }

    mutating func renewSession(_ id: String, ms: Int64? = nil, now: Moment) {
        guard let timeout = members[id]?.sessionTimeoutMs else { return }
        let deadline = now.monotonic.advanced(byMs: ms ?? Int64(timeout))
        members[id]?.expiresAt = deadline
        note(deadline)
    }

    /// Checks who is asking: a static member's id must be the one its instance has now.
    func check(member id: String, instance: String?) -> GroupError? {
        if let instance {
            guard let current = staticMembers[instance] else { return .unknownMemberID }
            if current != id { return .fencedInstanceID }
        }
        return members[id] == nil ? .unknownMemberID : nil
    }

    func supports(protocolType type: String, _ protocols: [GroupProtocol]) -> Bool {
        if state == .empty { return !type.isEmpty && !protocols.isEmpty }
        return type == protocolType && protocols.contains { protocolSupport[$0.name, default: 0] == members.count }
    }

    /// The protocol most members prefer among those that all support; of equals, the one the first member likes better.
    func selectProtocol() -> String? {
        guard let first = members.values.first else { return nil }
        let candidates = first.protocols.map(\.name).filter { protocolSupport[$0] == members.count }
        var votes = [Int](repeating: 0, count: candidates.count)
        for member in members.values {
            let choice = member.protocols.lazy.compactMap { candidates.firstIndex(of: $0.name) }.first
            if let choice { votes[choice] += 1 }
        }
        guard let most = votes.max(), let winner = votes.firstIndex(of: most) else { return nil }
        return candidates[winner]
    }

    /// Adds the group as it stands to the step's facts.
    mutating func logGeneration(_ step: inout GroupStep) {
        let current = members.values.map { member in
            GroupGeneration.Member(
                id: member.id, instanceID: member.instanceID, clientID: member.clientID, clientHost: member.clientHost,
                sessionTimeoutMs: member.sessionTimeoutMs, rebalanceTimeoutMs: member.rebalanceTimeoutMs,
                subscription: member.metadata(for: protocolName), assignment: member.assignment)
        }
        let fact = GroupGeneration(
            group: id, generation: generation, protocolType: protocolType, protocolName: protocolName, leader: leader,
            since: since, members: current)
        logged = fact
        step.facts.append(.generation(fact))
    }
}
