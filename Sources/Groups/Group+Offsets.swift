import Model
import NIOCore
import Wire

/// One partition of an OffsetCommit request.
public struct OffsetCommitItem: Equatable, Sendable {
    public var topic: String
    public var partition: Int32
    public var offset: Offset
    public var leaderEpoch: Int32
    public var metadata: String?

    public init(topic: String, partition: Int32, offset: Offset, leaderEpoch: Int32 = -1, metadata: String? = nil) {
        self.topic = topic
        self.partition = partition
        self.offset = offset
        self.leaderEpoch = leaderEpoch
        self.metadata = metadata
    }
}

extension Group {
    /// The consumer protocol's type; its metadata names the topics a member subscribes to.
    public static let consumerProtocolType = "consumer"

    /// Whether a commit may be made: by a member of this generation, or by anybody (generation −1) while nobody is in the group.
    /// A member's commit keeps its session alive.
    public mutating func checkCommit(member: String, instance: String?, generation: Int32, now: Moment) -> GroupError? {
        if state == .dead { return .coordinatorNotAvailable }
        if generation < 0, state == .empty { return nil }
        if generation >= 0 || !member.isEmpty || instance != nil {
            if let error = check(member: member, instance: instance) { return error }
            if generation != self.generation { return .illegalGeneration }
        } else if state != .empty {
            return .unknownMemberID
        }
        if state == .completingRebalance { return .rebalanceInProgress }
        if state == .stable || state == .preparingRebalance { renewSession(member, now: now) }
        return nil
    }

    /// The facts of a commit that ``checkCommit(member:instance:generation:now:)`` allows, and each item's result.
    /// The offsets change when the facts are applied.
    public func commit(_ items: [OffsetCommitItem], limits: Limits, now: Moment) -> (facts: [GroupFact], results: [GroupError?]) {
        var facts: [GroupFact] = []
        facts.reserveCapacity(items.count)
        var room = limits.offsetsPerGroup - offsets.count
        let results = items.map { item -> GroupError? in
            // −1 reads back as "nothing committed", and so it is stored, as Kafka does.
            if item.offset < Offset(-1) { return .invalidRequest }
            let metadata = item.metadata ?? ""
            if metadata.utf8.count > limits.offsetMetadataBytes { return .offsetMetadataTooLarge }
            if offsets[item.topic, item.partition] == nil {
                if room <= 0 { return .invalidCommitOffsetSize }
                room -= 1
            }
            let committed = CommittedOffset(
                offset: item.offset, leaderEpoch: item.leaderEpoch, metadata: metadata, committedAt: now.wall)
            facts.append(.offsetCommitted(group: id, topic: item.topic, partition: item.partition, committed))
            return nil
        }
        return (facts, results)
    }

    /// Deletes offsets of topics that no member subscribes to.
    /// - Returns: the facts and each item's result; or why the whole request is refused.
    public func deleteOffsets(
        _ items: [(topic: String, partition: Int32)]
    ) -> Result<(facts: [GroupFact], results: [GroupError?]), GroupError> {
        switch state {
        case .dead: return .failure(.groupIDNotFound)
        case .stable, .preparingRebalance, .completingRebalance:
            if protocolType != Self.consumerProtocolType { return .failure(.nonEmptyGroup) }
        case .empty: break
        }
        var facts: [GroupFact] = []
        let results = items.map { item -> GroupError? in
            if isSubscribed(to: item.topic) { return .groupSubscribedToTopic }
            if offsets[item.topic, item.partition] != nil {
                facts.append(.offsetDeleted(group: id, topic: item.topic, partition: item.partition))
            }
            return nil
        }
        return .success((facts, results))
    }

    /// Facts that forget what nobody has needed for `retentionMs`: all offsets of a group empty for so long; of a group with members or of
    /// a self-managed consumer, those last committed so long ago (KIP-211). A group that has nothing left is deleted and its state Dead.
    /// Call it only when no fact of the group is on its way to the log: a commit not yet applied would be lost with the group.
    public mutating func expireOffsets(retentionMs: Int64, now: Moment) -> [GroupFact] {
        let limit = now.wall + -retentionMs
        let isSubject: (CommittedOffset) -> Bool
        switch state {
        case .empty where protocolType != nil: isSubject = { [since] _ in since <= limit }
        case .empty: isSubject = { $0.committedAt <= limit }
        case .stable where protocolType == Self.consumerProtocolType && subscribedTopics != nil:
            isSubject = { $0.committedAt <= limit }
        default: return []
        }
        var facts: [GroupFact] = []
        for entry in offsets.all where isSubject(entry.committed) && !isSubscribed(to: entry.topic) {
            facts.append(.offsetDeleted(group: id, topic: entry.topic, partition: entry.partition))
        }
        if state == .empty, isVacant, facts.count == offsets.count {
            enter(.dead, now: now)
            facts.append(.groupDeleted(group: id))
        }
        return facts
    }

    /// Unknown subscriptions of the consumer protocol count as subscribed to everything.
    func isSubscribed(to topic: String) -> Bool {
        if let subscribedTopics { return subscribedTopics.contains(topic) }
        return protocolType == Self.consumerProtocolType
    }

    /// Learns the members' topics from their metadata: version, then an array of names, the prefix of all versions.
    mutating func readSubscribedTopics() {
        subscribedTopics = nil
        guard protocolType == Self.consumerProtocolType else { return }
        guard !members.isEmpty else { return subscribedTopics = [] }
        var topics: Set<String> = []
        for member in members.values {
            guard let names = Self.topics(inSubscription: member.metadata(for: protocolName)) else { return }
            topics.formUnion(names)
        }
        subscribedTopics = topics
    }

    /// The topic names of a consumer subscription; nil when the bytes are something else.
    public static func topics(inSubscription bytes: ByteBuffer) -> [String]? {
        var reader = WireReader(bytes)
        do {
            _ = try reader.int16()
            return try (0..<reader.count(compact: false, minimumBytes: 2)).map { _ in try reader.string(compact: false) }
        } catch {
            return nil
        }
    }

    /// The partitions of a consumer assignment: version, then [topic, [partition]]; nil when the bytes are something else.
    public static func partitions(inAssignment bytes: ByteBuffer) -> [(topic: String, partition: Int32)]? {
        var reader = WireReader(bytes)
        var partitions: [(topic: String, partition: Int32)] = []
        do {
            _ = try reader.int16()
            for _ in 0..<(try reader.count(compact: false, minimumBytes: 6)) {
                let topic = try reader.string(compact: false)
                for _ in 0..<(try reader.count(compact: false, minimumBytes: 4)) {
                    partitions.append((topic, try reader.int32()))
                }
            }
            return partitions
        } catch {
            return nil
        }
    }
}
