import Model
import NIOCore
import Testing
import Wire

@testable import Compression

/// Bytes that lie. None may trap, and none may come out as more than is allowed.
@Suite struct HostileTests {
    private let limit = UnpackLimit(maxBytes: 64 << 20)

    @Test(arguments: Sample.python + Sample.librdkafka)
    func `a cut is an error at every length`(codec: RecordBatchHeader.Compression, batch: ByteBuffer) throws {
        let packed = Sample.packed(batch)
        // Java's framing without a block is an empty stream; only the count of records tells.
        let header = try RecordBatchHeader.parse(batch)
        for length in 0..<batch.readableBytes {
            let cut = try #require(batch.getSlice(at: 0, length: length))
            #expect(throws: UnpackError.self, "\(length) bytes") { try Records.open(header: header, batch: cut) }
        }
        guard codec != .snappy else { return }
        for length in 0..<packed.readableBytes {
            let cut = try #require(packed.getSlice(at: 0, length: length))
            #expect(throws: UnpackError.truncated(codec), "\(length) bytes") { try Unpacking.unpack(cut, codec, limit: limit) }
        }
    }

    @Test(arguments: Sample.python + Sample.librdkafka)
    func `changed bytes never trap and never exceed the limit`(codec: RecordBatchHeader.Compression, batch: ByteBuffer) throws {
        let header = try RecordBatchHeader.parse(batch)
        var refused = 0
        for index in 61..<batch.readableBytes {
            for value in [0x00, 0x01, 0x7F, 0x80, 0xFF] as [UInt8] {
                var changed = batch
                changed.setInteger(value, at: index)
                do {
                    let body = try Records.body(header: header, batch: changed, maxBytes: 4_096)
                    #expect(body.readableBytes <= 4_096)
                    _ = try Records.open(header: header, batch: changed, maxBytes: 4_096)
                } catch { refused += 1 }
            }
        }
        #expect(refused > 100)
    }

    @Test(arguments: FormatTests.packing)
    func `noise is refused`(codec: RecordBatchHeader.Compression) {
        var state: UInt64 = 42
        for length in 0..<400 {
            var noise = ByteBuffer()
            for _ in 0..<length {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                noise.writeInteger(UInt8(truncatingIfNeeded: state >> 56))
            }
            #expect(throws: UnpackError.self) { try Unpacking.unpack(noise, codec, limit: UnpackLimit(maxBytes: 1 << 20)) }
        }
    }

    @Test(arguments: FormatTests.streams)
    func `bytes after the end are refused`(codec: RecordBatchHeader.Compression) throws {
        var packed = Packing.pack(ByteBuffer(string: "order"), codec)
        packed.writeString("and something else")
        let failure = #expect(throws: UnpackError.self) { try Unpacking.unpack(packed, codec, limit: limit) }
        guard case .corrupt(codec, let reason) = failure else {
            Issue.record("\(String(describing: failure))")
            return
        }
        #expect(!reason.isEmpty)
    }

    @Test(arguments: FormatTests.packing)
    func `a bomb is told by its name`(codec: RecordBatchHeader.Compression) {
        let packed = Packing.pack(ByteBuffer(repeating: 0, count: 80 << 20), codec)
        let allowed = limit.bytes(packed: packed.readableBytes)
        #expect(allowed <= 64 << 20)
        #expect(throws: UnpackError.tooLarge(codec, limit: allowed)) { try Unpacking.unpack(packed, codec, limit: limit) }
    }

    /// A frame of run-length blocks: four bytes for 128 KiB each.
    @Test func `a zstd bomb of 4 KB stops at 16 MiB`() {
        var bomb = ByteBuffer(bytes: [0x28, 0xB5, 0x2F, 0xFD, 0x00, 0x58])
        for block in 0..<1_000 { bomb.writeBytes([block == 999 ? 0x03 : 0x02, 0x00, 0x10, 0x78]) }
        #expect(throws: UnpackError.tooLarge(.zstd, limit: 16 << 20)) { try Unpacking.unpack(bomb, .zstd, limit: limit) }
    }

    @Test func `what a snappy block declares is checked before it is reserved`() {
        // 4 GiB − 1 from six bytes, and 1,000 from two.
        #expect(throws: UnpackError.tooLarge(.snappy, limit: 16 << 20)) {
            try Unpacking.unpack(Sample.hex("ffffffff0f00"), .snappy, limit: limit)
        }
        #expect(throws: UnpackError.corrupt(.snappy, reason: "3 bytes cannot hold 1000")) {
            try Unpacking.unpack(Sample.hex("e80700"), .snappy, limit: limit)
        }
        // In Java's framing: a block of negative length, one longer than what is there, and one with half a length.
        let header = "82534e41505059000000000100000001"
        #expect(throws: UnpackError.corrupt(.snappy, reason: "a block of negative length")) {
            try Unpacking.unpack(Sample.hex(header + "ffffffff00"), .snappy, limit: limit)
        }
        #expect(throws: UnpackError.truncated(.snappy)) { try Unpacking.unpack(Sample.hex(header + "7fffffff00"), .snappy, limit: limit) }
        #expect(throws: UnpackError.truncated(.snappy)) { try Unpacking.unpack(Sample.hex(header + "0000"), .snappy, limit: limit) }
    }

    @Test func `a zstd frame that declares a terabyte or wants a huge window is refused`() {
        // Content size 2⁴⁰ in one segment; then a window of 2³¹ bytes.
        for text in ["28b52ffde00000000000010000030010", "28b52ffd00a803001078"] {
            let failure = #expect(throws: UnpackError.self) { try Unpacking.unpack(Sample.hex(text), .zstd, limit: limit) }
            guard case .corrupt(.zstd, _) = failure else {
                Issue.record("\(text): \(String(describing: failure))")
                continue
            }
        }
    }

    @Test func `many empty frames cost no more than their bytes`() throws {
        for codec in FormatTests.streams {
            let one = Packing.pack(ByteBuffer(), codec)
            var many = ByteBuffer()
            while many.readableBytes < 1 << 20 { many.writeImmutableBuffer(one) }
            let start = ContinuousClock.now
            #expect(try Unpacking.unpack(many, codec, limit: limit) == ByteBuffer())
            #expect(ContinuousClock.now - start < .seconds(5), "\(codec)")
        }
    }

    @Test func `a count that the bytes cannot hold, and one past the limit, are errors`() throws {
        let batch = Sample.python[0].batch
        var header = try RecordBatchHeader.parse(batch)
        header.recordCount = 15
        #expect(throws: UnpackError.records(.countTooLarge(count: 15, remaining: 104))) { try Records.open(header: header, batch: batch) }
        header.recordCount = 4
        #expect(throws: UnpackError.self) { try Records.open(header: header, batch: batch) }
        header.recordCount = Int32.max
        #expect(throws: UnpackError.tooManyRecords(count: 2_147_483_647, limit: 1_048_576)) {
            try Records.open(header: header, batch: batch)
        }
    }

    @Test func `codecs 5 to 7 are refused by number`() throws {
        let batch = Sample.python[0].batch
        var header = try RecordBatchHeader.parse(batch)
        header.attributes.rawValue = 6
        let failure = #expect(throws: UnpackError.unknownCodec(6)) { try Records.open(header: header, batch: batch) }
        #expect(failure?.description == "compression 6 is not one that Kafka defines")
    }
}
