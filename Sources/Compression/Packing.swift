import CCompression
import Model
import NIOCore

/// Packs at each codec's default level, in the form that all Kafka clients read.
public enum Packing {
    /// The packed bytes; snappy as one raw block, lz4 with blocks that stand alone.
    /// - Precondition: fewer than 2 GiB.
    public static func pack(_ bytes: ByteBuffer, _ codec: RecordBatchHeader.Compression) -> ByteBuffer {
        guard codec != .none else { return bytes }
        precondition(bytes.readableBytes < 1 << 31, "a batch's length has 31 bits")
        return bytes.withUnsafeReadableBytes { input in
            let bound = weir_pack_bound(Int32(codec.rawValue), input.count)
            var output = ByteBufferAllocator().buffer(capacity: bound)
            output.writeWithUnsafeMutableBytes(minimumWritableBytes: bound) { free in
                let length = weir_pack(Int32(codec.rawValue), input.baseAddress, input.count, free.baseAddress, free.count)
                precondition(length > 0, "packing into room for the worst case fails only without memory")
                return length
            }
            return output
        }
    }

    /// A finished plain batch with its records packed and a checksum to match. Comes back as it is where packing makes it no smaller, or
    /// where it is packed already.
    public static func pack(batch: ByteBuffer, _ codec: RecordBatchHeader.Compression) -> ByteBuffer {
        let start = batch.readerIndex
        guard codec != .none, batch.readableBytes > RecordBatchHeader.size,
            let attributes = batch.getInteger(at: start + 21, as: Int16.self), attributes & 0x07 == 0,
            let records = batch.getSlice(at: start + RecordBatchHeader.size, length: batch.readableBytes - RecordBatchHeader.size)
        else { return batch }
        let packed = pack(records, codec)
        guard packed.readableBytes < records.readableBytes, var result = batch.getSlice(at: start, length: RecordBatchHeader.size) else {
            return batch
        }
        result.writeImmutableBuffer(packed)
        result.setInteger(Int32(result.readableBytes - RecordBatchHeader.lengthPrefix), at: 8)
        result.setInteger(attributes | Int16(codec.rawValue), at: 21)
        result.setInteger(CRC32C.checksum(result, from: 21), at: 17)
        return result
    }
}
