import NIOCore
import Testing

@testable import Model

@Suite struct BufferPoolTests {
    private func address(_ buffer: ByteBuffer) -> UInt {
        buffer.withVeryUnsafeBytes { UInt(bitPattern: $0.baseAddress) }
    }

    @Test func memoryIsUsedAgainOnceNobodyReadsIt() {
        let pool = BufferPool(limitBytes: 1 << 20)
        var frame: ByteBuffer? = pool.take(100_000)
        let first = address(frame!)
        pool.keep(frame!)
        #expect(address(pool.take(100_000)) != first, "the frame is still read")
        frame = nil
        #expect(address(pool.take(100_000)) == first)
        #expect(pool.heldBytes == 0)
    }

    /// 131,072 bytes each (capacities are powers of two): eight fit into 1 MiB, and the oldest goes.
    @Test func noMoreThanTheLimitIsKept() {
        let pool = BufferPool(limitBytes: 1 << 20)
        for _ in 0..<20 { pool.keep(ByteBufferAllocator().buffer(capacity: 100_000)) }
        #expect(pool.heldBytes == 1 << 20)
        pool.keep(ByteBufferAllocator().buffer(capacity: 2 << 20))
        #expect(pool.heldBytes == 1 << 20)
        pool.forgetAll()
        #expect(pool.heldBytes == 0)
    }

    @Test func aBufferFarTooLargeIsNotTaken() {
        let pool = BufferPool(limitBytes: 4 << 20)
        pool.keep(ByteBufferAllocator().buffer(capacity: 1 << 20))
        #expect(pool.take(70_000).storageCapacity == 1 << 17)
        #expect(pool.take(300_000).storageCapacity == 1 << 20)
        #expect(pool.take(1_000).storageCapacity == 1_024)
    }
}
