import Control
import Groups
import Model
import Queues

/// Moving the cursors of share groups, as `weir group reset` and `O` ask for it.
extension Broker {
    /// Moves a share group's cursors, or says what would move: all below the new place is settled, all from it on is ready again. Members
    /// lose what they hold: they are in the way, unless `force` takes them out.
    func resetShareGroup(_ reset: OffsetReset, members: [String]) async throws(ControlError) -> CommandOutcome {
        let topics = catalog.current
        if topics[reset.group]?.config.isQueue == true {
            throw ControlError(
                .invalid,
                "\(reset.group) is a queue: 'weir replay \(reset.group) --from …' makes its settled messages ready again")
        }
        if !members.isEmpty, !reset.force { throw Self.inTheWay(reset.group, members.count) }
        let cursors = await cursors(of: reset.group)
        let first = Dictionary(
            cursors.map { (TopicPartition(topic: $0.topic, partition: $0.key.partition.index), $0.firstOpen) },
            uniquingKeysWith: { first, _ in first })
        let wanted = try partitions(of: reset, committed: first)
        var moves: [OffsetMove] = []
        var ready: Int64 = 0
        for (partition, id) in wanted {
            let move = try await move(of: reset.target, partition, id, from: first[partition])
            moves.append(move)
            ready += await shard(of: id).ask { shard in
                let range = Offset(move.to)..<max(Offset(move.to), Offset(move.end))
                return shard.partitions[id]?.holes.missing(in: range).reduce(0) { $0 + ($1.upperBound - $1.lowerBound) } ?? 0
            }
        }
        if !reset.dryRun {
            for member in members { _ = await expel(member, from: reset.group) }
            for ((_, id), move) in zip(wanted, moves) {
                let key = ShareKey(group: reset.group, partition: id)
                let result = await withCheckedContinuation { continuation in
                    shard(of: id).moveStart(key, to: Offset(move.to)) { continuation.resume(returning: $0) }
                }
                if case .failure(let error) = result {
                    throw ControlError(.failed, "\(move.topic) partition \(move.partition) was not moved: \(error)")
                }
            }
            events.add(.info, "share group \(reset.group): \(moves.count) cursors moved", at: clock.now)
        }
        let what = "\(moves.count) partition\(moves.count == 1 ? "" : "s") \(reset.dryRun ? "would move" : "moved")"
        let messages = "\(ready) message\(ready == 1 ? "" : "s")"
        var preview = Preview()
        preview.go = ready
        return CommandOutcome(
            message: "\(reset.group): \(what), \(messages) \(reset.dryRun ? "would be ready" : "ready")", moves: moves, preview: preview)
    }

    func expel(_ member: String, from group: String) async -> Bool {
        await withCheckedContinuation { continuation in
            shareCoordinator(of: group).expel(member, from: group) { continuation.resume(returning: $0) }
        }
    }

    static func inTheWay(_ group: String, _ members: Int) -> ControlError {
        ControlError(
            .conflict,
            "group \(group) has \(members) member\(members == 1 ? "" : "s"); stop its consumers, then reset, "
                + "or take them out with --force: they join again and go on from there")
    }
}
