import Model
import NIOCore
import Testing
import Wire

@Suite struct RecordBatchTests {
    /// Made by kafka-python 3.0: three records, with key and two headers, empty, and with an earlier timestamp than the first.
    static let pythonBatch = hex(
        """
        0000000000000000000000620000000002df9d3a8b0000000000020000018bcfe568000000018bcfe5680700000000000012670003000000110000000336\
        000000046b300a68656c6c6f040a7472616365040102066e696c010c000e020100001a000104000e6772c3bcc39f6500
        """)

    static func hex(_ text: String) -> ByteBuffer {
        let digits = Array(text.utf8)
        let bytes = stride(from: 0, to: digits.count, by: 2).compactMap {
            UInt8(String(decoding: digits[$0..<$0 + 2], as: UTF8.self), radix: 16)
        }
        return ByteBuffer(bytes: bytes)
    }

    @Test func `a foreign batch is read`() throws {
        let batch = Self.pythonBatch
        let header = try RecordBatchHeader.parse(batch)
        #expect(header.totalBytes == batch.readableBytes)
        #expect(header.crc == 0xDF9D_3A8B)
        #expect(batch.withUnsafeReadableBytes { header.checksumMatches($0) })
        #expect(header.attributes.compression == RecordBatchHeader.Compression.none)
        #expect(header.producerID == ProducerID(4711))
        #expect(header.producerEpoch == 3)
        #expect(header.baseSequence == 17)
        #expect(header.recordCount == 3)
        #expect(header.nextOffset == Offset(3))
        #expect(header.maxTimestamp == Timestamp(ms: 1_700_000_000_007))
        let records = try Record.readAll(header: header, records: batch.getSlice(at: 61, length: batch.readableBytes - 61) ?? ByteBuffer())
        #expect(records.count == 3)
        #expect(records[0].key == ByteBuffer(string: "k0"))
        #expect(records[0].value == ByteBuffer(string: "hello"))
        #expect(
            records[0].headers == [Record.Header(name: "trace", value: ByteBuffer(bytes: [1, 2])), Record.Header(name: "nil", value: nil)])
        #expect(records[1].key == nil)
        #expect(records[1].value == ByteBuffer())
        #expect(records[1].timestamp == Timestamp(ms: 1_700_000_000_007))
        #expect(records[2].offset == Offset(2))
        #expect(records[2].timestamp == Timestamp(ms: 1_699_999_999_999))
        #expect(records[2].value == ByteBuffer(string: "grüße"))
    }

    @Test func `the builder makes the same bytes as kafka-python`() throws {
        var builder = RecordBatchBuilder(producerID: ProducerID(4711), producerEpoch: 3, baseSequence: 17)
        builder.append(
            timestamp: Timestamp(ms: 1_700_000_000_000), key: ByteBuffer(string: "k0"), value: ByteBuffer(string: "hello"),
            headers: [Record.Header(name: "trace", value: ByteBuffer(bytes: [1, 2])), Record.Header(name: "nil", value: nil)])
        builder.append(timestamp: Timestamp(ms: 1_700_000_000_007), value: ByteBuffer())
        builder.append(timestamp: Timestamp(ms: 1_699_999_999_999), key: ByteBuffer(), value: ByteBuffer(string: "grüße"))
        #expect(builder.byteCount == 110)
        var batch = builder.finish()
        // Producers leave the epoch at −1 or 0; it lies outside the checksum.
        RecordBatchHeader.patch(&batch, baseOffset: .zero, leaderEpoch: 0)
        #expect(batch == Self.pythonBatch)
    }

    @Test(
        arguments: [
            (
                "00000000000000000000004f0000000002b78fe5880001000000000000018bcfe568000000018bcfe56800ffffffffffffffffffffffffffff"
                    + "000000011f8b08002917036b02ff8b616060600c4824123000008c006b2c2f000000", .gzip
            ),
            (
                "000000000000000000000053000000000273b3f2a60002000000000000018bcfe568000000018bcfe56800ffffffffffffffffffffffffffff"
                    + "0000000182534e415050590000000001000000010000000e2f185c0000000150619a01000000", .snappy
            ),
            (
                "00000000000000000000005900000000024a8d65d50003000000000000018bcfe568000000018bcfe56800ffffffffffffffffffffffffffff"
                    + "0000000104224d1868402f0000000000000030110000007f5c00000001506101001050616161610000000000", .lz4
            ),
            (
                "00000000000000000000004800000000028b3b18160004000000000000018bcfe568000000018bcfe56800ffffffffffffffffffffffffffff"
                    + "0000000128b52ffd202f750000405c0000000150610001004a6004", .zstd
            ),
        ] as [(String, RecordBatchHeader.Compression)])
    func `compressed batches are recognised and their checksum verified`(text: String, compression: RecordBatchHeader.Compression) throws {
        let batch = Self.hex(text)
        let header = try RecordBatchHeader.parse(batch)
        #expect(header.attributes.compression == compression)
        #expect(header.recordCount == 1)
        #expect(batch.withUnsafeReadableBytes { header.checksumMatches($0) })
    }

    @Test func `patching offset and epoch leaves the checksum alone, any other byte does not`() throws {
        var batch = Self.pythonBatch
        RecordBatchHeader.patch(&batch, baseOffset: Offset(1_000_000), leaderEpoch: 9)
        let header = try RecordBatchHeader.parse(batch)
        #expect(header.baseOffset == Offset(1_000_000))
        #expect(header.lastOffset == Offset(1_000_002))
        #expect(header.leaderEpoch == 9)
        #expect(batch.withUnsafeReadableBytes { header.checksumMatches($0) })
        for index in 21..<batch.readableBytes {
            var broken = batch
            broken.setInteger((broken.getInteger(at: index) ?? 0 as UInt8) ^ 0x10, at: index)
            #expect(broken.withUnsafeReadableBytes { !header.checksumMatches($0) }, "byte \(index)")
        }
    }

    @Test func `headers that contradict themselves are refused`() {
        func parse(_ change: (inout ByteBuffer) -> Void) -> RecordBatchHeader.Malformed? {
            var batch = Self.pythonBatch
            change(&batch)
            do {
                _ = try RecordBatchHeader.parse(batch)
                return nil
            } catch { return error }
        }
        #expect(parse { $0.setInteger(1 as Int8, at: 16) } == .magic(1))
        #expect(parse { $0.setInteger(Int32(48), at: 8) } == .inconsistent)
        #expect(parse { $0.setInteger(Int32(-1), at: 8) } == .inconsistent)
        #expect(parse { $0.setInteger(Int32(-1), at: 23) } == .inconsistent)
        #expect(parse { $0.setInteger(Int32(4), at: 57) } == .inconsistent)
        #expect(parse { $0 = $0.getSlice(at: 0, length: 60) ?? $0 } == .truncated)
        #expect(parse { $0 = $0.getSlice(at: 0, length: 16) ?? $0 } == .truncated)
        #expect(throws: RecordBatchHeader.Malformed.truncated) { try RecordBatchHeader.parse(Self.pythonBatch, at: 1_000) }
    }

    @Test func `cut or changed records are errors and never trap`() throws {
        let batch = Self.pythonBatch
        let header = try RecordBatchHeader.parse(batch)
        let records = batch.getSlice(at: 61, length: batch.readableBytes - 61) ?? ByteBuffer()
        for length in 0..<records.readableBytes {
            #expect(throws: WireError.self, "\(length) bytes") {
                try Record.readAll(header: header, records: records.getSlice(at: 0, length: length) ?? ByteBuffer())
            }
        }
        for index in 0..<records.readableBytes {
            for value in [0x00, 0x01, 0x7F, 0x80, 0xFF] as [UInt8] {
                var changed = records
                changed.setInteger(value, at: index)
                _ = try? Record.readAll(header: header, records: changed)
            }
        }
        var many = header
        many.recordCount = Int32.max
        #expect(throws: WireError.countTooLarge(count: Int(Int32.max), remaining: records.readableBytes)) {
            try Record.readAll(header: many, records: records)
        }
    }

    @Test func `a capacity smaller than the header is only a hint`() throws {
        var builder = RecordBatchBuilder(capacity: 0)
        builder.append(timestamp: Timestamp(ms: 1), value: nil)
        #expect(try RecordBatchHeader.parse(builder.finish()).recordCount == 1)
    }

    @Test func `a builder starts anew after finish and keeps its identity`() throws {
        var builder = RecordBatchBuilder(baseOffset: Offset(10), producerID: ProducerID(5), producerEpoch: 1, baseSequence: 0)
        builder.append(timestamp: Timestamp(ms: 100), value: ByteBuffer(string: "one"))
        let first = try RecordBatchHeader.parse(builder.finish())
        #expect(first.recordCount == 1)
        #expect(builder.recordCount == 0)
        builder.baseSequence = 1
        builder.append(timestamp: Timestamp(ms: 50), value: ByteBuffer(string: "two"))
        builder.append(timestamp: Timestamp(ms: 200), value: nil)
        let bytes = builder.finish()
        let second = try RecordBatchHeader.parse(bytes)
        #expect(second.producerID == ProducerID(5))
        #expect(second.baseSequence == 1)
        #expect(second.baseTimestamp == Timestamp(ms: 50))
        #expect(second.maxTimestamp == Timestamp(ms: 200))
        let records = try Record.readAll(header: second, records: bytes.getSlice(at: 61, length: bytes.readableBytes - 61) ?? ByteBuffer())
        #expect(records.map(\.offset) == [Offset(10), Offset(11)])
        #expect(records.map(\.value) == [ByteBuffer(string: "two"), nil])
    }
}
