import NIOCore
import Testing

@testable import Storage

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A directory that goes away with its last reference.
final class TemporaryDirectory: Sendable {
    let path: String

    init() throws {
        var template = Array("/tmp/weir-test-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw FileError(.failed, "mkdtemp", "/tmp", reason: String(cString: strerror(errno))) }
        path = template.withUnsafeBufferPointer { buffer in String(cString: buffer.baseAddress!) }
    }

    deinit { Self.remove(path) }

    private static func remove(_ path: String) {
        let files = PosixFileSystem()
        for name in (try? files.list(path)) ?? [] { remove(path + "/" + name) }
        try? files.remove(path)
    }
}

enum PosixBytes {
    static func read(_ descriptor: CInt, at position: Int, count: Int) throws -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: count) {
            max(0, pread(descriptor, $0.baseAddress, count, off_t(position)))
        }
        try #require(buffer.readableBytes == count)
        return buffer
    }
}
