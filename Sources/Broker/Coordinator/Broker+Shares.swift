import Groups
import Model

/// Share groups over all shards.
extension Broker {
    /// The coordinator of a share group: on the shard that would coordinate a consumer group of the name, so that the two exclude each
    /// other without asking around.
    public func shareCoordinator(of group: String) -> ShareCoordinator { shareCoordinators[shard(named: group).id.value] }

    /// All share groups by name, those without members too.
    public func shareGroups() async -> [ShareGroup] {
        var found: [ShareGroup] = []
        for coordinator in shareCoordinators {
            found += await withCheckedContinuation { continuation in coordinator.list { continuation.resume(returning: $0) } }
        }
        return found.sorted { $0.id < $1.id }
    }

    public func shareGroup(_ id: String) async -> ShareGroup? {
        await withCheckedContinuation { continuation in
            shareCoordinator(of: id).describe(id) { continuation.resume(returning: $0) }
        }
    }

    /// The cursors of a share group, by partition.
    public func cursors(of group: String) async -> [CursorCounts] {
        var found: [CursorCounts] = []
        for shard in shards { found += await shard.ask { $0.cursorCounts().filter { $0.key.group == group } } }
        return found.sorted { ($0.topic, $0.key.partition) < ($1.topic, $1.key.partition) }
    }

    /// Forgets a share group without members, and what it has read. nil is success.
    public func deleteShareGroup(_ id: String) async -> ShareGroupError? {
        guard let group = await shareGroup(id) else { return .groupIDNotFound }
        guard group.members.isEmpty else { return .nonEmptyGroup }
        // A queue and its own group live and die together.
        guard catalog.current[id]?.config.isQueue != true else { return .invalidRequest }
        for cursor in await cursors(of: id) {
            let deleted = await withCheckedContinuation { continuation in
                shard(of: cursor.key.partition).deleteCursor(cursor.key) { continuation.resume(returning: $0) }
            }
            if case .failure(let error) = deleted, error != .unknownPartition {
                logger.error("share group \(id): its cursor on \(cursor.topic)-\(cursor.key.partition.index) was not deleted: \(error)")
                return .coordinatorNotAvailable
            }
        }
        let coordinator = shareCoordinator(of: id)
        _ = await shard(named: id).ask { _ in coordinator.forget(id) }
        events.add(.info, "share group \(id) deleted", at: clock.now)
        return nil
    }

    /// Tells coordinators which names are share groups', from the cursors that were read back.
    func startShareGroups() async {
        var names: Set<String> = []
        for shard in shards { names.formUnion(await shard.ask { Set($0.cursorCounts().map(\.key.group)) }) }
        for (shard, coordinator) in zip(shards, shareCoordinators) {
            let mine = names.filter { self.shard(named: $0) === shard }
            _ = await shard.ask { shard in
                coordinator.note(mine)
                shard.groups.belongsToShareGroup = { [weak coordinator] in coordinator?.isShareGroup($0) ?? false }
            }
        }
    }
}
