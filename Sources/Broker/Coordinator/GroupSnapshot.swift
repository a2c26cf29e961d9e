import Groups
import Model
import NIOCore
import Wire

/// All facts of a shard's groups as of an offset of their stream: what a start reads instead of everything before it.
///
/// ```
/// 1 version │ 8 end offset │ 4 facts │ per fact: key, value (compact bytes) │ 4 CRC-32C of all before it
/// ```
struct GroupSnapshot {
    static func key(_ shard: ShardID) -> String { "groups/shard-\(shard)" }

    /// Facts below this are in the snapshot.
    var end: Offset
    var facts: [GroupFact]

    func encoded() -> ByteBuffer {
        FactSnapshot.encode(end: end, facts) { fact, writer in
            let (key, value) = fact.encoded()
            writer.bytes(key, compact: true)
            writer.nullableBytes(value, compact: true)
        }
    }

    init(end: Offset, facts: [GroupFact]) {
        self.end = end
        self.facts = facts
    }

    /// nil when the bytes are damaged or of a later release.
    init?(_ bytes: ByteBuffer) {
        let read = FactSnapshot.decode(bytes) { reader in
            let key = try reader.bytes(compact: true)
            return try GroupFact.decode(key: key, value: try reader.nullableBytes(compact: true))
        }
        guard let read else { return nil }
        self.init(end: read.end, facts: read.items)
    }
}

/// When the next snapshot is due: the log may grow to a few times the snapshot's size before a start would read too much.
struct SnapshotPace {
    var isRunning = false
    /// Size of the last snapshot.
    var lastBytes = 0
    /// Something was decided that the log does not have: the next snapshot is due at once.
    var isForced = false

    /// - Parameter least: bytes of facts below which none is written, see ``Limits/factSnapshotBytes``.
    func isDue(bytesLogged: Int, least: Int) -> Bool { !isRunning && (isForced || bytesLogged >= max(least, 4 * lastBytes)) }
}

extension GroupCoordinator {
    /// Called when facts have been logged and applied.
    func noteLogged() {
        guard snapshots.isDue(bytesLogged: queue.bytesWritten, least: shard.options.limits.factSnapshotBytes) else { return }
        takeSnapshot()
    }

    /// Writes the table as of the last logged fact and frees the log before it. Encoding happens off the loop, on a copy.
    /// A generation that is still on its way to the log may be in it; should it not arrive, its members join again.
    func takeSnapshot() {
        snapshots.isRunning = true
        queue.bytesWritten = 0
        let table = table
        let end = queue.loggedEnd
        let shard = shard
        Task {
            let bytes = GroupSnapshot(end: end, facts: table.snapshot()).encoded()
            do {
                try await shard.store.putBlob(GroupSnapshot.key(shard.id), bytes)
                shard.log.trim(.facts(shard.id, .groups), before: end) { result in
                    if case .failure(let error) = result { shard.logger.warning("group facts before \(end) were not freed: \(error)") }
                }
            } catch {
                shard.logger.warning(
                    "shard \(shard.id): the group snapshot was not written (\(error)); the next start reads more of the log")
            }
            shard.run {
                self.snapshots.isRunning = false
                self.snapshots.lastBytes = bytes.readableBytes
            }
        }
    }
}
