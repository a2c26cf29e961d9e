import Collections
import Model

/// The members of one share group (KIP-932): who is there, what they subscribe to, which partitions each is to read. Partitions are shared,
/// so a change of members takes effect at once: nobody has to give anything up first. A value that decides; it reads no clock.
///
/// ```
/// a joins, orders has 2 partitions   epoch 1   a [0, 1]
/// b joins                            epoch 2   b [1], told in the answer; a [0], told at its next heartbeat
/// c joins                            epoch 3   a [0]  b [1]  c [0]
/// b silent for 45 s                  epoch 4   a [0]  c [1]
/// ```
/// Nothing of this is logged: after a restart members are told that they are unknown and join again. What a group has read is the
/// queue cursors' to keep.
public struct ShareGroup: Sendable {
    public let id: String
    /// Raised by every change of members, subscriptions or partitions.
    public private(set) var epoch: Int32 = 0
    /// In the order in which they came.
    public private(set) var members: OrderedDictionary<String, ShareMember> = [:]
    /// The topics subscribed to, as the assignment in force knows them.
    private var topics: [String: ShareTopic] = [:]

    public init(id: String) { self.id = id }

    public var state: String { members.isEmpty ? "Empty" : "Stable" }

    /// Takes a heartbeat: joins at epoch 0, leaves at −1, else keeps the member alive and tells it what has changed.
    /// - Parameter topic: the topic of a name; nil where there is none.
    public mutating func heartbeat(
        _ request: ShareHeartbeat, limits: Limits, sessionMs: Int64, now: Monotonic, topic: (String) -> ShareTopic?
    ) -> ShareHeartbeatAnswer {
        if let refusal = check(request, limits: limits) { return refusal }
        if request.epoch == ShareHeartbeat.leaves {
            remove([request.memberID])
            refresh(force: true, topic)
            return ShareHeartbeatAnswer(memberID: request.memberID, epoch: request.epoch)
        }
        let isJoin = request.epoch == ShareHeartbeat.joins
        var member =
            members[request.memberID]
            ?? ShareMember(id: request.memberID, clientID: request.clientID, clientHost: request.clientHost)
        let isNew = members[request.memberID] == nil
        var subscriptionChanged = false
        if let wanted = request.topics {
            let sorted = Set(wanted).sorted()
            subscriptionChanged = sorted != member.topics
            member.topics = sorted
        }
        if let rack = request.rackID { member.rackID = rack }
        member.clientID = request.clientID
        member.clientHost = request.clientHost
        member.expiresAt = now.advanced(byMs: sessionMs)
        if isJoin || request.topics != nil { member.isTold = false }
        members[request.memberID] = member
        refresh(force: isNew || subscriptionChanged, topic)
        return tell(request.memberID)
    }

    /// Gives up the members whose session is over.
    public mutating func tick(now: Monotonic, topic: (String) -> ShareTopic?) -> [ShareMember] {
        let gone = members.values.filter { $0.expiresAt <= now }
        guard !gone.isEmpty else { return [] }
        remove(gone.map(\.id))
        refresh(force: true, topic)
        return gone
    }

    private func check(_ request: ShareHeartbeat, limits: Limits) -> ShareHeartbeatAnswer? {
        func refuse(_ error: ShareGroupError, _ message: String) -> ShareHeartbeatAnswer {
            ShareHeartbeatAnswer(memberID: request.memberID, epoch: request.epoch, error: error, message: message)
        }
        if request.memberID.isEmpty { return refuse(.invalidRequest, "a member makes its own id and sends it from its first heartbeat on") }
        if request.epoch < ShareHeartbeat.leaves { return refuse(.invalidRequest, "a member's epoch is -1, 0 or what it was told last") }
        if request.memberID.utf8.count > limits.groupNameBytes {
            return refuse(.invalidRequest, "a member id has at most \(limits.groupNameBytes) bytes")
        }
        if let topics = request.topics, topics.count > limits.topicsPerShareMember {
            return refuse(.invalidRequest, "a member subscribes to at most \(limits.topicsPerShareMember) topics")
        }
        guard let member = members[request.memberID] else {
            if request.epoch != ShareHeartbeat.joins { return refuse(.unknownMemberID, "member \(request.memberID) is not in the group") }
            if (request.topics ?? []).isEmpty { return refuse(.invalidRequest, "a member that joins names its topics") }
            if members.count >= limits.membersPerGroup {
                return refuse(.groupMaxSizeReached, "the group has \(members.count) members, as many as it may have")
            }
            return nil
        }
        // One answer may have been lost, so the epoch before the last is taken as well.
        if request.epoch > 0, request.epoch != member.epoch, request.epoch != member.previousEpoch {
            return refuse(.fencedMemberEpoch, "the member's epoch is \(member.epoch), not \(request.epoch)")
        }
        return nil
    }

    private mutating func tell(_ id: String) -> ShareHeartbeatAnswer {
        guard var member = members[id] else { return ShareHeartbeatAnswer(memberID: id, epoch: 0, error: .unknownMemberID) }
        if member.epoch != epoch {
            member.previousEpoch = member.epoch
            member.epoch = epoch
        }
        var answer = ShareHeartbeatAnswer(memberID: id, epoch: epoch)
        if !member.isTold { answer.assignment = member.assignment }
        member.isTold = true
        members[id] = member
        return answer
    }

    private mutating func remove(_ ids: [String]) {
        for id in ids { members.removeValue(forKey: id) }
    }

    /// Assigns anew if `force` says so or a topic has come, grown or gone.
    private mutating func refresh(force: Bool, _ topic: (String) -> ShareTopic?) {
        var now: [String: ShareTopic] = [:]
        for member in members.values {
            for name in member.topics where now[name] == nil { now[name] = topic(name) }
        }
        guard force || now != topics else { return }
        topics = now
        epoch += 1
        let assignments = ShareAssignor.assign(members: members.values.map { ($0.id, $0.topics) }, topics: topics)
        for (id, assignment) in assignments where members[id]?.assignment != assignment {
            members[id]?.assignment = assignment
            members[id]?.isTold = false
        }
    }
}
