import Model
import NIOCore
import Wire

/// A partition's producers as bytes, for a snapshot beside its log.
///
/// ```
/// 1 version │ 8 end offset │ 4 producers │ per producer: 8 id, 2 epoch, 8 last seen, 1 batches,
///   per batch: 4 first sequence, 4 last sequence, 8 base offset, 8 timestamp │ 4 CRC-32C of all before it
/// ```
extension ProducerState {
    private static let version: Int8 = 1

    public enum SnapshotError: Error, Equatable, Sendable {
        case checksum
        /// Sound bytes that this release cannot read.
        case malformed(WireError)
    }

    /// - Parameter endOffset: the log's end when this state was true; replay goes on from there.
    public func encoded(endOffset: Offset) -> ByteBuffer {
        var writer = WireWriter()
        writer.int8(Self.version)
        writer.int64(endOffset.value)
        writer.int32(Int32(producers.count))
        for (id, entry) in producers.sorted(by: { $0.key < $1.key }) {
            writer.int64(id.value)
            writer.int16(entry.epoch)
            writer.int64(entry.lastSeen.ms)
            let batches = entry.batches
            writer.int8(Int8(batches.count))
            for batch in batches {
                writer.int32(batch.firstSequence)
                writer.int32(batch.lastSequence)
                writer.int64(batch.baseOffset.value)
                writer.int64(batch.timestamp.ms)
            }
        }
        writer.uint32(CRC32C.checksum(writer.buffer))
        return writer.buffer
    }

    /// Reads a snapshot. One that does not fit the log (its end offset lies beyond the log's) must be dropped by the caller.
    public static func decode(
        _ bytes: ByteBuffer, limits: Limits
    ) throws(SnapshotError) -> (state: ProducerState, endOffset: Offset) {
        var bytes = bytes
        guard bytes.readableBytes >= 4, let body = bytes.readSlice(length: bytes.readableBytes - 4),
            let crc = bytes.readInteger(as: UInt32.self), crc == CRC32C.checksum(body)
        else { throw .checksum }
        var reader = WireReader(body)
        do throws(WireError) {
            let version = try reader.int8()
            if version == Self.version { return try read(&reader, limits: limits) }
            throw .unsupportedVersion(api: -1, version: Int16(version))
        } catch {
            throw .malformed(error)
        }
    }

    private static func read(
        _ reader: inout WireReader, limits: Limits
    ) throws(WireError) -> (state: ProducerState, endOffset: Offset) {
        let endOffset = Offset(try reader.int64())
        var state = ProducerState(limits: limits)
        let count = try reader.count(compact: false, minimumBytes: 19)
        for _ in 0..<count { try state.readEntry(&reader) }
        try reader.expectEnd()
        return (state, endOffset)
    }

    private mutating func readEntry(_ reader: inout WireReader) throws(WireError) {
        let id = ProducerID(try reader.int64())
        let epoch = try reader.int16()
        let lastSeen = Timestamp(ms: try reader.int64())
        var entry = ProducerEntry(epoch: epoch, lastSeen: lastSeen)
        let batches = Int(try reader.int8())
        guard (0...Self.batchesRemembered).contains(batches) else {
            throw .countTooLarge(count: batches, remaining: reader.remaining)
        }
        for _ in 0..<batches {
            let batch = Batch(
                firstSequence: try reader.int32(), lastSequence: try reader.int32(), baseOffset: Offset(try reader.int64()),
                timestamp: Timestamp(ms: try reader.int64()))
            entry.append(batch, epoch: epoch, now: lastSeen)
        }
        producers[id] = entry
    }
}
