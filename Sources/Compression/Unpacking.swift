import CCompression
import Model
import NIOCore

/// Unpacks what a batch's attributes call compressed. Nothing is reserved that the limit does not allow, whatever the bytes declare.
///
/// Formats as Kafka's clients write them: gzip members (RFC 1952), zstd frames (RFC 8878), lz4 frames, and snappy both as one raw block
/// (librdkafka) and in the framing of Java's snappy library ("xerial": 16 bytes of header, then blocks with their length before them).
public enum Unpacking {
    /// The unpacked bytes. Takes time in proportion to `packed` and to what comes out, which is never more than `limit`.
    public static func unpack(
        _ packed: ByteBuffer, _ codec: RecordBatchHeader.Compression, limit: UnpackLimit
    ) throws(UnpackError) -> ByteBuffer {
        let bytes = limit.bytes(packed: packed.readableBytes)
        switch codec {
        case .none:
            guard packed.readableBytes <= bytes else { throw .tooLarge(codec, limit: bytes) }
            return packed
        case .snappy: return try Snappy.unpack(packed, limit: bytes)
        case .gzip, .lz4, .zstd: return try unpackStream(packed, codec, limit: bytes)
        }
    }

    private static func unpackStream(
        _ packed: ByteBuffer, _ codec: RecordBatchHeader.Compression, limit: Int
    ) throws(UnpackError) -> ByteBuffer {
        // Four times the input holds most batches at once; the rest doubles.
        var output = ByteBufferAllocator().buffer(capacity: min(limit, max(1_024, packed.readableBytes * 4)))
        let result: Result<Void, UnpackError> = packed.withUnsafeReadableBytes { input in
            guard let unpacker = weir_unpacker_new(Int32(codec.rawValue), input.baseAddress, input.count) else {
                return .failure(.outOfMemory(codec))
            }
            defer { weir_unpacker_free(unpacker) }
            return run(unpacker, codec, into: &output, limit: limit)
        }
        try result.get()
        return output
    }

    private static func run(
        _ unpacker: OpaquePointer, _ codec: RecordBatchHeader.Compression, into output: inout ByteBuffer, limit: Int
    ) -> Result<Void, UnpackError> {
        while true {
            let room = limit - output.readableBytes
            var status: Int32 = 0
            if room == 0 {
                // Full to the brim is allowed: one more byte is not.
                var probe: UInt8 = 0
                var written = 0
                status = weir_unpacker_step(unpacker, &probe, 1, &written)
                if written > 0 { return .failure(.tooLarge(codec, limit: limit)) }
            } else {
                if output.writableBytes == 0 { output.reserveCapacity(minimumWritableBytes: min(room, output.readableBytes)) }
                output.writeWithUnsafeMutableBytes(minimumWritableBytes: 1) { free in
                    var written = 0
                    status = weir_unpacker_step(unpacker, free.baseAddress, min(room, free.count), &written)
                    return written
                }
            }
            switch Int(status) {
            case WEIR_UNPACK_DONE: return .success(())
            case WEIR_UNPACK_NEEDS_ROOM: continue
            case WEIR_UNPACK_TRUNCATED: return .failure(.truncated(codec))
            case WEIR_UNPACK_NO_MEMORY: return .failure(.outOfMemory(codec))
            default: return .failure(.corrupt(codec, reason: String(cString: weir_unpacker_reason(unpacker))))
            }
        }
    }
}
