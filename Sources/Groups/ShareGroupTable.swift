import Collections
import Model

/// The share groups of one shard that have members.
public struct ShareGroupTable: Sendable {
    public private(set) var groups: OrderedDictionary<String, ShareGroup> = [:]
    /// Raised when a group's members, their subscriptions or their assignments change; not by heartbeats that only keep members alive.
    public private(set) var changes = 0

    public init() {}

    public subscript(id: String) -> ShareGroup? { groups[id] }

    /// Takes a heartbeat; a group is made by its first member and forgotten with its last.
    public mutating func heartbeat(
        _ id: String, _ request: ShareHeartbeat, limits: Limits, sessionMs: Int64, now: Monotonic, topic: (String) -> ShareTopic?
    ) -> ShareHeartbeatAnswer {
        if groups[id] == nil {
            // Not "no such group": a member of before a restart shall join again, and clients take that error for the end.
            guard request.epoch == ShareHeartbeat.joins else {
                return ShareHeartbeatAnswer(
                    memberID: request.memberID, epoch: request.epoch, error: .unknownMemberID,
                    message: "member \(request.memberID) is not in the group")
            }
            guard groups.count < limits.groups else {
                return ShareHeartbeatAnswer(
                    memberID: request.memberID, epoch: request.epoch, error: .groupMaxSizeReached,
                    message: "there are \(groups.count) share groups, as many as there may be")
            }
        }
        let before = groups[id]?.epoch
        let answer = groups[id, default: ShareGroup(id: id)].heartbeat(
            request, limits: limits, sessionMs: sessionMs, now: now, topic: topic)
        forgetIfEmpty(id)
        if groups[id]?.epoch != before { changes += 1 }
        return answer
    }

    /// Gives up members whose session is over, group by group.
    public mutating func tick(now: Monotonic, topic: (String) -> ShareTopic?) -> [(group: String, members: [ShareMember])] {
        var gone: [(group: String, members: [ShareMember])] = []
        for id in Array(groups.keys) {
            let members = groups[id]?.tick(now: now, topic: topic) ?? []
            if !members.isEmpty {
                gone.append((id, members))
                changes += 1
            }
            forgetIfEmpty(id)
        }
        return gone
    }

    private mutating func forgetIfEmpty(_ id: String) {
        if groups[id]?.members.isEmpty == true { groups.removeValue(forKey: id) }
    }
}
