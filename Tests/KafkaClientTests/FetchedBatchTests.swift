import Compression
import Model
import NIOCore
import Testing

@testable import KafkaClient

@Suite struct FetchedBatchTests {
    private let source = TopicPartition(topic: "orders", partition: 3)

    private func batch(_ base: Int64, _ values: [String]) -> ByteBuffer {
        var builder = RecordBatchBuilder(baseOffset: Offset(base))
        for value in values { builder.append(timestamp: Timestamp(ms: 1), value: ByteBuffer(string: value)) }
        return builder.finish()
    }

    private func answer(_ parts: ByteBuffer...) -> ByteBuffer {
        var whole = ByteBuffer()
        for part in parts { whole.writeImmutableBuffer(part) }
        return whole
    }

    @Test func `batches are told apart, and what lies before the position is left out`() throws {
        let records = answer(batch(0, ["a", "b"]), batch(2, ["c", "d", "e"]), batch(5, ["f"]))
        let batches = try FetchedBatch.split(records, source: source, from: Offset(3), verify: true)
        #expect(batches.map(\.header.baseOffset) == [Offset(2), Offset(5)])
        #expect(try batches[0].records().map(\.value) == [ByteBuffer(string: "d"), ByteBuffer(string: "e")])
        #expect(try batches[1].records().map(\.offset) == [Offset(5)])
    }

    @Test func `a batch cut off at the end comes with the next fetch`() throws {
        let first = batch(0, ["a"])
        let second = batch(1, ["b"])
        for length in 0..<second.readableBytes {
            let cut = try #require(second.getSlice(at: 0, length: length))
            let batches = try FetchedBatch.split(answer(first, cut), source: source, from: .zero, verify: true)
            #expect(batches.count == 1, "\(length) bytes of the second")
        }
    }

    @Test func `a damaged batch is an error that names its place`() throws {
        var bytes = batch(7, ["abc"])
        bytes.setInteger(UInt8(ascii: "x"), at: bytes.writerIndex - 2)
        let damaged = bytes
        let error = #expect(throws: ClientError.self) {
            try FetchedBatch.split(damaged, source: source, from: Offset(7), verify: true)
        }
        #expect(error?.description == "orders-3 holds a damaged batch at offset 7")
        #expect(try FetchedBatch.split(damaged, source: source, from: Offset(7), verify: false).count == 1)
    }

    @Test(arguments: RecordBatchHeader.Compression.allCases)
    func `packed records are unpacked, from the position on`(codec: RecordBatchHeader.Compression) throws {
        let bytes = Packing.pack(batch: batch(7, Array(repeating: "order order order", count: 10)), codec)
        let found = try #require(try FetchedBatch.split(bytes, source: source, from: Offset(15), verify: true).first)
        #expect(found.header.attributes.compression == codec)
        #expect(try found.records().map(\.offset) == [Offset(15), Offset(16)])
    }

    @Test func `records that cannot be read are an error that says where to go on`() throws {
        var bytes = batch(7, ["abc", "def"])
        bytes.setInteger(4 as Int16, at: 21)
        let packed = try #require(try FetchedBatch.split(bytes, source: source, from: Offset(7), verify: false).first)
        let error = #expect(throws: ClientError.self) { try packed.records() }
        #expect(
            error?.description == "orders-3 holds a batch at offset 7 whose records cannot be read: "
                + "the zstd data are damaged (Unknown frame descriptor); read on from 9")
    }
}
