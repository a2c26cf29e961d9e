import Model
import NIOCore
import Wire

/// The records of any batch, compressed or not.
///
/// Offsets and timestamps come out as consumers see them: a batch that was packed by a producer and given offset 40 by the broker has
/// records 40, 41, 42…
public enum Records {
    /// All records of a batch.
    /// - Parameter batch: the whole batch, header included.
    /// - Parameter maxBytes: the most that its records may take unpacked.
    public static func open(
        header: RecordBatchHeader, batch: ByteBuffer, maxBytes: Int = Limits().unpackedBatchBytes
    ) throws(UnpackError) -> [Record] {
        var reader = try reader(header: header, batch: batch, maxBytes: maxBytes)
        do {
            return try reader.readAll()
        } catch { throw .records(error) }
    }

    /// The same one by one, for those who keep few of them.
    public static func reader(
        header: RecordBatchHeader, batch: ByteBuffer, maxBytes: Int = Limits().unpackedBatchBytes
    ) throws(UnpackError) -> RecordReader {
        let limit = Limits().recordsPerBatch
        guard header.recordCount <= limit else { throw .tooManyRecords(count: Int(header.recordCount), limit: limit) }
        let body = try body(header: header, batch: batch, maxBytes: maxBytes)
        do {
            return try RecordReader(header: header, records: body)
        } catch { throw .records(error) }
    }

    /// What follows the 61 bytes of header, unpacked. Shares the batch's storage where it was not packed.
    public static func body(
        header: RecordBatchHeader, batch: ByteBuffer, maxBytes: Int = Limits().unpackedBatchBytes
    ) throws(UnpackError) -> ByteBuffer {
        guard let codec = header.attributes.compression else { throw .unknownCodec(Int(header.attributes.rawValue & 0x07)) }
        let length = batch.readableBytes - RecordBatchHeader.size
        guard let packed = batch.getSlice(at: batch.readerIndex + RecordBatchHeader.size, length: max(0, length)), length >= 0 else {
            throw .truncated(codec)
        }
        return try Unpacking.unpack(packed, codec, limit: UnpackLimit(maxBytes: maxBytes))
    }
}
