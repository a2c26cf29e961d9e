import Model
import NIOCore
import Testing

@testable import KafkaClient

@Suite struct BatchFillerTests {
    private let record = OutgoingRecord(value: ByteBuffer(repeating: 7, count: 100))

    @Test func `batches are numbered by records, and start again after the largest number`() throws {
        var filler = BatchFiller(limit: 10_000, identity: ProducerIdentity(id: ProducerID(5), epoch: 2))
        for _ in 0..<3 { _ = filler.add(record, now: Timestamp(ms: 9)) }
        let first = try RecordBatchHeader.parse(filler.seal().bytes)
        #expect(first.baseSequence == 0)
        #expect(first.producerID == ProducerID(5))
        #expect(first.producerEpoch == 2)
        #expect(filler.isEmpty)
        _ = filler.add(record, now: Timestamp(ms: 9))
        #expect(try RecordBatchHeader.parse(filler.seal().bytes).baseSequence == 3)
        #expect(BatchFiller.sequence(Int32.max, after: 1) == 0)
        #expect(BatchFiller.sequence(Int32.max - 1, after: 4) == 2)
    }

    @Test func `without an identity nothing is numbered`() throws {
        var filler = BatchFiller(limit: 10_000, identity: nil)
        _ = filler.add(record, now: Timestamp(ms: 9))
        let header = try RecordBatchHeader.parse(filler.seal().bytes)
        #expect(header.baseSequence == -1)
        #expect(header.producerID == .none)
    }

    @Test func `a batch never grows past its limit`() {
        let limit = 1_000
        var filler = BatchFiller(limit: limit, identity: nil)
        let size = BatchFiller.sizeBound(record)
        var bytes = 0
        var count = 0
        while filler.hasRoom(size) {
            bytes += filler.add(record, now: Timestamp(ms: 9))
            count += 1
        }
        #expect(count == 8)
        let sealed = filler.seal()
        #expect(sealed.bytes.readableBytes == bytes)
        #expect(bytes <= limit)
        #expect(!filler.canEverHold(limit))
        #expect(filler.canEverHold(limit - RecordBatchHeader.size))
    }

    @Test func `the size bound holds for the worst of records`() {
        let worst = OutgoingRecord(
            key: ByteBuffer(repeating: 1, count: 70), value: ByteBuffer(repeating: 1, count: 20_000),
            headers: [Record.Header(name: "grüße", value: ByteBuffer(repeating: 1, count: 200)), Record.Header(name: "", value: nil)],
            timestamp: Timestamp(ms: Int64.max / 2))
        var filler = BatchFiller(limit: 1 << 20, identity: nil)
        let first = filler.add(OutgoingRecord(value: nil, timestamp: Timestamp(ms: 0)), now: Timestamp(ms: 0))
        #expect(first == RecordBatchHeader.size + 7)
        #expect(filler.add(worst, now: Timestamp(ms: 0)) <= BatchFiller.sizeBound(worst))
    }
}
