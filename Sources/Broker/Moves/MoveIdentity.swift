import Model
import NIOCore
import Queues

/// What a moved record's header `weir.move` says: by which move it came, and from where.
///
/// ```
/// 0.42/5f0e…c1-3/17     move 42 of shard 0; topic id and partition of the source; its offset there
/// ```
/// A move's number is never used again, so the header of a batch's first record tells after a crash whether the batch is in its target.
struct MoveIdentity {
    private let origin: String

    init(shard: ShardID, number: UInt64, source: PartitionID) { origin = "\(shard).\(number)/\(source)/" }

    func header(_ offset: Offset) -> Record.Header {
        Record.Header(name: DeadLetterHeader.move, value: ByteBuffer(string: origin + offset.description))
    }

    /// Whether a record is this move's copy of the source's `offset`.
    func wrote(_ record: Record, at offset: Offset) -> Bool {
        let wanted = header(offset)
        return record.headers.contains { $0 == wanted }
    }

    /// The partition and offset a record was moved from by its last move; nil for one that was never moved.
    static func source(of record: Record) -> (partition: Int32, offset: Offset)? {
        guard let value = record.headers.last(where: { $0.name == DeadLetterHeader.move })?.value else { return nil }
        let parts = String(buffer: value).split(separator: "/")
        guard parts.count == 3, let dash = parts[1].lastIndex(of: "-"), let partition = Int32(parts[1][parts[1].index(after: dash)...]),
            let offset = Int64(parts[2])
        else { return nil }
        return (partition, Offset(offset))
    }
}
