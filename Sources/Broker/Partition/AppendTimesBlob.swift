import Model
import NIOCore
import Wire

/// The append times of a shard's partitions as one blob, written some seconds after an append: what a start knows of ages.
///
/// ```
/// 1 version │ 8 written at, ms │ partitions │ per partition: topic id 16 │ index 4 │ log end │ stretches │ per stretch: first offset and
///   oldest ms, both as differences from the stretch before, newest ms as the difference from oldest │ 4 CRC-32C of all before it
/// ```
/// Numbers without a width are varints.
struct AppendTimesBlob {
    struct Entry: Sendable, Equatable {
        var id: PartitionID
        var end: Offset
        var times: AppendTimes
    }
    private static let version: Int8 = 1
    static func key(_ shard: ShardID) -> String { "append-times/shard-\(shard)" }

    var savedAt: Timestamp
    var entries: [Entry]

    /// The most a stretch takes, as long as offsets and times are sensible, and a partition besides its stretches.
    private static let stretchBytes = 20
    private static let entryBytes = 40

    /// - Parameter limitBytes: what a store takes; past it the oldest stretches of each partition are left out.
    func encode(limitBytes: Int) -> ByteBuffer {
        let room = limitBytes / max(1, entries.count) - Self.entryBytes
        let most = max(1, room / Self.stretchBytes)
        var writer = WireWriter()
        writer.int8(Self.version)
        writer.int64(savedAt.ms)
        writer.count(entries.count, compact: true)
        for entry in entries {
            writer.uuid(entry.id.topic.uuid)
            writer.int32(entry.id.index)
            writer.varlong(entry.end.value)
            let stretches = entry.times.stretches.suffix(most)
            writer.count(stretches.count, compact: true)
            var last = AppendTimes.Stretch(first: .zero, oldest: Timestamp(ms: 0), newest: Timestamp(ms: 0))
            for stretch in stretches {
                writer.varlong(stretch.first - last.first)
                writer.varlong(stretch.oldest - last.oldest)
                writer.varlong(stretch.newest - stretch.oldest)
                last = stretch
            }
        }
        writer.uint32(CRC32C.checksum(writer.buffer))
        return writer.buffer
    }

    init(savedAt: Timestamp, entries: [Entry]) {
        self.savedAt = savedAt
        self.entries = entries
    }

    /// nil when the bytes are damaged or of a later release.
    /// - Parameter limit: stretches kept of one partition.
    init?(_ bytes: ByteBuffer, limit: Int) {
        var bytes = bytes
        guard bytes.readableBytes >= 4, let body = bytes.readSlice(length: bytes.readableBytes - 4),
            bytes.readInteger(as: UInt32.self) == CRC32C.checksum(body)
        else { return nil }
        do throws(WireError) { (savedAt, entries) = try Self.read(body, limit: limit) } catch { return nil }
    }

    private static func read(_ body: ByteBuffer, limit: Int) throws(WireError) -> (Timestamp, [Entry]) {
        var reader = WireReader(body)
        let found = try reader.int8()
        guard found == version else { throw .unsupportedVersion(api: -1, version: Int16(found)) }
        let savedAt = Timestamp(ms: try reader.int64())
        let count = try reader.count(compact: true, minimumBytes: 22)
        var entries: [Entry] = []
        entries.reserveCapacity(WireReader.reservation(count))
        for _ in 0..<count {
            let id = PartitionID(topic: TopicID(try reader.uuid()), index: try reader.int32())
            let end = Offset(try reader.varlong())
            var stretches: [AppendTimes.Stretch] = []
            var (first, oldest): (Int64, Int64) = (0, 0)
            for _ in 0..<(try reader.count(compact: true, minimumBytes: 3)) {
                first &+= try reader.varlong()
                oldest &+= try reader.varlong()
                let newest = oldest &+ (try reader.varlong())
                stretches.append(.init(first: Offset(first), oldest: Timestamp(ms: oldest), newest: Timestamp(ms: newest)))
            }
            entries.append(Entry(id: id, end: end, times: AppendTimes(limit: limit, stretches: stretches.suffix(limit))))
        }
        try reader.expectEnd()
        return (savedAt, entries)
    }
}
