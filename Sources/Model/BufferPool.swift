import NIOCore

/// Large buffers of one event loop, used again once nobody reads them: a page that the kernel has to find and clear costs more than copying
/// into it.
///
/// ```
/// take(1_000_000)   → a new buffer      keep(it)            filled, on its way to the disk
/// take(1_000_000)   → another one       … written           the first one has no other owner
/// take(1_000_000)   → the first one, cleared
/// ```
/// `@unchecked Sendable`: used on its loop only.
public final class BufferPool: @unchecked Sendable {
    /// Smaller buffers are malloc's business.
    public static let smallestBytes = 64 << 10
    /// Buffers looked at for one that is free.
    static let maxBuffers = 64

    private let limitBytes: Int
    /// Given back, perhaps still in use; the newest, whose memory is most likely in a cache, last.
    private var buffers: [ByteBuffer] = []
    public private(set) var heldBytes = 0

    public init(limitBytes: Int) { self.limitBytes = limitBytes }

    /// An empty buffer with room for `capacity` bytes that has no other owner.
    public func take(_ capacity: Int) -> ByteBuffer {
        if capacity >= Self.smallestBytes {
            for index in buffers.indices.reversed() {
                let size = buffers[index].storageCapacity
                guard size >= capacity, size / 4 <= capacity else { continue }
                let isFree: Void? = buffers[index].modifyIfUniquelyOwned { $0.clear() }
                guard isFree != nil else { continue }
                heldBytes -= size
                return buffers.remove(at: index)
            }
        }
        return ByteBufferAllocator().buffer(capacity: capacity)
    }

    /// Remembers a buffer that won't be written again before its readers have let go of it.
    public func keep(_ buffer: ByteBuffer) {
        let size = buffer.storageCapacity
        guard size >= Self.smallestBytes, size <= limitBytes else { return }
        while heldBytes + size > limitBytes || buffers.count >= Self.maxBuffers { heldBytes -= buffers.removeFirst().storageCapacity }
        buffers.append(buffer)
        heldBytes += size
    }

    /// Forgets all buffers, those in use included.
    public func forgetAll() {
        buffers = []
        heldBytes = 0
    }
}
