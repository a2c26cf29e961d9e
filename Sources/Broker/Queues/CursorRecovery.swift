import Model
import NIOCore
import Queues
import Storage
import Wire

/// Reads a shard's cursors back: the snapshot, then the facts behind it.
struct CursorRecovery {
    let shard: Shard

    /// - Parameter extent: what the log holds of the shard's queue facts.
    /// - Throws: ``StartFailure`` when something that was logged can't be read: going on would deliver settled messages again.
    func cursors(extent: StreamExtent) async throws -> [ShareKey: QueueCursor] {
        var cursors: [ShareKey: QueueCursor] = [:]
        var next = extent.start
        if let blob = try await shard.store.getBlob(CursorSnapshot.key(shard.id)) {
            if let snapshot = CursorSnapshot(blob) {
                for (key, facts) in snapshot.cursors { apply(facts, to: key, &cursors) }
                next = max(next, snapshot.end)
            } else if extent.start > .zero {
                throw StartFailure(
                    description:
                        "the snapshot of shard \(shard.id)'s queues is damaged, and the facts before \(extent.start) are only there; "
                        + "restore the data directory's blobs from a copy, or remove the snapshot: then settled messages come back"
                )
            } else {
                shard.logger.warning("shard \(shard.id): the snapshot of queues is damaged; all of their facts are read from the log")
            }
        }
        try await StreamReader(log: shard.log).facts(.facts(shard.id, .queues), from: next, to: extent.end) { record in
            guard let key = record.key, let value = record.value else { return }
            apply(try CursorFacts.decode(value), to: try CursorFacts.decodeKey(key), &cursors)
        }
        return cursors
    }

    private func apply(_ facts: [QueueFact], to key: ShareKey, _ cursors: inout [ShareKey: QueueCursor]) {
        for fact in facts {
            if fact == .deleted {
                cursors[key] = nil
            } else {
                cursors[key, default: QueueCursor(policy: QueuePolicy(), limits: shard.options.limits)].apply(fact)
            }
        }
    }
}

extension Shard {
    /// Reads the shard's cursors back and opens those of queues. Call once the shard's partitions are there, before the doors open.
    func startCursors(extent: StreamExtent, configs: GroupConfigs, random: @escaping @Sendable () -> UInt64) async throws {
        let recovered = try await CursorRecovery(shard: self).cursors(extent: extent)
        _ = await ask { shard in
            let host = CursorHost(shard: shard, configs: configs, random: random)
            host.queue.loggedEnd = extent.end
            shard.cursors = host
            shard.mover?.source = host
            for (key, machine) in recovered {
                // The topic may have been deleted: its cursors went with it.
                guard let partition = shard.partitions[key.partition] else { continue }
                let cursor = host.adopt(key, partition, machine)
                host.log(cursor.machine.cutBehind(partition.highWatermark), of: cursor) { _ in }
                if cursor.isOwn { host.noteBacklog(cursor) }
            }
            for partition in shard.partitions.values where partition.config.isQueue { host.configured(partition) }
        }
    }
}
