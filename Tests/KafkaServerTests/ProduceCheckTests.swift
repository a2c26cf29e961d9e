import KafkaWire
import Model
import NIOCore
import Testing

@testable import KafkaServer

/// What a batch must be before it is appended.
@Suite struct ProduceCheckTests {
    private func batch(_ change: (inout ByteBuffer) -> Void = { _ in }, fixCRC: Bool = false) -> ByteBuffer {
        var builder = RecordBatchBuilder()
        builder.append(timestamp: Timestamp(ms: 1), value: ByteBuffer(string: "one"))
        builder.append(timestamp: Timestamp(ms: 2), value: ByteBuffer(string: "two"))
        var batch = builder.finish()
        change(&batch)
        if fixCRC { batch.setInteger(CRC32C.checksum(batch, from: 21), at: 17) }
        return batch
    }

    private func code(_ batch: ByteBuffer?) -> ErrorCode {
        switch Produce.check(batch, maxBytes: 1 << 20) {
        case .success: .none
        case .failure(let problem): problem.code
        }
    }

    @Test func aSoundBatchPasses() { #expect(code(batch()) == .none) }
    @Test func nothingIsNoRecord() { #expect(code(nil) == .invalidRecord && code(ByteBuffer()) == .invalidRecord) }

    @Test(arguments: [0, 1] as [Int8])
    func olderFormatsAreNamed(_ magic: Int8) {
        #expect(code(batch { $0.setInteger(magic, at: 16) }) == .unsupportedForMessageFormat)
    }

    @Test func oneFlippedBitIsCorrupt() {
        #expect(code(batch { $0.setInteger($0.getInteger(at: 70, as: UInt8.self)! ^ 0x10, at: 70) }) == .corruptMessage)
    }

    @Test func aCutBatchIsCorruptAndTwoAreInvalid() {
        let whole = batch()
        #expect(code(whole.getSlice(at: 0, length: whole.readableBytes - 1)) == .corruptMessage)
        #expect(code(whole.getSlice(at: 0, length: 30)) == .corruptMessage)
        var two = whole
        two.writeImmutableBuffer(batch())
        #expect(code(two) == .invalidRecord)
    }

    @Test func countsThatContradictAreInvalid() {
        #expect(code(batch({ $0.setInteger(3 as Int32, at: 23) }, fixCRC: true)) == .invalidRecord)
        #expect(code(batch({ $0.setInteger(Int32.max, at: 57) }, fixCRC: true)) == .corruptMessage)
        #expect(code(batch({ $0.setInteger(0 as Int32, at: 57) }, fixCRC: true)) == .invalidRecord)
    }

    @Test func controlAndTransactionalBatchesAreRefused() {
        #expect(code(batch({ $0.setInteger(0x20 as Int16, at: 21) }, fixCRC: true)) == .invalidRecord)
        #expect(code(batch({ $0.setInteger(0x10 as Int16, at: 21) }, fixCRC: true)) == .invalidTxnState)
        #expect(code(batch({ $0.setInteger(0x07 as Int16, at: 21) }, fixCRC: true)) == .invalidRecord)
    }
}
