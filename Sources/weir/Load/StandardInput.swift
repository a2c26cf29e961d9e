import Dispatch
import Glibc
import NIOCore

/// Lines of standard input, read on a thread that may block.
struct StandardInput {
    private static let queue = DispatchQueue(label: "weir.stdin")
    private var rest = ByteBuffer()
    private var ended = false
    /// Longest line; a longer one is cut there.
    let lineLimit: Int

    init(lineLimit: Int) { self.lineLimit = lineLimit }

    /// The lines that have come, without their ends; empty at the end of input.
    mutating func lines() async -> [ByteBuffer] {
        while !ended {
            let chunk = await Self.read()
            if chunk.readableBytes == 0 {
                ended = true
                guard rest.readableBytes > 0 else { return [] }
                defer { rest = ByteBuffer() }
                return [rest]
            }
            rest.writeImmutableBuffer(chunk)
            let lines = split()
            rest.discardReadBytes()
            if !lines.isEmpty { return lines }
        }
        return []
    }

    private mutating func split() -> [ByteBuffer] {
        var lines: [ByteBuffer] = []
        while true {
            let end = rest.readableBytesView.firstIndex(of: UInt8(ascii: "\n"))
            guard let end else {
                if rest.readableBytes > lineLimit, let line = rest.readSlice(length: lineLimit) { lines.append(line) }
                return lines
            }
            let length = end - rest.readerIndex
            guard let line = rest.readSlice(length: min(length, lineLimit)) else { return lines }
            lines.append(line)
            if length <= lineLimit { rest.moveReaderIndex(forwardBy: 1) }
        }
    }

    private static func read() async -> ByteBuffer {
        await withCheckedContinuation { continuation in
            queue.async {
                var buffer = ByteBuffer()
                buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: 65_536) { bytes in
                    while true {
                        let count = Glibc.read(STDIN_FILENO, bytes.baseAddress, bytes.count)
                        if count >= 0 || errno != EINTR { return max(0, count) }
                    }
                }
                continuation.resume(returning: buffer)
            }
        }
    }
}
