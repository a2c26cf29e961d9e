import Model
import NIOCore
import Testing

@testable import Compression

/// What the formats allow beyond one plain frame.
@Suite struct FormatTests {
    static let packing: [RecordBatchHeader.Compression] = [.gzip, .snappy, .lz4, .zstd]
    static let streams: [RecordBatchHeader.Compression] = [.gzip, .lz4, .zstd]
    private let limit = UnpackLimit(maxBytes: 64 << 20)
    /// "weir " twenty times, packed by cramjam 2.14 (the Rust libraries, not the ones used here).
    private let weirs = ByteBuffer(string: String(repeating: "weir ", count: 20))

    @Test(
        arguments: [
            (.gzip, "1f8b08000000000000ffb5c42101000000c2b02a94436031af4f0acc702abe0c607eb67264000000"),
            (.snappy, "64107765697220fe05007a0500"),
            (.lz4, "04224d185440ae0f0000005f776569722005004750776569722047f1b1bf000000009d7ed297"),
            (.zstd, "28b52ffd206465000028776569722001008ca96801"),
        ] as [(RecordBatchHeader.Compression, String)])
    func `other libraries' bytes are unpacked`(codec: RecordBatchHeader.Compression, text: String) throws {
        #expect(try Unpacking.unpack(Sample.hex(text), codec, limit: limit) == weirs)
    }

    @Test(arguments: streams)
    func `frames laid end to end are one stream`(codec: RecordBatchHeader.Compression) throws {
        var both = Packing.pack(ByteBuffer(string: "one "), codec)
        both.writeImmutableBuffer(Packing.pack(ByteBuffer(), codec))
        both.writeImmutableBuffer(Packing.pack(ByteBuffer(string: "two"), codec))
        #expect(try Unpacking.unpack(both, codec, limit: limit) == ByteBuffer(string: "one two"))
    }

    @Test func `Java's snappy framing may have many blocks, several headers, and none`() throws {
        var framed = ByteBuffer(bytes: Snappy.magic + [0, 0, 0, 1, 0, 0, 0, 1])
        #expect(try Unpacking.unpack(framed, .snappy, limit: limit) == ByteBuffer())
        for word in ["one ", "two ", "", "three"] {
            let block = Packing.pack(ByteBuffer(string: word), .snappy)
            framed.writeInteger(Int32(block.readableBytes))
            framed.writeImmutableBuffer(block)
        }
        var twice = framed
        twice.writeImmutableBuffer(framed)
        #expect(try Unpacking.unpack(framed, .snappy, limit: limit) == ByteBuffer(string: "one two three"))
        #expect(try Unpacking.unpack(twice, .snappy, limit: limit) == ByteBuffer(string: "one two threeone two three"))
    }

    @Test(arguments: packing)
    func `what was packed unpacks to the same`(codec: RecordBatchHeader.Compression) throws {
        var text = ByteBuffer()
        for size in [0, 1, 100, 65_535, 65_536, 1_000_000, 5_000_000] {
            var state = UInt64(size) &+ 1
            while text.readableBytes < size {
                // Half words, half noise.
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                if state >> 63 == 0 { text.writeString("orders.paid ") } else { text.writeInteger(state) }
            }
            let packed = Packing.pack(text, codec)
            if size > 1_000 { #expect(packed.readableBytes < size * 3 / 4) }
            #expect(try Unpacking.unpack(packed, codec, limit: limit) == text, "\(size) bytes")
        }
    }

    @Test(arguments: packing)
    func `a result as large as the limit passes, one byte more does not`(codec: RecordBatchHeader.Compression) throws {
        for size in [1, 1_023, 1_024, 1_025, 200_000] {
            let bytes = ByteBuffer(repeating: UInt8(ascii: "x"), count: size)
            let packed = Packing.pack(bytes, codec)
            #expect(try Unpacking.unpack(packed, codec, limit: UnpackLimit(maxBytes: size)) == bytes)
            #expect(throws: UnpackError.tooLarge(codec, limit: size - 1)) {
                try Unpacking.unpack(packed, codec, limit: UnpackLimit(maxBytes: size - 1))
            }
        }
    }

    @Test func `the limit follows the packed size between floor and whole`() {
        #expect(limit.bytes(packed: 0) == 16 << 20)
        #expect(limit.bytes(packed: 65_536) == 16 << 20)
        #expect(limit.bytes(packed: 100_000) == 25_600_000)
        #expect(limit.bytes(packed: 1 << 20) == 64 << 20)
        #expect(limit.bytes(packed: Int.max) == 64 << 20)
        #expect(UnpackLimit(maxBytes: 1_000).bytes(packed: 1 << 20) == 1_000)
        #expect(UnpackLimit(maxBytes: -1).bytes(packed: 1 << 20) == 0)
    }

    @Test(arguments: packing)
    func `a batch is packed with a header and checksum to match`(codec: RecordBatchHeader.Compression) throws {
        var builder = RecordBatchBuilder(producerID: ProducerID(7), producerEpoch: 1, baseSequence: 5)
        for n in 0..<100 { builder.append(timestamp: Timestamp(ms: Int64(n)), value: ByteBuffer(string: "order order order")) }
        let plain = builder.finish()
        let batch = Packing.pack(batch: plain, codec)
        let header = try RecordBatchHeader.parse(batch)
        #expect(header.totalBytes == batch.readableBytes && batch.readableBytes < plain.readableBytes / 2)
        #expect(header.attributes.compression == codec)
        #expect(batch.withUnsafeReadableBytes { header.checksumMatches($0) })
        #expect(header.producerID == ProducerID(7) && header.baseSequence == 5 && header.recordCount == 100)
        let records = try Records.open(header: header, batch: batch)
        #expect(records.count == 100 && records[99].timestamp == Timestamp(ms: 99) && records[99].offset == Offset(99))
        #expect(Packing.pack(batch: batch, .gzip) == batch)
    }

    @Test func `a batch that packing makes no smaller stays plain`() {
        var builder = RecordBatchBuilder()
        builder.append(timestamp: Timestamp(ms: 1), value: ByteBuffer(string: "x"))
        let plain = builder.finish()
        for codec in RecordBatchHeader.Compression.allCases { #expect(Packing.pack(batch: plain, codec) == plain) }
    }
}
