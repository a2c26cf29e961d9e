import Model
import NIOCore
import Testing

@testable import KafkaServer

/// Large frames that span reads: the reader continues where they lie.
@Suite struct FrameLendingTests {
    private static let length = 300_000

    private func makeAssembler() -> FrameAssembler {
        FrameAssembler(maxFrameBytes: 100 << 20, firstReserveBytes: 128 << 10, pool: BufferPool(limitBytes: 4 << 20))
    }

    /// Frames of `lengths`, one after another; byte n of the stream that is no length is n's low byte.
    private func stream(_ lengths: [Int]) -> (bytes: [UInt8], frames: [[UInt8]]) {
        var bytes: [UInt8] = []
        var frames: [[UInt8]] = []
        for length in lengths {
            withUnsafeBytes(of: Int32(length).bigEndian) { bytes.append(contentsOf: $0) }
            let frame = (0..<length).map { UInt8(truncatingIfNeeded: bytes.count + $0) }
            frames.append(frame)
            bytes.append(contentsOf: frame)
        }
        return (bytes, frames)
    }

    /// Reads as a channel would: into what is lent, else `chunkBytes` into a buffer of its own; never more than `atOnce`.
    private func read(_ bytes: [UInt8], into assembler: inout FrameAssembler, chunkBytes: Int, atOnce: Int) throws -> [[UInt8]] {
        var rest = bytes[...]
        var frames: [[UInt8]] = []
        while !rest.isEmpty {
            var buffer = assembler.lend() ?? ByteBufferAllocator().buffer(capacity: chunkBytes)
            let address = buffer.withVeryUnsafeBytes { $0.baseAddress }
            let count = min(buffer.writableBytes, atOnce, rest.count)
            buffer.writeBytes(rest.prefix(count))
            #expect(buffer.withVeryUnsafeBytes { $0.baseAddress } == address, "what is lent has no other owner")
            rest = rest.dropFirst(count)
            assembler.feed(buffer)
            while let frame = try assembler.next() { frames.append(Array(frame.readableBytesView)) }
        }
        return frames
    }

    @Test(arguments: [100, 7_001, 65_536, 1 << 20])
    func framesAreWholeWhateverOneReadBrings(_ atOnce: Int) throws {
        let (bytes, frames) = stream([Self.length, 5, Self.length, 0, 1_000, Self.length, 70_000])
        var assembler = makeAssembler()
        #expect(try read(bytes, into: &assembler, chunkBytes: 16_384, atOnce: atOnce) == frames)
    }

    /// Of each frame only what the read before it brought is copied: the first read, then 1 KiB each.
    @Test func theRestOfALargeFrameIsNotCopied() throws {
        let (bytes, frames) = stream(Array(repeating: 100_000, count: 20))
        var assembler = makeAssembler()
        #expect(try read(bytes, into: &assembler, chunkBytes: 16_384, atOnce: 1 << 20) == frames)
        #expect(assembler.copiedBytes == 16_384 + 19 * FrameAssembler.overshootBytes)
    }

    /// Room grows with what has arrived: 128 KiB at first, then at most twice as much as is there.
    @Test func roomGrowsWithWhatArrives() throws {
        var assembler = makeAssembler()
        assembler.feed(ByteBuffer(bytes: [0x06, 0x40, 0, 0]))  // 100 MiB are promised
        #expect(try assembler.next() == nil)
        #expect(assembler.lend()?.capacity == 128 << 10)
        assembler.feed(ByteBuffer(repeating: 1, count: 100 << 10))
        #expect(try assembler.next() == nil)
        #expect(assembler.lend()?.capacity == 200 << 10)
    }

    /// NIO holds what it reads into for as long as it tells of the read; looking for a whole frame meanwhile must not make a copy.
    @Test func aShortReadStaysWhereItIs() throws {
        var assembler = makeAssembler()
        assembler.feed(ByteBuffer(bytes: [0, 1, 0, 0, 1]))  // 4 + 65,536 bytes in all
        #expect(try assembler.next() == nil)
        let lent = assembler.lend()
        var read = try #require(lent)
        read.writeRepeatingByte(2, count: 1_000)
        let address = read.withVeryUnsafeBytes { $0.baseAddress }
        assembler.feed(read)
        #expect(try assembler.next() == nil)
        read = ByteBuffer()
        let lentAgain = assembler.lend()
        let again = try #require(lentAgain)
        #expect(again.withVeryUnsafeBytes { $0.baseAddress } == address)
    }

    @Test func aSmallFrameIsNotLent() throws {
        var assembler = makeAssembler()
        assembler.feed(ByteBuffer(bytes: [0, 0, 0xFF, 0xFB, 1]))  // 4 + 65,531 bytes in all
        #expect(try assembler.next() == nil)
        #expect(assembler.lend() == nil)
    }

    /// A reader that drops what it was lent (its read found nothing) has dropped the frame's beginning.
    @Test func whatIsLentAndLostEndsTheStream() throws {
        var assembler = makeAssembler()
        assembler.feed(ByteBuffer(bytes: [0, 4, 0, 0, 1]))
        #expect(try assembler.next() == nil)
        #expect(assembler.lend() != nil)
        #expect(assembler.lend() == nil)
        assembler.feed(ByteBuffer(bytes: [2]))
        #expect(throws: FrameAssembler.Malformed.lost) { try assembler.next() }
    }

    /// Bytes that come although a read is not used up (a client that leaves) are put behind it.
    @Test func readsMayGather() throws {
        let (bytes, frames) = stream([3, 4])
        var assembler = makeAssembler()
        assembler.feed(ByteBuffer(bytes: bytes[..<5]))
        assembler.feed(ByteBuffer(bytes: bytes[5...]))
        var found: [[UInt8]] = []
        while let frame = try assembler.next() { found.append(Array(frame.readableBytesView)) }
        #expect(found == frames)
    }
}
