import Model
import NIOCore
import Testing

@testable import KafkaServer

@Suite struct FrameAssemblerTests {
    private func frames(_ reads: [[UInt8]], limit: Int = 1 << 20) throws -> [[UInt8]] {
        var assembler = FrameAssembler(maxFrameBytes: limit, firstReserveBytes: 1 << 20, pool: BufferPool(limitBytes: 4 << 20))
        var found: [[UInt8]] = []
        for read in reads {
            assembler.feed(ByteBuffer(bytes: read))
            while let frame = try assembler.next() { found.append(Array(frame.readableBytesView)) }
        }
        return found
    }

    @Test func severalFramesInOneRead() throws {
        #expect(try frames([[0, 0, 0, 2, 0xAA, 0xBB, 0, 0, 0, 0, 0, 0, 0, 1, 0xCC]]) == [[0xAA, 0xBB], [], [0xCC]])
    }

    /// Whatever the cuts, the frames are the same.
    @Test func everyCutGivesTheSameFrames() throws {
        let stream: [UInt8] = [0, 0, 0, 3, 1, 2, 3, 0, 0, 0, 1, 4, 0, 0, 0, 2, 5, 6]
        for first in 0...stream.count {
            for second in first...stream.count {
                let reads = [Array(stream[..<first]), Array(stream[first..<second]), Array(stream[second...])]
                #expect(try frames(reads) == [[1, 2, 3], [4], [5, 6]], "cut at \(first) and \(second)")
            }
        }
        #expect(try frames(stream.map { [$0] }) == [[1, 2, 3], [4], [5, 6]])
    }

    @Test(arguments: [[0x7F, 0xFF, 0xFF, 0xFF], [0xFF, 0xFF, 0xFF, 0xFF], [0, 0x10, 0, 1]] as [[UInt8]])
    func lengthsOutsideTheLimitAreRefused(_ length: [UInt8]) throws {
        #expect(throws: FrameAssembler.Malformed.self) { try frames([length + [1]]) }
        #expect(throws: FrameAssembler.Malformed.self) { try frames(length.map { [$0] }) }
    }

    /// A length alone reserves no more than the first step, whatever it promises.
    @Test func aPromiseReservesLittle() throws {
        var assembler = FrameAssembler(maxFrameBytes: 100 << 20, firstReserveBytes: 1 << 20, pool: BufferPool(limitBytes: 4 << 20))
        assembler.feed(ByteBuffer(bytes: [0x06, 0x40, 0, 0, 9]))
        #expect(try assembler.next() == nil)
        #expect(assembler.reservedBytes <= 1 << 20)
    }
}
