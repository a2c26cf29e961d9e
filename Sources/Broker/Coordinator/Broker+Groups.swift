import Control
import Groups
import Model
import NIOCore

/// What operators do to groups.
extension Broker {
    /// The coordinator of a group.
    public func coordinator(of group: String) -> GroupCoordinator { shard(named: group).groups }

    /// All coordinators, one per shard.
    public var groupCoordinators: [GroupCoordinator] { shards.map(\.groups) }

    /// Moves a group's committed offsets, or a share group's cursors, or says what would move. Targets are brought within the partition:
    /// a time after the last record is its end, an offset outside it its nearer edge.
    public func resetOffsets(_ reset: OffsetReset) async throws(ControlError) -> CommandOutcome {
        if let shares = await shareGroup(reset.group) {
            return try await resetShareGroup(reset, members: shares.members.keys.sorted())
        }
        let group = await view(of: reset.group)
        let members = group?.members ?? []
        if !members.isEmpty, !reset.force { throw Self.inTheWay(reset.group, members.count) }
        let committed = Dictionary(
            (group?.committed ?? []).map { ($0.partition, $0.offset) }, uniquingKeysWith: { first, _ in first })
        let wanted = try partitions(of: reset, committed: committed)
        var moves: [OffsetMove] = []
        for (partition, id) in wanted {
            moves.append(try await move(of: reset.target, partition, id, from: committed[partition]))
        }
        if !reset.dryRun {
            try await apply(moves, to: reset.group, without: members.map { LeavingMember(memberID: $0.id, instanceID: $0.instanceID) })
        }
        let verb = reset.dryRun ? "would move" : "moved"
        return CommandOutcome(
            message: "\(reset.group): \(moves.count) partition\(moves.count == 1 ? "" : "s") \(verb)", moves: moves)
    }

    public func deleteGroup(_ name: String) async throws(ControlError) -> CommandOutcome {
        let results = await withCheckedContinuation { continuation in
            coordinator(of: name).delete([name]) { continuation.resume(returning: $0) }
        }
        switch results[0] {
        case nil:
            events.add(.info, "group \(name) deleted", at: clock.now)
            return CommandOutcome(message: "\(name): group deleted")
        case .groupIDNotFound: return try await deleteShares(name)
        case .nonEmptyGroup: throw ControlError(.conflict, "group \(name) has members; stop its consumers first")
        case .some(let error): throw ControlError(.failed, "group \(name) was not deleted: \(error)")
        }
    }

    private func deleteShares(_ name: String) async throws(ControlError) -> CommandOutcome {
        switch await deleteShareGroup(name) {
        case nil: return CommandOutcome(message: "\(name): share group deleted")
        case .groupIDNotFound: throw ControlError(.notFound, "there is no group \(name)")
        case .nonEmptyGroup: throw ControlError(.conflict, "share group \(name) has members; stop its consumers first")
        case .invalidRequest:
            throw ControlError(.conflict, "\(name) is the group of the queue \(name); 'weir queue delete \(name)' deletes both")
        case .some(let error): throw ControlError(.failed, "share group \(name) was not deleted: \(error); see the broker's log")
        }
    }

    /// Where one partition's offset would go.
    func move(
        of target: OffsetReset.Target, _ partition: TopicPartition, _ id: PartitionID, from: Offset?
    ) async throws(ControlError) -> OffsetMove {
        let shard = shard(of: id)
        let start = try await offset(shard, id, .earliest).value
        let end = try await offset(shard, id, .latest).value
        let to: Int64 =
            switch target {
            case .earliest: start
            case .latest: end
            case .offset(let offset): min(max(offset, start), end)
            case .time(let ms): max(try await offset(shard, id, .timestamp(Timestamp(ms: ms)), none: Offset(end)).value, start)
            }
        return OffsetMove(topic: partition.topic, partition: partition.partition, from: from?.value, to: to, end: end)
    }

    private func view(of group: String) async -> GroupView? {
        await shard(named: group).ask { shard in shard.groups.table[group].map { GroupView($0) } }
    }

    /// The partitions a reset means, by topic and number.
    func partitions(
        of reset: OffsetReset, committed: [TopicPartition: Offset]
    ) throws(ControlError) -> [(TopicPartition, PartitionID)] {
        let topics = catalog.current
        var wanted: [TopicPartition]
        if let name = reset.topic {
            guard let topic = topics[name] else { throw ControlError(.notFound, "there is no topic \(name)") }
            wanted = (0..<topic.partitions).map { TopicPartition(topic: name, partition: $0) }
        } else {
            wanted = committed.keys.sorted()
            if wanted.isEmpty { throw ControlError(.notFound, "group \(reset.group) has no offsets yet; name a topic") }
        }
        if let index = reset.partition { wanted = wanted.filter { $0.partition == index } }
        let found = wanted.compactMap { wanted in topics[wanted.topic]?.partition(wanted.partition).map { (wanted, $0) } }
        if found.isEmpty { throw ControlError(.notFound, "the reset of group \(reset.group) names no partition that exists") }
        return found
    }

    private func offset(
        _ shard: Shard, _ id: PartitionID, _ target: Shard.OffsetTarget, none: Offset = .zero
    ) async throws(ControlError) -> Offset {
        let answer = await withCheckedContinuation { continuation in
            shard.offset(of: id, target, leaderEpoch: -1) { continuation.resume(returning: $0) }
        }
        if let error = answer.error { throw ControlError(.failed, "partition \(id) could not be asked: \(error)") }
        return answer.offset.value < 0 ? none : answer.offset
    }

    /// Commits the offsets. Members that are in the way are taken out right before, so that none has joined again meanwhile; they find
    /// out at their next heartbeat, join and begin at these offsets.
    private func apply(_ moves: [OffsetMove], to group: String, without members: [LeavingMember]) async throws(ControlError) {
        let items = moves.map { OffsetCommitItem(topic: $0.topic, partition: $0.partition, offset: Offset($0.to)) }
        let nobody = GroupCoordinator.Committer(member: "", instance: nil, generation: -1, knowsGroupNotFound: true)
        let results = await withCheckedContinuation { continuation in
            let coordinator = coordinator(of: group)
            shard(named: group).run {
                if !members.isEmpty { coordinator.leave(group, members) { _ in } }
                coordinator.commit(group, by: nobody, items) { continuation.resume(returning: $0) }
            }
        }
        if results.contains(.unknownMemberID) {
            throw ControlError(.conflict, "group \(group) got a member meanwhile; stop its consumers, then reset")
        }
        if let error = results.compactMap({ $0 }).first { throw ControlError(.failed, "the offsets were not committed: \(error)") }
        events.add(.info, "group \(group): offsets of \(moves.count) partitions reset", at: clock.now)
    }
}

extension Shard {
    /// The coordinator; there once the broker has started.
    var groups: GroupCoordinator {
        guard let coordinator else { preconditionFailure("shard \(id) was asked for its groups before it had started") }
        return coordinator
    }
}
