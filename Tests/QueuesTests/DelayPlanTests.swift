import Model
import NIOCore
import Testing

@testable import Queues

/// Batches as producers send them, looked through and packed anew.
@Suite struct DelayPlanTests {
    private func batch(_ records: [(String, [(String, String?)])]) throws -> (header: RecordBatchHeader, records: ByteBuffer) {
        var builder = RecordBatchBuilder(baseOffset: .zero)
        for (index, record) in records.enumerated() {
            builder.append(
                timestamp: Timestamp(ms: 5_000 + Int64(index)), key: ByteBuffer(string: "k"), value: ByteBuffer(string: record.0),
                headers: record.1.map { .init(name: $0.0, value: $0.1.map { ByteBuffer(string: $0) }) })
        }
        var bytes = builder.finish()
        let header = try RecordBatchHeader.parse(bytes)
        bytes.moveReaderIndex(forwardBy: RecordBatchHeader.size)
        return (header, bytes.slice())
    }

    private func plan(
        _ records: [(String, [(String, String?)])], rule: DelayRule = DelayRule(isPerRecord: true, fixedMs: nil), floorMs: Int64 = 0
    ) throws -> Result<DelayPlan, DelayPlan.Problem> {
        let (header, bytes) = try batch(records)
        return bytes.withUnsafeReadableBytes {
            DelayPlan.make(
                $0, count: Int(header.recordCount), rule: rule, nowMs: 10_000, floorMs: floorMs, limitMs: Limits().delayMs)
        }
    }

    @Test func headersSayWhenARecordIsDue() throws {
        let made = try plan([
            ("now", []), ("relative", [("x-delay", "1500")]), ("absolute", [("x-deliver-at", "10900")]),
            ("past", [("x-deliver-at", "9999")]),
            ("zero", [("x-delay", "0")]), ("negative", [("x-delay", "-5")]), ("other", [("x-delayed", "7")]),
        ]).get()
        #expect(made.dues == [DelayPlan.now, 11_500, 10_900, DelayPlan.now, DelayPlan.now, DelayPlan.now, DelayPlan.now])
        #expect(made.delayed == 2)
    }

    @Test func nothingBecomesDueBeforeTheFloor() throws {
        #expect(try plan([("a", [("x-delay", "1")])], floorMs: 12_000).get().dues == [12_000])
    }

    @Test func aTopicsOwnDelayHoldsForRecordsThatSayNothing() throws {
        let rule = DelayRule(isPerRecord: true, fixedMs: 30_000)
        #expect(try plan([("a", []), ("b", [("x-delay", "5")])], rule: rule).get().dues == [40_000, 10_005])
    }

    @Test func aDelayThatIsNoNumberRefusesTheBatch() throws {
        for text in ["1s", "", "9999999999999", "1e3", " 5"] {
            guard case .failure(.badDelay) = try plan([("a", [("x-delay", text)])]) else {
                Issue.record("'\(text)' was taken")
                continue
            }
        }
        guard case .failure(.badDelay("null")) = try plan([("a", [("x-delay", nil)])]) else { throw CancellationError() }
    }

    @Test func bytesThatAreNoRecordsAreRefused() throws {
        let (_, bytes) = try batch([("hello", [("x-delay", "5"), ("other", "value")])])
        let whole = [UInt8](bytes.readableBytesView)
        let rule = DelayRule(isPerRecord: true, fixedMs: nil)
        for length in 0..<whole.count {
            let made = whole[..<length].withUnsafeBytes { DelayPlan.make($0, count: 1, rule: rule, nowMs: 0, floorMs: 0, limitMs: 1_000) }
            #expect(made == .failure(.malformed), "\(length) of \(whole.count) bytes")
        }
        for place in whole.indices {
            for value in [UInt8(0), 0x7F, 0x80, 0xFF] {
                var damaged = whole
                damaged[place] = value
                // Whatever comes of it, it stays within its bytes.
                _ = damaged.withUnsafeBytes { DelayPlan.make($0, count: 1, rule: rule, nowMs: 0, floorMs: 0, limitMs: 1_000) }
            }
        }
    }

