import Groups
import Model
import NIOCore
import Storage
import Wire

/// Reads a shard's groups back: the snapshot, then the facts behind it.
struct GroupRecovery {
    let shard: Shard

    /// - Parameter extent: what the log holds of the shard's group facts.
    /// - Throws: ``StartFailure`` when something that was logged can't be read: going on would lose committed offsets silently.
    func table(extent: StreamExtent) async throws -> GroupTable {
        var table = GroupTable()
        var next = extent.start
        if let blob = try await shard.store.getBlob(GroupSnapshot.key(shard.id)) {
            if let snapshot = GroupSnapshot(blob) {
                for fact in snapshot.facts { table.apply(fact) }
                next = max(next, snapshot.end)
            } else if extent.start > .zero {
                throw StartFailure(
                    description:
                        "the snapshot of shard \(shard.id)'s groups is damaged, and the facts before \(extent.start) are only there; "
                        + "restore the data directory's blobs from a copy, or remove the snapshot to lose those offsets")
            } else {
                shard.logger.warning("shard \(shard.id): the group snapshot is damaged; all of its facts are read from the log")
            }
        }
        try await StreamReader(log: shard.log).facts(.facts(shard.id, .groups), from: next, to: extent.end) { record in
            guard let key = record.key else { return }
            // Bytes of their own: a slice would keep the whole read alive.
            let value = record.value.map { ByteBuffer(bytes: $0.readableBytesView) }
            table.apply(try GroupFact.decode(key: key, value: value))
        }
        return table
    }
}

extension Shard {
    /// Reads the shard's groups back and begins to coordinate. Call once, before the doors open.
    func startCoordinator(extent: StreamExtent, random: @escaping @Sendable () -> UInt64) async throws {
        let table = try await GroupRecovery(shard: self).table(extent: extent)
        _ = await ask { shard in
            let coordinator = GroupCoordinator(shard: shard, random: random)
            coordinator.begin(with: table, end: extent.end)
            shard.coordinator = coordinator
        }
    }
}
