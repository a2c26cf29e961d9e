import NIOCore

/// The bytes of several buffers for one vectored write. The buffers' storage is retained, so the pointers stay valid while this lives.
struct PinnedBytes: ~Copyable {
    private(set) var parts: [UnsafeRawBufferPointer] = []
    private var storage: [Unmanaged<AnyObject>] = []

    init(_ buffers: [ByteBuffer]) {
        parts.reserveCapacity(buffers.count)
        storage.reserveCapacity(buffers.count)
        for buffer in buffers {
            buffer.withUnsafeReadableBytesWithStorageManagement { bytes, owner in
                storage.append(owner.retain())
                parts.append(bytes)
            }
        }
    }

    deinit {
        for owner in storage { owner.release() }
    }
}