    @Test func aReleasedRecordIsTheOneThatWasPublishedButForItsDelay() throws {
        let (header, bytes) = try batch([
            ("one", [("a", "1"), ("x-delay", "10"), ("b", nil)]), ("two", []), ("three", [("x-deliver-at", "10"), ("weir.x", "y")]),
        ])
        var packer = RecordPacker(capacity: 16)
        bytes.withUnsafeReadableBytes { raw in
            var at = 0
            while let record = RawRecord.read(raw, at: at) {
                let isPacked = packer.append(record, of: raw, baseTimestamp: header.baseTimestamp, handle: at == 0 ? "d0-8" : nil)
                #expect(isPacked)
                at = record.end
            }
        }
        var made = packer.finish(base: Offset(70), leaderEpoch: 3)
        let parsed = try RecordBatchHeader.parse(made)
        #expect(made.withUnsafeReadableBytes { parsed.checksumMatches($0) })
        #expect(parsed.baseOffset == Offset(70))
        #expect(parsed.maxTimestamp == Timestamp(ms: 5_002))
        made.moveReaderIndex(forwardBy: RecordBatchHeader.size)
        let records = try Record.readAll(header: parsed, records: made)
        #expect(records.map(\.offset) == [Offset(70), Offset(71), Offset(72)])
        #expect(records.map(\.timestamp.ms) == [5_000, 5_001, 5_002])
        #expect(records.map { String(buffer: $0.value!) } == ["one", "two", "three"])
        #expect(records.map { $0.headers.map(\.name) } == [["a", "b", "weir.delay.handle"], [], ["weir.x"]])
        #expect(records[0].headers[1].value == nil)
        #expect(records[0].headers[2].value == ByteBuffer(string: "d0-8"))
        #expect(records.allSatisfy { $0.key == ByteBuffer(string: "k") })
    }

    @Test func aMetaRecordReadsBackFromItsBatch() throws {
        let trace = DelayMeta.Trace(
            RecordBatchHeader(
                baseOffset: .zero, lastOffsetDelta: 4, maxTimestamp: Timestamp(ms: 9), producerID: ProducerID(7), producerEpoch: 1,
                baseSequence: 20))
        let meta = DelayMeta(
            target: PartitionID(topic: TopicID(high: 1, low: 2), index: 3), arrivedMs: 10_000, dues: .each([10_005, 10_005, 99_999]),
            parts: [.init(band: 0, end: Offset(4)), .init(band: 3, end: Offset(9))], base: Offset(12), immediate: 2, trace: trace)
        var packer = RecordPacker(capacity: 16)
        packer.begin(meta: meta.encoded(), baseTimestamp: Timestamp(ms: 1), maxTimestamp: Timestamp(ms: 2))
        let batch = packer.finish(base: Offset(40), leaderEpoch: 0)
        let header = try RecordBatchHeader.parse(batch)
        #expect(try DelayMeta.read(header, batch) == meta)
        #expect(
            meta.entries(at: Offset(40), band: 0, number: 8) == [
                DelayEntry(dueMs: 10_005, ref: DelayRef(band: 0, offset: Offset(41)), count: 2, target: 8),
                DelayEntry(dueMs: 99_999, ref: DelayRef(band: 0, offset: Offset(43)), count: 1, target: 8),
            ])
        for length in 0..<meta.encoded().readableBytes {
            #expect(throws: (any Error).self) { try DelayMeta(meta.encoded().getSlice(at: 0, length: length)!) }
        }
    }

    @Test func afterACrashTheSameRecordsCountAsSentAtOnce() throws {
        // Sent at 10,000 with 'b' (due 9,990) and 'a' going at once; sent again at 20,000, when 'c' is due too.
        var made = try plan([("a", []), ("b", [("x-deliver-at", "9990")]), ("c", [("x-deliver-at", "9995")]), ("d", [("x-delay", "500")])])
            .get()
        made.keepImmediate(2, floorMs: 10_001)
        #expect(made.dues == [DelayPlan.now, DelayPlan.now, 10_001, 10_500])
        #expect(made.delayed == 2)
    }
}
