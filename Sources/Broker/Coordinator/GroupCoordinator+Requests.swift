import Groups
import Model
import NIOCore

/// What doors ask of a coordinator. Any thread may call; replies run on the shard's loop.
extension GroupCoordinator {
    public func join(_ id: String, _ request: JoinRequest, reply: @escaping @Sendable (JoinAnswer) -> Void) {
        shard.run {
            guard !id.isEmpty, id.utf8.count <= self.limits.groupNameBytes else {
                return reply(JoinAnswer(error: .invalidGroupID, memberID: request.memberID))
            }
            if !self.table.contains(id) {
                guard !self.belongsToShareGroup(id) else {
                    return reply(JoinAnswer(error: .inconsistentGroupProtocol, memberID: request.memberID))
                }
                guard request.memberID.isEmpty else { return reply(JoinAnswer(error: .unknownMemberID, memberID: request.memberID)) }
                guard self.table.count < self.limits.groups else { return reply(JoinAnswer(error: .groupMaxSizeReached, memberID: "")) }
                self.table.make(id, now: self.now)
            }
            guard self.table.hasRoom(for: request, limits: self.limits) else {
                return reply(JoinAnswer(error: .groupMaxSizeReached, memberID: request.memberID))
            }
            let ticket = self.ticket(.join(reply))
            let freshID = self.freshID(request.instanceID ?? request.clientID)
            let limits = self.limits
            self.withGroup(id) { $0.join(request, ticket: ticket, freshID: freshID, limits: limits, now: $1) }
        }
    }

    public func sync(_ id: String, _ request: SyncRequest, reply: @escaping @Sendable (SyncAnswer) -> Void) {
        shard.run {
            guard !id.isEmpty else { return reply(SyncAnswer(error: .invalidGroupID)) }
            guard self.table.contains(id) else { return reply(SyncAnswer(error: .unknownMemberID)) }
            let ticket = self.ticket(.sync(reply))
            self.withGroup(id) { $0.sync(request, ticket: ticket, now: $1) }
        }
    }

    public func heartbeat(
        _ id: String, member: String, instance: String?, generation: Int32, reply: @escaping @Sendable (GroupError?) -> Void
    ) {
        shard.run {
            guard !id.isEmpty else { return reply(.invalidGroupID) }
            let now = self.now
            reply(
                self.table.with(id) { $0.heartbeat(member: member, instance: instance, generation: generation, now: now) }
                    ?? .unknownMemberID)
        }
    }

    /// One result per member; or why none was looked at.
    public func leave(
        _ id: String, _ members: [LeavingMember], reply: @escaping @Sendable (Result<[GroupError?], GroupError>) -> Void
    ) {
        shard.run {
            guard !id.isEmpty else { return reply(.failure(.invalidGroupID)) }
            let now = self.now
            guard let (results, step) = self.table.with(id, { $0.leave(members, now: now) }) else {
                return reply(.success(members.map { _ in .unknownMemberID }))
            }
            self.perform(id, step)
            // Kafka answers a leave once the generation it ends is logged.
            self.queue.after { _ in reply(.success(results)) }
        }
    }

    /// Who commits. A simple consumer has no member id and generation −1.
    public struct Committer: Sendable {
        public var member: String
        public var instance: String?
        public var generation: Int32
        /// What a commit of a generation to a group that does not exist is answered: version 9 says so, older ones `illegalGeneration`.
        public var knowsGroupNotFound: Bool

        public init(member: String, instance: String?, generation: Int32, knowsGroupNotFound: Bool) {
            self.member = member
            self.instance = instance
            self.generation = generation
            self.knowsGroupNotFound = knowsGroupNotFound
        }
    }

