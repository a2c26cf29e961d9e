import CWeir
import Model
import NIOCore
import Testing

@Suite struct CRC32CTests {
    private func sum(_ bytes: [UInt8]) -> UInt32 { bytes.withUnsafeBytes { CRC32C.checksum($0) } }

    /// RFC 3720, appendix B.4, and the check value of the polynomial.
    @Test func `published vectors`() {
        #expect(sum([]) == 0)
        #expect(sum(Array("123456789".utf8)) == 0xE306_9283)
        #expect(sum([UInt8](repeating: 0, count: 32)) == 0x8A91_36AA)
        #expect(sum([UInt8](repeating: 0xFF, count: 32)) == 0x62A8_AB43)
        #expect(sum((0..<32).map { UInt8($0) }) == 0x46DD_794E)
        #expect(sum((0..<32).reversed().map { UInt8($0) }) == 0x113F_DB5C)
    }

    /// Lengths on both sides of every block size of the three-way loop, at every alignment.
    @Test func `hardware and table agree`() {
        var state: UInt64 = 0x9E37_79B9_7F4A_7C15
        let bytes = (0..<40_000).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return UInt8(truncatingIfNeeded: state >> 33)
        }
        let lengths = [0, 1, 7, 8, 9, 63, 255, 767, 768, 769, 4_095, 12_287, 12_288, 12_289, 13_056, 24_577, 39_990]
        bytes.withUnsafeBytes { all in
            for length in lengths {
                for start in 0..<9 {
                    let part = UnsafeRawBufferPointer(rebasing: all[start..<start + length])
                    #expect(CRC32C.checksum(part) == weir_crc32c_portable(0, part.baseAddress, part.count), "\(length) from \(start)")
                }
            }
        }
    }

    @Test func `a sum continues over parts`() {
        let whole = Array("the quick brown fox".utf8)
        let first = sum(Array(whole[..<7]))
        let both = whole[7...].withUnsafeBytes { CRC32C.checksum($0, continuing: first) }
        #expect(both == sum(whole))
    }

    @Test func `a buffer is summed from a place after its reader index`() {
        var buffer = ByteBuffer(string: "xx123456789")
        buffer.moveReaderIndex(forwardBy: 1)
        #expect(CRC32C.checksum(buffer, from: 1) == 0xE306_9283)
    }
}
