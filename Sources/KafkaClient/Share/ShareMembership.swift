import KafkaWire
import Model

/// A share consumer's membership (KIP-932): joins at its first heartbeat, is told its partitions, and rejoins when the coordinator forgot
/// it.
struct ShareMembership: Sendable {
    let group: String
    let topics: [String]
    let memberID: String
    /// 0 joins; after that what the coordinator said last.
    private(set) var epoch: Int32 = 0
    private(set) var assignment: [TopicID: [Int32]] = [:]
    private(set) var heartbeatAt: Monotonic?
    private var intervalMs: Int64 = 0

    init(group: String, topics: [String], memberID: String) {
        self.group = group
        self.topics = topics
        self.memberID = memberID
    }

    func isDue(_ now: Monotonic) -> Bool {
        guard let heartbeatAt, epoch > 0 else { return true }
        return now.ms(since: heartbeatAt) >= intervalMs
    }

    func heartbeat() -> ShareGroupHeartbeatRequest {
        var request = ShareGroupHeartbeatRequest()
        request.groupId = group
        request.memberId = memberID
        request.memberEpoch = epoch
        request.subscribedTopicNames = epoch == 0 ? topics : nil
        return request
    }

    func farewell() -> ShareGroupHeartbeatRequest {
        var request = ShareGroupHeartbeatRequest()
        request.groupId = group
        request.memberId = memberID
        request.memberEpoch = -1
        return request
    }

    /// Whether the assignment changed.
    mutating func take(_ answer: ShareGroupHeartbeatResponse, now: Monotonic) throws(ClientError) -> Bool {
        switch answer.errorCode {
        case .none: break
        case .unknownMemberId, .fencedMemberEpoch:
            epoch = 0
            let changed = !assignment.isEmpty
            assignment = [:]
            return changed
        default: throw .refused(answer.errorCode, what: "group '\(group)'" + (answer.errorMessage.map { " (\($0))" } ?? ""))
        }
        epoch = answer.memberEpoch
        intervalMs = Int64(max(100, answer.heartbeatIntervalMs))
        heartbeatAt = now
        guard let told = answer.assignment else { return false }
        var next: [TopicID: [Int32]] = [:]
        for topic in told.topicPartitions { next[TopicID(topic.topicId)] = topic.partitions.sorted() }
        defer { assignment = next }
        return next != assignment
    }
}
