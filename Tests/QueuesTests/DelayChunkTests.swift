import Model
import NIOCore
import Testing

@testable import Queues

/// Batches of a bodies stream: cut from a publish, and read back.
@Suite struct DelayChunkTests {
    private func made(
        _ count: Int, valueBytes: Int, delays: (Int) -> Int64?
    ) throws -> (header: RecordBatchHeader, bytes: ByteBuffer, plan: DelayPlan) {
        var builder = RecordBatchBuilder(baseOffset: .zero)
        for index in 0..<count {
            let headers = delays(index).map { [Record.Header(name: "x-delay", value: ByteBuffer(string: "\($0)"))] } ?? []
            builder.append(
                timestamp: Timestamp(ms: 5_000 + Int64(index)), value: ByteBuffer(repeating: UInt8(index & 0xFF), count: valueBytes),
                headers: headers)
        }
        var bytes = builder.finish()
        let header = try RecordBatchHeader.parse(bytes)
        bytes.moveReaderIndex(forwardBy: RecordBatchHeader.size)
        let rule = DelayRule(isPerRecord: true, fixedMs: nil)
        let plan = bytes.withUnsafeReadableBytes {
            DelayPlan.make($0, count: count, rule: rule, nowMs: 10_000, floorMs: 0, limitMs: Limits().delayMs)
        }
        return (header, bytes, try plan.get())
    }

    @Test func recordsAreCutAtEightKiB() throws {
        let (_, _, plan) = try made(100, valueBytes: 1_000) { _ in 500 }
        let chunks = DelayChunk.cut(plan) { _ in true }
        #expect(chunks.map(\.indices).first == [0..<8])
        #expect(chunks.map(\.count).reduce(0, +) == 100)
        #expect(chunks.count == 13)
        #expect(DelayChunk.cut(plan) { $0 % 2 == 0 }[0].indices == [0..<1, 2..<3, 4..<5, 6..<7, 8..<9, 10..<11, 12..<13, 14..<15])
        #expect(DelayChunk.cut(plan) { _ in false } == [])
        // A record that is larger than a chunk has one to itself.
        #expect(DelayChunk.cut(try made(2, valueBytes: 20_000) { _ in 5 }.plan) { _ in true }.map(\.indices) == [[0..<1], [1..<2]])
    }

    @Test func aChunkIsABatchThatSaysWhenItsBodiesAreDue() throws {
        let (header, bytes, plan) = try made(9, valueBytes: 30) { $0 == 3 ? nil : $0 < 6 ? 7_000 : 1_000_000 + Int64($0) }
        let chunk = try #require(DelayChunk.cut(plan) { plan.dues[$0] != DelayPlan.now }.first)
        #expect(chunk.indices == [0..<3, 4..<9])
        let meta = DelayMeta(
            target: PartitionID(topic: TopicID(high: 1, low: 2), index: 3), arrivedMs: 10_000, dues: .each([]),
            parts: [.init(band: 1, end: Offset(59))], base: Offset(12), immediate: 1, trace: nil)
        var batch = ByteBuffer(string: "before")
        bytes.withUnsafeReadableBytes {
            chunk.write(
                to: &batch, head: meta.encodedHead(), plan: plan, records: $0, header: header, arrivedMs: 10_000, base: Offset(50),
                leaderEpoch: 4)
        }
        batch.moveReaderIndex(forwardBy: 6)
        let parsed = try RecordBatchHeader.parse(batch)
        #expect(batch.withUnsafeReadableBytes { parsed.checksumMatches($0) })
        #expect(parsed.baseOffset == Offset(50) && parsed.nextOffset == Offset(59) && parsed.leaderEpoch == 4)
        let read = try DelayMeta.read(parsed, batch)
        #expect(read.dues == .each([17_000, 17_000, 17_000, 17_000, 17_000, 1_010_006, 1_010_007, 1_010_008]))
        #expect(read.target == meta.target && read.parts == meta.parts && read.immediate == 1)
        var entries: [DelayEntry] = []
        chunk.appendEntries(to: &entries, plan: plan, base: Offset(50), band: 1, number: 6)
        #expect(entries == read.entries(at: Offset(50), band: 1, number: 6))
        #expect(entries.map(\.count) == [5, 1, 1, 1])
        #expect(entries[1].ref.offset == Offset(56))
        batch.moveReaderIndex(forwardBy: RecordBatchHeader.size)
        let records = try Record.readAll(header: parsed, records: batch)
        #expect(records.dropFirst().map { $0.value!.getInteger(at: $0.value!.readerIndex, as: UInt8.self)! } == [0, 1, 2, 4, 5, 6, 7, 8])
        #expect(records.dropFirst().map(\.timestamp.ms) == [5_000, 5_001, 5_002, 5_004, 5_005, 5_006, 5_007, 5_008])
    }
}
