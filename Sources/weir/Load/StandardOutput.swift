import Glibc
import NIOCore

/// Gathers output and writes it in one piece.
struct StandardOutput {
    private var buffer = ByteBuffer()

    mutating func write(_ text: String) { buffer.writeString(text) }
    mutating func write(_ bytes: ByteBuffer) { buffer.writeImmutableBuffer(bytes) }

    /// False when nobody reads any more.
    mutating func flush() -> Bool {
        defer { buffer.clear() }
        return buffer.withUnsafeReadableBytes { bytes in
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = Glibc.write(STDOUT_FILENO, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { return false }
                rest = rest.dropFirst(count)
            }
            return true
        }
    }
}
