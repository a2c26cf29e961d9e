import KafkaWire
import Model
import NIOCore
import Wire

/// A member of a share group (KIP-932): gets records that nobody else has, and answers each of them.
///
/// ```swift
/// let consumer = await ShareConsumer(client: client, group: "payments", topics: ["payments"], memberID: id)
/// while running {
///     let records = try await consumer.poll()
///     try await consumer.acknowledge(records.map { ($0, .accept) })
/// }
/// await consumer.close()
/// ```
/// Heartbeats go out with the calls: ``keepAlive()`` in between when the work takes longer than the session timeout (45 s unless set).
public actor ShareConsumer {
    private struct Session {
        /// 0 opens one; after that it counts up, one a request, and never returns to 0.
        var epoch: Int32 = 0
        mutating func advance() { epoch = epoch == Int32.max ? 1 : epoch + 1 }
    }

    private let client: Client
    private let options: ShareOptions
    private let lane: Client.Lane
    private var member: ShareMembership
    private var coordinator: HostPort?
    private var names: [TopicID: String] = [:]
    /// One a broker that leads partitions of ours.
    private var sessions: [Int32: Session] = [:]
    private var isClosed = false

    /// - Parameter memberID: 22 characters of URL-safe base 64, or any other text that no other member has.
    public init(client: Client, group: String, topics: [String], memberID: String, options: ShareOptions = ShareOptions()) async {
        self.client = client
        self.options = options
        member = ShareMembership(group: group, topics: topics, memberID: memberID)
        lane = await client.newLane()
    }

    /// The next records, waiting for them at most `waitMs`. What was handed out before should be answered first.
    public func poll(waitMs: Int32 = 500) async throws -> [SharedRecord] {
        guard !isClosed else { throw ClientError.closed }
        try await keepAlive()
        let leaders = try await leaders()
        guard !leaders.isEmpty else {
            try await Task.sleep(for: .milliseconds(min(waitMs, 200)))
            return []
        }
        var records: [SharedRecord] = []
        for (node, partitions) in leaders.sorted(by: { $0.key < $1.key }) {
            // With several brokers the first that has something answers for this time.
            records += try await fetch(node, partitions, waitMs: leaders.count == 1 ? waitMs : waitMs / Int32(leaders.count))
        }
        return records
    }

    /// Answers records of earlier polls. Throws when the broker refuses one: its lock ran out, or it was answered already.
    public func acknowledge(_ answers: [(record: SharedRecord, answer: ShareAnswer)]) async throws {
        guard !answers.isEmpty else { return }
        let metadata = try await client.metadata(topics: Set(answers.map(\.record.source.topic)).sorted())
        var byLeader: [Int32: [(record: SharedRecord, answer: ShareAnswer)]] = [:]
        for answer in answers {
            let source = answer.record.source
            guard let leader = metadata.leader(source.topic, source.partition) else {
                throw ClientError.refused(.leaderNotAvailable, what: "\(source)")
            }
            byLeader[leader, default: []].append(answer)
        }
        for (node, answers) in byLeader.sorted(by: { $0.key < $1.key }) { try await acknowledge(node, answers) }
        try await keepAlive()
    }

    /// Sends a heartbeat when one is due.
    public func keepAlive() async throws {
        let now = client.clock.monotonic
        guard member.isDue(now) else { return }
        let answer: ShareGroupHeartbeatResponse
        do {
            answer = try await coordinatorConnection().send(member.heartbeat())
        } catch {
            coordinator = nil
            throw error
        }
        if answer.errorCode.isRetriable || answer.errorCode == .notCoordinator { coordinator = nil }
        if try member.take(answer, now: now) { await closeSessions() }
    }

    /// Gives back what was not answered and leaves the group: also when the caller's task is cancelled.
    public func close() async {
        guard !isClosed else { return }
        isClosed = true
        await Task { await self.leave() }.value
    }

    private func leave() async {
        await closeSessions()
        // If it cannot be said, the session timeout says it.
        if member.epoch > 0 { _ = try? await coordinatorConnection().send(member.farewell()) }
        await client.close(lane: lane)
    }

    // MARK: Requests

    private func fetch(_ node: Int32, _ partitions: [(TopicID, [Int32])], waitMs: Int32) async throws -> [SharedRecord] {
        var session = sessions[node] ?? Session()
        var request = ShareFetchRequest()
        request.groupId = member.group
        request.memberId = member.memberID
        request.shareSessionEpoch = session.epoch
        request.maxWaitMs = waitMs
        request.minBytes = 1
        request.maxBytes = options.maxBytes
        request.maxRecords = options.maxRecords
        request.batchSize = options.maxRecords
        // An open session knows its partitions.
        if session.epoch == 0 { request.topics = partitions.map { Self.fetchTopic($0, $1) } }
        let answer = try await connection(node).send(request, waitMs: Int64(waitMs))
        session.advance()
        sessions[node] = session
        guard try isInSession(answer.errorCode, node) else { return [] }
        var records: [SharedRecord] = []
        for topic in answer.responses {
            guard let name = names[TopicID(topic.topicId)] else { continue }
            for partition in topic.partitions {
                let source = TopicPartition(topic: name, partition: partition.partitionIndex)
                guard partition.errorCode == .none else {
                    await client.forget(topic: name)
                    throw ClientError.refused(partition.errorCode, what: "\(source) in group '\(member.group)'")
                }
                records += try Self.records(partition, source)
            }
        }
        return records
    }

    private static func fetchTopic(_ id: TopicID, _ partitions: [Int32]) -> ShareFetchRequest.FetchTopic {
        var topic = ShareFetchRequest.FetchTopic()
        topic.topicId = id.uuid
        topic.partitions = partitions.map { index in
            var partition = ShareFetchRequest.FetchPartition()
            partition.partitionIndex = index
            return partition
        }
        return topic
    }

    /// The acquired ones of the records sent: batches are sent whole.
    private static func records(_ partition: ShareFetchResponse.PartitionData, _ source: TopicPartition) throws -> [SharedRecord] {
        guard let first = partition.acquiredRecords.map(\.firstOffset).min() else { return [] }
        var records: [SharedRecord] = []
        var range = 0
        let acquired = partition.acquiredRecords.sorted { $0.firstOffset < $1.firstOffset }
        for batch in try FetchedBatch.split(partition.records ?? ByteBuffer(), source: source, from: Offset(first), verify: true) {
            for record in try batch.records() {
                while range < acquired.count, acquired[range].lastOffset < record.offset.value { range += 1 }
                guard range < acquired.count, acquired[range].firstOffset <= record.offset.value else { continue }
                records.append(SharedRecord(source: source, record: record, deliveryCount: Int(acquired[range].deliveryCount)))
            }
        }
        return records
    }

    private func acknowledge(_ node: Int32, _ answers: [(record: SharedRecord, answer: ShareAnswer)]) async throws {
        // Without a session nothing is held.
        guard var session = sessions[node], session.epoch > 0 else { return }
        var request = ShareAcknowledgeRequest()
        request.groupId = member.group
        request.memberId = member.memberID
        request.shareSessionEpoch = session.epoch
        let ids = Dictionary(names.map { ($0.value, $0.key) }, uniquingKeysWith: { first, _ in first })
        request.topics = Dictionary(grouping: answers, by: \.record.source.topic).sorted { $0.key < $1.key }.compactMap { name, answers in
            guard let id = ids[name] else { return nil }
            var topic = ShareAcknowledgeRequest.AcknowledgeTopic()
            topic.topicId = id.uuid
            topic.partitions = Dictionary(grouping: answers, by: \.record.source.partition).sorted { $0.key < $1.key }.map {
                index, answers in
                var partition = ShareAcknowledgeRequest.AcknowledgePartition()
                partition.partitionIndex = index
                partition.acknowledgementBatches = Self.batches(answers)
                return partition
            }
            return topic
        }
        let answer = try await connection(node).send(request)
        session.advance()
        sessions[node] = session
        guard try isInSession(answer.errorCode, node) else { return }
        for topic in answer.responses {
            for partition in topic.partitions where partition.errorCode != .none {
                let name = names[TopicID(topic.topicId)] ?? "?"
                throw ClientError.refused(partition.errorCode, what: "answers to \(name)-\(partition.partitionIndex)")
            }
        }
    }

    /// Runs of consecutive offsets with one answer.
    private static func batches(
        _ answers: [(record: SharedRecord, answer: ShareAnswer)]
    ) -> [ShareAcknowledgeRequest.AcknowledgementBatch] {
        var batches: [ShareAcknowledgeRequest.AcknowledgementBatch] = []
        for (record, answer) in answers.sorted(by: { $0.record.record.offset < $1.record.record.offset }) {
            let offset = record.record.offset.value
            if let last = batches.last, last.lastOffset == offset - 1, last.acknowledgeTypes == [answer.rawValue] {
                batches[batches.count - 1].lastOffset = offset
                continue
            }
            var batch = ShareAcknowledgeRequest.AcknowledgementBatch()
            batch.firstOffset = offset
            batch.lastOffset = offset
            batch.acknowledgeTypes = [answer.rawValue]
            batches.append(batch)
        }
        return batches
    }

    /// False when the broker has no such session any more: the next fetch opens another, and what was held comes again.
    private func isInSession(_ code: ErrorCode, _ node: Int32) throws -> Bool {
        switch code {
        case .none: return true
        case .shareSessionNotFound, .invalidShareSessionEpoch:
            sessions[node] = nil
            return false
        default: throw ClientError.refused(code, what: "group '\(member.group)'")
        }
    }

    private func closeSessions() async {
        for (node, session) in sessions where session.epoch > 0 {
            var request = ShareAcknowledgeRequest()
            request.groupId = member.group
            request.memberId = member.memberID
            request.shareSessionEpoch = -1
            // A connection that is gone has closed the session already.
            _ = try? await connection(node).send(request)
        }
        sessions = [:]
    }

    // MARK: Places

    private func leaders() async throws -> [Int32: [(TopicID, [Int32])]] {
        guard !member.assignment.isEmpty else { return [:] }
        let metadata = try await client.metadata(topics: member.topics)
        var leaders: [Int32: [(TopicID, [Int32])]] = [:]
        for name in member.topics {
            guard let topic = metadata.topics[name], topic.error == .none, let mine = member.assignment[topic.id] else { continue }
            names[topic.id] = name
            let byLeader = Dictionary(grouping: mine) { metadata.leader(name, $0) }
            for case (let leader?, let partitions) in byLeader { leaders[leader, default: []].append((topic.id, partitions)) }
        }
        return leaders
    }

    private func connection(_ node: Int32) async throws -> BrokerConnection { try await client.connection(node: node, lane: lane) }

    private func coordinatorConnection() async throws -> BrokerConnection {
        if let coordinator { return try await client.connection(to: coordinator, lane: lane) }
        let address = try await client.coordinator(group: member.group)
        coordinator = address
        return try await client.connection(to: address, lane: lane)
    }
}
