import Model
import NIOCore
import Queues
import Wire

/// The ledger of a shard's moves as of an offset of its facts.
///
/// ```
/// 1 version │ 8 end offset │ 4 facts │ per fact: compact bytes │ 4 CRC-32C of all before it
/// ```
struct MoveSnapshot {
    static func key(_ shard: ShardID) -> String { "moves/shard-\(shard)" }
    private static let version: Int8 = 1

    /// Facts below this are in the snapshot.
    var end: Offset
    var facts: [MoveFact]

    init(end: Offset, facts: [MoveFact]) {
        self.end = end
        self.facts = facts
    }

    func encoded() -> ByteBuffer {
        var writer = WireWriter()
        writer.int8(Self.version)
        writer.int64(end.value)
        writer.count(facts.count, compact: false)
        for fact in facts { writer.bytes(fact.encoded(), compact: true) }
        writer.uint32(CRC32C.checksum(writer.buffer))
        return writer.buffer
    }

    /// nil when the bytes are damaged or of a later release.
    init?(_ bytes: ByteBuffer) {
        var bytes = bytes
        guard bytes.readableBytes >= 4, let body = bytes.readSlice(length: bytes.readableBytes - 4),
            bytes.readInteger(as: UInt32.self) == CRC32C.checksum(body)
        else { return nil }
        var reader = WireReader(body)
        do {
            guard try reader.int8() == Self.version else { return nil }
            end = Offset(try reader.int64())
            facts = []
            for _ in 0..<(try reader.count(compact: false, minimumBytes: 2)) {
                facts.append(try MoveFact.decode(try reader.bytes(compact: true)))
            }
            try reader.expectEnd()
        } catch {
            return nil
        }
    }
}
