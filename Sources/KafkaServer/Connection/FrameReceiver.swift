import Model
import NIOCore

/// Where NIO reads a connection's bytes to, and the frames they make: the channel asks it for memory before each read, the connection
/// feeds it what was read. So the rest of a large frame is read to where the frame lies.
///
/// To be used with one message per read: NIO keeps the first buffers it is given, as many as it may read at a time, and a frame in one of
/// them would be copied.
///
/// `@unchecked Sendable`: used on the channel's loop only.
final class FrameReceiver: RecvByteBufferAllocator, @unchecked Sendable {
    var frames: FrameAssembler
    private let pool: BufferPool
    private var sizes = FrameReceiver.startSizes
    private var readsIntoFrame = false
    private var hasReadFrames = false
    /// Bytes read since ``takeReadBytes()``: what a lent frame brings back is more than one read brought.
    private var readBytes = 0

    /// Sizes of reads that belong to no large frame. Small at first, and again after a large frame: what such a read brings of the next
    /// one is copied.
    private static let startSizes = AdaptiveRecvByteBufferAllocator(minimum: 4096, initial: 16384, maximum: 1 << 20)

    init(limits: Limits, pool: BufferPool) {
        self.pool = pool
        frames = FrameAssembler(maxFrameBytes: limits.requestBytes, firstReserveBytes: limits.requestReserveBytes, pool: pool)
    }

    /// How many bytes are worth waking up for: with a large frame on its way, a good part of it; else anything.
    ///
    /// ```
    /// nothing has begun                 1
    /// 300 KB of a 1 MB frame are here   700 KB
    /// 300 KB of a 5 MB frame are here   1 MiB
    /// all but 20 KB are here            20 KB
    /// ```
    var wakeBytes: Int {
        guard let missing = frames.missingBytes, missing >= Self.smallestWait else { return 1 }
        return min(missing, Self.largestWait)
    }

    private static let smallestWait = 16 << 10
    private static let largestWait = 1 << 20

    /// Takes in what was read.
    func feed(_ bytes: ByteBuffer) {
        if !readsIntoFrame { pool.keep(bytes) }
        frames.feed(bytes)
    }

    /// Bytes that came in since the last call.
    func takeReadBytes() -> Int {
        defer { readBytes = 0 }
        return readBytes
    }

    /// The connection has ended. A producer that leaves takes the memory kept for it along; others fill the pool again.
    func close() {
        if hasReadFrames { pool.forgetAll() }
    }

    func buffer(allocator: ByteBufferAllocator) -> ByteBuffer {
        if let frame = frames.lend() {
            readsIntoFrame = true
            hasReadFrames = true
            return frame
        }
        readsIntoFrame = false
        return pool.take(sizes.nextBufferSize() ?? Self.startSizes.initial)
    }

    /// - Returns: always true, so that NIO asks for a buffer before every read.
    func record(actualReadBytes: Int) -> Bool {
        readBytes += actualReadBytes
        if readsIntoFrame {
            sizes = Self.startSizes
        } else {
            _ = sizes.record(actualReadBytes: actualReadBytes)
        }
        return true
    }
}
