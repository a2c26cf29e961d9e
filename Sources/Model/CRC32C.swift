import CWeir
import NIOCore

/// CRC-32C (Castagnoli), the checksum of record batches, journals and snapshots.
public enum CRC32C {
    /// Whether the processor's CRC instructions are in use.
    public static var isHardware: Bool { weir_crc32c_is_hardware() == 1 }

    @inlinable
    public static func checksum(_ bytes: UnsafeRawBufferPointer, continuing crc: UInt32 = 0) -> UInt32 {
        weir_crc32c(crc, bytes.baseAddress, bytes.count)
    }

    /// The sum of `buffer`'s readable bytes from `start` (relative to the reader index) to their end.
    public static func checksum(_ buffer: ByteBuffer, from start: Int = 0) -> UInt32 {
        buffer.withUnsafeReadableBytes { checksum(UnsafeRawBufferPointer(rebasing: $0[start...])) }
    }
}
