import Model
import NIOCore
import Queues
import Wire

/// The written form of cursor facts and of all cursors of a shard.
///
/// ```
/// record    key   1 version │ group │ topic id 16 │ partition 4     value   facts (QueueFact)
/// snapshot  1 version │ 8 end offset │ 4 cursors │ per cursor: key, facts (compact bytes) │ 4 CRC-32C of all before it
/// ```
enum CursorFacts {
    private static let version: Int8 = 1

    static func record(_ key: ShareKey, _ facts: some Collection<QueueFact>) -> FactQueue.Entry {
        var writer = WireWriter()
        QueueFact.write(Array(facts), to: &writer)
        return (encode(key), writer.buffer)
    }

    static func encode(_ key: ShareKey) -> ByteBuffer {
        var writer = WireWriter()
        writer.int8(version)
        writer.string(key.group, compact: true)
        writer.uuid(key.partition.topic.uuid)
        writer.int32(key.partition.index)
        return writer.buffer
    }

    static func decodeKey(_ bytes: ByteBuffer) throws(WireError) -> ShareKey {
        var reader = WireReader(bytes)
        let found = try reader.int8()
        guard found == version else { throw .unsupportedVersion(api: -1, version: Int16(found)) }
        let group = try reader.string(compact: true)
        return ShareKey(group: group, partition: PartitionID(topic: TopicID(try reader.uuid()), index: try reader.int32()))
    }

    static func decode(_ bytes: ByteBuffer) throws(WireError) -> [QueueFact] {
        var reader = WireReader(bytes)
        return try QueueFact.read(&reader)
    }
}

/// All cursors of a shard as of an offset of their fact stream: what a start reads instead of everything before it.
struct CursorSnapshot {
    static func key(_ shard: ShardID) -> String { "queues/shard-\(shard)" }

    var end: Offset
    var cursors: [(key: ShareKey, facts: [QueueFact])]

    static func encode(end: Offset, _ cursors: [(key: ShareKey, machine: QueueCursor)]) -> ByteBuffer {
        FactSnapshot.encode(end: end, cursors) { cursor, writer in
            var facts = WireWriter()
            QueueFact.write(cursor.machine.snapshot(), to: &facts)
            writer.bytes(CursorFacts.encode(cursor.key), compact: true)
            writer.bytes(facts.buffer, compact: true)
        }
    }

    /// nil when the bytes are damaged or of a later release.
    init?(_ bytes: ByteBuffer) {
        let read = FactSnapshot.decode(bytes) { reader in
            let key = try CursorFacts.decodeKey(try reader.bytes(compact: true))
            return (key: key, facts: try CursorFacts.decode(try reader.bytes(compact: true)))
        }
        guard let read else { return nil }
        (end, cursors) = (read.end, read.items)
    }
}

extension CursorHost {
    /// Takes the cursors as they are and writes them down when all facts up to here are logged, or are lost. The snapshot holds exactly
    /// what lies before its end: applying facts to cursors that know them already is not always without effect (a purge, undone).
    func snapshotIfDue() {
        guard snapshots.isDue(bytesLogged: queue.bytesWritten, least: limits.factSnapshotBytes) else { return }
        snapshots.isRunning = true
        let wasForced = snapshots.isForced
        snapshots.isForced = false
        queue.bytesWritten = 0
        let machines = cursors.values.map { (key: $0.key, machine: $0.machine) }
        queue.seal { _ in self.write(machines, end: self.queue.loggedEnd, isForced: wasForced) }
    }

    /// Encodes off the loop, on copies.
    private func write(_ machines: [(key: ShareKey, machine: QueueCursor)], end: Offset, isForced: Bool) {
        let shard = shard
        Task {
            let bytes = CursorSnapshot.encode(end: end, machines)
            var isWritten = true
            do {
                try await shard.store.putBlob(CursorSnapshot.key(shard.id), bytes)
                shard.log.trim(.facts(shard.id, .queues), before: end) { result in
                    if case .failure(let error) = result { shard.logger.warning("queue facts before \(end) were not freed: \(error)") }
                }
            } catch {
                isWritten = false
                shard.logger.warning(
                    "shard \(shard.id): the snapshot of queues was not written (\(error)); the next start reads more of the log")
            }
            let size = isWritten ? bytes.readableBytes : 0
            shard.run {
                self.snapshots.isRunning = false
                if size > 0 {
                    self.snapshots.lastBytes = size
                    self.snapshotIfDue()
                } else if isForced {
                    // The log still lacks what was decided; the next facts try again.
                    self.snapshots.isForced = true
                }
            }
        }
    }
}
