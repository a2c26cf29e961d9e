import CCompression
import Model
import NIOCore

/// Snappy as Kafka's clients send it: one raw block, or blocks in Java's framing.
///
/// ```
///  0 82 'S' 'N' 'A' 'P' 'P' 'Y' 00 │ 8 version 4 │ 12 oldest reader's version 4 │ 16 length 4, raw block │ length 4, raw block │ …
/// ```
/// Integers are big endian. Another header may stand where a length is expected: streams laid end to end. No raw block begins like the
/// header: after its length would come a copy of bytes that are not there yet.
enum Snappy {
    static let magic: [UInt8] = [0x82, 0x53, 0x4E, 0x41, 0x50, 0x50, 0x59, 0x00]
    static let headerBytes = 16
    /// No element of a raw block gives more than 64 bytes for its two or three.
    static let mostPerByte = 32

    static func unpack(_ packed: ByteBuffer, limit: Int) throws(UnpackError) -> ByteBuffer {
        var output = ByteBuffer()
        let result: Result<Void, UnpackError> = packed.withUnsafeReadableBytes { input in
            do throws(UnpackError) {
                if isFramed(input[...]) {
                    try unpackFramed(input, into: &output, limit: limit)
                } else {
                    try unpackBlock(input, into: &output, limit: limit)
                }
                return .success(())
            } catch { return .failure(error) }
        }
        try result.get()
        return output
    }

    private static func isFramed(_ input: Slice<UnsafeRawBufferPointer>) -> Bool {
        input.count >= headerBytes && input.starts(with: magic)
    }

    private static func unpackFramed(
        _ input: UnsafeRawBufferPointer, into output: inout ByteBuffer, limit: Int
    ) throws(UnpackError) {
        var rest = input[...]
        while !rest.isEmpty {
            if isFramed(rest) {
                rest = rest.dropFirst(headerBytes)
                continue
            }
            guard rest.count >= 4 else { throw .truncated(.snappy) }
            let length = Int(Int32(bigEndian: input.loadUnaligned(fromByteOffset: rest.startIndex, as: Int32.self)))
            rest = rest.dropFirst(4)
            guard length >= 0 else { throw .corrupt(.snappy, reason: "a block of negative length") }
            guard length <= rest.count else { throw .truncated(.snappy) }
            try unpackBlock(UnsafeRawBufferPointer(rebasing: rest.prefix(length)), into: &output, limit: limit)
            rest = rest.dropFirst(length)
        }
    }

    private static func unpackBlock(
        _ block: UnsafeRawBufferPointer, into output: inout ByteBuffer, limit: Int
    ) throws(UnpackError) {
        var length = 0
        guard weir_snappy_length(block.baseAddress, block.count, &length) == 0 else {
            throw .corrupt(.snappy, reason: "no length before the block")
        }
        guard length <= limit - output.readableBytes else { throw .tooLarge(.snappy, limit: limit) }
        guard length / mostPerByte <= block.count else {
            throw .corrupt(.snappy, reason: "\(block.count) bytes cannot hold \(length)")
        }
        var isGood = true
        output.writeWithUnsafeMutableBytes(minimumWritableBytes: length) { free in
            // The library needs a place to write to, even for nothing.
            isGood = free.baseAddress.map { weir_snappy_unpack(block.baseAddress, block.count, $0, length) == 0 } ?? (length == 0)
            return isGood ? length : 0
        }
        guard isGood else { throw .corrupt(.snappy, reason: "not a snappy block") }
    }
}
