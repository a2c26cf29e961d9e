import Compression
import Model
import NIOCore
import Testing

@Suite struct ClientBatchTests {
    @Test(arguments: Sample.python)
    func `kafka-python's batches are read`(codec: RecordBatchHeader.Compression, batch: ByteBuffer) throws {
        let header = try RecordBatchHeader.parse(batch)
        #expect(header.attributes.compression == codec)
        #expect(batch.withUnsafeReadableBytes { header.checksumMatches($0) })
        let records = try Records.open(header: header, batch: batch, maxBytes: 1_000)
        #expect(records.map(\.key) == [ByteBuffer(string: "k0"), nil, ByteBuffer(string: "k2")])
        #expect(records.map { $0.value.map { String(buffer: $0) } } == (0..<3).map { "order order order order \($0)" })
        #expect(records.map(\.timestamp) == [0, 7, -1].map { Timestamp(ms: 1_700_000_000_000 + $0) })
        #expect(records.map(\.headers) == [[Record.Header(name: "h", value: ByteBuffer(string: "x"))], [], []])
        #expect(try Records.body(header: header, batch: batch).readableBytes == 104)
    }

    @Test(arguments: Sample.librdkafka)
    func `librdkafka's batches are read at the offset that the broker gave`(codec: RecordBatchHeader.Compression, batch: ByteBuffer) throws
    {
        var moved = batch
        RecordBatchHeader.patch(&moved, baseOffset: Offset(40), leaderEpoch: 3)
        let header = try RecordBatchHeader.parse(moved)
        #expect(header.attributes.compression == codec)
        let records = try Records.open(header: header, batch: moved, maxBytes: 1_000)
        #expect(records.map(\.offset) == [Offset(40), Offset(41), Offset(42)])
        #expect(records.map { $0.key.map { String(buffer: $0) } } == ["k0", "k1", "k2"])
        #expect(records.map { $0.value.map { String(buffer: $0) } } == (0..<3).map { "order order order order \($0)" })
        #expect(records.map(\.timestamp) == [0, 5, 10].map { Timestamp(ms: 1_700_000_000_000 + $0) })
    }

    @Test func `a batch that lies in the middle of a buffer is read`() throws {
        let batch = Sample.python[3].batch
        var bytes = ByteBuffer(string: "before")
        bytes.writeImmutableBuffer(batch)
        bytes.moveReaderIndex(forwardBy: 6)
        #expect(try Records.open(header: try RecordBatchHeader.parse(bytes), batch: bytes).count == 3)
    }

    @Test func `a plain batch needs no copy`() throws {
        var builder = RecordBatchBuilder(baseOffset: Offset(7))
        builder.append(timestamp: Timestamp(ms: 1), value: ByteBuffer(string: "abc"))
        let batch = builder.finish()
        let header = try RecordBatchHeader.parse(batch)
        #expect(try Records.body(header: header, batch: batch) == Sample.packed(batch))
        #expect(try Records.open(header: header, batch: batch).map(\.offset) == [Offset(7)])
        #expect(throws: UnpackError.tooLarge(.none, limit: 5)) { try Records.open(header: header, batch: batch, maxBytes: 5) }
    }

    @Test func `with append time all records have the broker's`() throws {
        var batch = Sample.librdkafka[0].batch
        RecordBatchHeader.stamp(&batch, appendTime: Timestamp(ms: 99))
        let records = try Records.open(header: try RecordBatchHeader.parse(batch), batch: batch)
        #expect(records.map(\.timestamp) == [Timestamp(ms: 99), Timestamp(ms: 99), Timestamp(ms: 99)])
    }
}
