import Model
import NIOCore
import Wire

/// What the snapshots of fact streams have in common: a version, the offset up to which the stream is in them, items, a checksum.
///
/// ```
/// 1 version │ 8 end offset │ 4 items │ the items │ 4 CRC-32C of all before it
/// ```
enum FactSnapshot {
    private static let version: Int8 = 1

    static func encode<Item>(end: Offset, _ items: [Item], _ write: (Item, inout WireWriter) -> Void) -> ByteBuffer {
        var writer = WireWriter()
        writer.int8(version)
        writer.int64(end.value)
        writer.count(items.count, compact: false)
        for item in items { write(item, &writer) }
        writer.uint32(CRC32C.checksum(writer.buffer))
        return writer.buffer
    }

    /// nil when the bytes are damaged or of a later release. An item takes at least two bytes.
    static func decode<Item>(
        _ bytes: ByteBuffer, _ read: (inout WireReader) throws -> Item
    ) -> (end: Offset, items: [Item])? {
        var bytes = bytes
        guard bytes.readableBytes >= 4, let body = bytes.readSlice(length: bytes.readableBytes - 4),
            bytes.readInteger(as: UInt32.self) == CRC32C.checksum(body)
        else { return nil }
        var reader = WireReader(body)
        do {
            guard try reader.int8() == version else { return nil }
            let end = Offset(try reader.int64())
            var items: [Item] = []
            let count = try reader.count(compact: false, minimumBytes: 2)
            items.reserveCapacity(WireReader.reservation(count))
            for _ in 0..<count { items.append(try read(&reader)) }
            try reader.expectEnd()
            return (end, items)
        } catch { return nil }
    }
}
