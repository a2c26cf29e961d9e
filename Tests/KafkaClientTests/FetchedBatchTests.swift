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

    @Test func `compressed records are refused by name`() throws {
        var bytes = batch(7, ["abc"])
        bytes.setInteger(4 as Int16, at: 21)
        let compressed = try #require(try FetchedBatch.split(bytes, source: source, from: Offset(7), verify: false).first)
        let error = #expect(throws: ClientError.self) { try compressed.records() }
        #expect(error?.description == "orders-3 holds zstd-compressed records at offset 7, which this client cannot unpack")
    }
}