    /// One result per item, when the offsets are logged; the same error for all when the commit is refused as a whole.
    public func commit(
        _ id: String, by committer: Committer, _ items: [OffsetCommitItem], reply: @escaping @Sendable ([GroupError?]) -> Void
    ) {
        shard.run {
            func refuse(_ error: GroupError) { reply(items.map { _ in error }) }
            guard id.utf8.count <= self.limits.groupNameBytes else { return refuse(.invalidGroupID) }
            guard self.table.hasRoomForOffsets(limits: self.limits) else { return refuse(.invalidCommitOffsetSize) }
            if !self.table.contains(id) {
                guard !self.belongsToShareGroup(id) else { return refuse(.groupIDNotFound) }
                guard committer.generation < 0 else {
                    return refuse(committer.knowsGroupNotFound ? .groupIDNotFound : .illegalGeneration)
                }
                guard self.table.count < self.limits.groups else { return refuse(.invalidCommitOffsetSize) }
                self.table.make(id, now: self.now)
            }
            let now = self.now
            let limits = self.limits
            let refusal = self.table.with(id) {
                $0.checkCommit(member: committer.member, instance: committer.instance, generation: committer.generation, now: now)
            }
            if let error = refusal ?? nil { return refuse(error) }
            self.arm(for: id)
            guard let (facts, results) = self.table.with(id, { $0.commit(items, limits: limits, now: now) }) else { return }
            guard !facts.isEmpty else { return reply(results) }
            self.log(facts, of: id) { error in reply(results.map { $0 ?? error }) }
        }
    }

    /// The group's committed offsets as logged; nil when there is no such group.
    public func offsets(of ids: [String], reply: @escaping @Sendable ([CommittedOffsets?]) -> Void) {
        shard.run { reply(ids.map { id in self.table.with(id) { $0.offsets } }) }
    }

    public func describe(_ ids: [String], reply: @escaping @Sendable ([GroupDescription?]) -> Void) {
        shard.run { reply(ids.map { id in self.table.with(id) { $0.description } }) }
    }

    public func list(reply: @escaping @Sendable ([GroupListing]) -> Void) {
        shard.run { reply(self.table.groups.values.map(\.listing)) }
    }

    /// Deletes empty groups; one result each.
    public func delete(_ ids: [String], reply: @escaping @Sendable ([GroupError?]) -> Void) {
        shard.run {
            let now = self.now
            nonisolated(unsafe) var results: [GroupError?] = ids.map { _ in nil }  // stays on this loop
            for (index, id) in ids.enumerated() {
                switch self.table.with(id, { $0.delete(now: now) }) {
                case nil: results[index] = .groupIDNotFound
                case .failure(let error): results[index] = error
                case .success(let facts):
                    self.log(facts, of: id) { error in
                        guard let error else { return }
                        self.table.with(id) { $0.deletionLost() }
                        results[index] = error
                    }
                }
            }
            self.queue.after { _ in reply(results) }
        }
    }

    /// One result per item; or why the whole request is refused.
    public func deleteOffsets(
        _ id: String, _ items: [TopicPartition], reply: @escaping @Sendable (Result<[GroupError?], GroupError>) -> Void
    ) {
        shard.run {
            guard !id.isEmpty else { return reply(.failure(.invalidGroupID)) }
            let asked = items.map { ($0.topic, $0.partition) }
            switch self.table.with(id, { $0.deleteOffsets(asked) }) {
            case nil: reply(.failure(.groupIDNotFound))
            case .failure(let error): reply(.failure(error))
            case .success(let (facts, results)):
                guard !facts.isEmpty else { return reply(.success(results)) }
                self.log(facts, of: id) { error in reply(.success(results.map { $0 ?? error })) }
            }
        }
    }

    private func deleteOffsets(of topic: String) {
        for id in Array(table.groups.keys) {
            let partitions = table.with(id) { $0.offsets.partitions(of: topic) } ?? []
            guard !partitions.isEmpty else { continue }
            // Should it fail, the offsets stay until they expire; the log has said why.
            log(partitions.map { .offsetDeleted(group: id, topic: topic, partition: $0.partition) }, of: id) { _ in }
        }
    }

    /// Forgets what groups committed for a topic that was deleted.
    public func forget(topic: String) {
        shard.run {
            // Commits on their way to the log count too.
            self.queue.after { _ in self.deleteOffsets(of: topic) }
        }
    }
}
