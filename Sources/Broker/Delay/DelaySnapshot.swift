import Model
import NIOCore
import Queues
import Storage
import Wire

/// The facts of a shard's delay store as of an offset of their stream: what a start reads instead of everything before it.
///
/// ```
/// 1 version │ 8 end offset │ 4 facts │ the facts │ 4 CRC-32C of all before it
/// ```
struct DelaySnapshot {
    static func key(_ shard: ShardID) -> String { "delay/shard-\(shard)" }
    private static let version: Int8 = 1

    var end: Offset
    var facts: [DelayFact]

    init(end: Offset, facts: [DelayFact]) {
        self.end = end
        self.facts = facts
    }

    func encoded() -> ByteBuffer {
        var writer = WireWriter()
        writer.int8(Self.version)
        writer.int64(end.value)
        writer.count(facts.count, compact: false)
        for fact in facts { fact.write(to: &writer) }
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
            for _ in 0..<(try reader.count(compact: false, minimumBytes: 2)) { facts.append(try DelayFact(reading: &reader)) }
            try reader.expectEnd()
        } catch { return nil }
    }
}
