import KafkaWire
import Model
import NIOCore

/// Membership in a consumer group by the classic protocol: join, sync, heartbeat, commit, leave.
actor GroupMember {
    private let client: Client
    private let options: ConsumerOptions
    private let group: String
    private let topics: [String]
    let lane: Client.Lane
    private var memberID = ""
    private var generation: Int32 = -1
    private var coordinator: HostPort?
    private var heartbeat: Task<Void, Never>?
    /// The assignment no longer holds, or there is none yet.
    private(set) var mustJoin = true

    init(client: Client, options: ConsumerOptions, group: String, topics: [String], lane: Client.Lane) {
        self.client = client
        self.options = options
        self.group = group
        self.topics = topics.sorted()
        self.lane = lane
    }

    // MARK: Joining

    /// Enters the next generation and returns this member's share. Goes on until it succeeds, the error is final, or the task is cancelled.
    func join() async throws -> [TopicPartition] {
        heartbeat?.cancel()
        var attempt = 0
        while true {
            do {
                if let partitions = try await joinOnce() {
                    mustJoin = false
                    startHeartbeat()
                    return partitions
                }
                // A new member is sent back once for its id; more rounds than that wait for the group to settle.
                attempt += 1
                if attempt > 2 { try await client.pause(attempt: attempt) }
            } catch let error as ClientError where error.isRetriable {
                coordinator = nil
                try await client.pause(attempt: attempt)
                attempt += 1
            }
        }
    }

    /// Nil when the group asks for another round.
    private func joinOnce() async throws -> [TopicPartition]? {
        let connection = try await coordinatorConnection()
        let answer = try await connection.send(joinRequest(), waitMs: Int64(options.rebalanceTimeoutMs))
        switch answer.errorCode {
        case .none: break
        case .memberIdRequired:
            memberID = answer.memberId
            return nil
        case .unknownMemberId, .illegalGeneration:
            memberID = ""
            return nil
        case .rebalanceInProgress: return nil
        default: throw ClientError.refused(answer.errorCode, what: "group '\(group)'")
        }
        memberID = answer.memberId
        generation = answer.generationId
        var sync = SyncGroupRequest()
        sync.groupId = group
        sync.generationId = generation
        sync.memberId = memberID
        sync.protocolType = "consumer"
        sync.protocolName = answer.protocolName
        if answer.leader == memberID, !answer.skipAssignment { sync.assignments = try await assignments(answer.members) }
        let share = try await connection.send(sync, waitMs: Int64(options.rebalanceTimeoutMs))
        switch share.errorCode {
        case .none: return try Self.partitions(share.assignment)
        case .rebalanceInProgress, .illegalGeneration: return nil
        case .unknownMemberId:
            memberID = ""
            return nil
        default: throw ClientError.refused(share.errorCode, what: "group '\(group)'")
        }
    }

    private func joinRequest() -> JoinGroupRequest {
        var subscription = ConsumerProtocolSubscription()
        subscription.topics = topics
        var proposal = JoinGroupRequest.JoinGroupRequestProtocol()
        proposal.name = RangeAssignor.name
        proposal.metadata = subscription.bytes(version: 1)
        var request = JoinGroupRequest()
        request.groupId = group
        request.sessionTimeoutMs = options.sessionTimeoutMs
        request.rebalanceTimeoutMs = options.rebalanceTimeoutMs
        request.memberId = memberID
        request.protocolType = "consumer"
        request.protocols = [proposal]
        return request
    }

    /// The leader's work: everyone's share.
    private func assignments(
        _ members: [JoinGroupResponse.JoinGroupResponseMember]
    ) async throws -> [SyncGroupRequest.SyncGroupRequestAssignment] {
        var subscriptions: [String: [String]] = [:]
        for member in members {
            do {
                subscriptions[member.memberId] = try ConsumerProtocolSubscription(bytes: member.metadata).topics
            } catch {
                throw ClientError.malformed(.joinGroup, error)
            }
        }
        let wanted = Set(subscriptions.values.flatMap { $0 }).sorted()
        let known = try await client.metadata(topics: wanted, refresh: true).topics
        let shares = RangeAssignor.assign(subscriptions: subscriptions, partitions: known.mapValues { $0.partitions.count })
        return shares.map { member, topics in
            var assignment = ConsumerProtocolAssignment()
            assignment.assignedPartitions = topics.sorted { $0.key < $1.key }.map { topic, partitions in
                var part = ConsumerProtocolAssignment.TopicPartition()
                part.topic = topic
                part.partitions = partitions
                return part
            }
            var share = SyncGroupRequest.SyncGroupRequestAssignment()
            share.memberId = member
            share.assignment = assignment.bytes(version: 1)
            return share
        }
    }

    private static func partitions(_ bytes: ByteBuffer) throws -> [TopicPartition] {
        // A member that came after the leader had assigned gets nothing yet.
        if bytes.readableBytes == 0 { return [] }
        do {
            return try ConsumerProtocolAssignment(bytes: bytes).assignedPartitions.flatMap { part in
                part.partitions.map { TopicPartition(topic: part.topic, partition: $0) }
            }
        } catch {
            throw ClientError.malformed(.syncGroup, error)
        }
    }

    // MARK: Staying

    private func startHeartbeat() {
        let interval = options.heartbeatMs
        heartbeat = Task { [weak self] in
            while !Task.isCancelled {
                // Only cancellation ends a sleep early, and the loop's condition sees it.
                try? await Task.sleep(for: .milliseconds(interval))
                guard !Task.isCancelled, await self?.beat() == true else { return }
            }
        }
    }

    /// Whether the membership still stands.
    private func beat() async -> Bool {
        guard !mustJoin else { return false }
        var request = HeartbeatRequest()
        request.groupId = group
        request.generationId = generation
        request.memberId = memberID
        do {
            let answer = try await coordinatorConnection().send(request)
            switch answer.errorCode {
            case .none: return true
            case .unknownMemberId: memberID = ""
            case .coordinatorLoadInProgress: return true
            case .notCoordinator, .coordinatorNotAvailable:
                coordinator = nil
                return true
            default: break
            }
            mustJoin = true
            return false
        } catch {
            // The next beat looks for the coordinator anew; if that takes too long, the group drops this member and says so.
            coordinator = nil
            return true
        }
    }

    /// Goes without being missed: the others rebalance at once.
    func leave() async {
        heartbeat?.cancel()
        guard !memberID.isEmpty, coordinator != nil else { return }
        var member = LeaveGroupRequest.MemberIdentity()
        member.memberId = memberID
        var request = LeaveGroupRequest()
        request.groupId = group
        request.memberId = memberID
        request.members = [member]
        // If it cannot be said, the session timeout says it.
        _ = try? await coordinatorConnection().send(request)
        mustJoin = true
        memberID = ""
    }

    // MARK: Offsets

    func commit(_ offsets: [TopicPartition: Offset]) async throws {
        guard !offsets.isEmpty else { return }
        var request = OffsetCommitRequest()
        request.groupId = group
        request.generationIdOrMemberEpoch = generation
        request.memberId = memberID
        request.topics = Dictionary(grouping: offsets, by: \.key.topic).sorted { $0.key < $1.key }.map { name, entries in
            var topic = OffsetCommitRequest.OffsetCommitRequestTopic()
            topic.name = name
            topic.partitions = entries.map { source, offset in
                var partition = OffsetCommitRequest.OffsetCommitRequestPartition()
                partition.partitionIndex = source.partition
                partition.committedOffset = offset.value
                return partition
            }
            return topic
        }
        // Version 10 names topics by id.
        let answer = try await coordinatorConnection().send(request, limit: 9)
        for topic in answer.topics {
            for partition in topic.partitions where partition.errorCode != .none {
                let code = partition.errorCode
                if code == .unknownMemberId { memberID = "" }
                if [.rebalanceInProgress, .illegalGeneration, .unknownMemberId].contains(code) { mustJoin = true }
                throw ClientError.refused(code, what: "commit of \(topic.name)-\(partition.partitionIndex) by group '\(group)'")
            }
        }
    }

    /// Committed offsets; partitions without one are left out.
    func committed(_ partitions: [TopicPartition]) async throws -> [TopicPartition: Offset] {
        guard !partitions.isEmpty else { return [:] }
        return try await client.retrying(what: "group '\(group)'") {
            try await GroupOffsets.fetch(group: self.group, partitions: partitions, over: self.coordinatorConnection())
        }
    }

    private func coordinatorConnection() async throws -> BrokerConnection {
        if let coordinator { return try await client.connection(to: coordinator, lane: lane) }
        let address = try await client.coordinator(group: group)
        coordinator = address
        return try await client.connection(to: address, lane: lane)
    }
}
