import Model
import NIOCore
import Testing

@testable import Groups

/// The header of a batch of `count` records as a producer sends it.
func producerBatch(
    _ producer: Int64, epoch: Int16 = 0, first: Int32, count: Int32, base: Int64 = 0, timestamp: Int64 = 1_000
) -> RecordBatchHeader {
    var builder = RecordBatchBuilder(
        baseOffset: Offset(base), producerID: ProducerID(producer), producerEpoch: epoch, baseSequence: first)
    for _ in 0..<count { builder.append(timestamp: Timestamp(ms: timestamp), value: nil) }
    do {
        return try RecordBatchHeader.parse(builder.finish())
    } catch {
        preconditionFailure("a batch that was just built can't be read: \(error)")
    }
}

struct ProducerStateTests {
    let now = Timestamp(ms: 5_000)

    @Test func sequencesThatFollowAreAccepted() {
        var state = ProducerState(limits: Limits())
        #expect(state.admit(producerBatch(7, first: 0, count: 10), at: Offset(100), now: now) == .accepted)
        #expect(state.admit(producerBatch(7, first: 10, count: 5), at: Offset(110), now: now) == .accepted)
        #expect(state.admit(producerBatch(7, first: 16, count: 1), at: Offset(115), now: now) == .refused(.outOfOrderSequenceNumber))
        #expect(state.admit(producerBatch(7, first: 15, count: 1), at: Offset(115), now: now) == .accepted)
    }

    @Test func theLastFiveBatchesAreDuplicatesAndOlderOnesAreOutOfOrder() {
        var state = ProducerState(limits: Limits())
        for batch in 0..<6 {
            let header = producerBatch(7, first: Int32(batch * 10), count: 10, timestamp: Int64(1_000 + batch))
            #expect(state.admit(header, at: Offset(Int64(100 + batch * 10)), now: now) == .accepted)
        }
        let oldest = ProducerState.Batch(firstSequence: 10, lastSequence: 19, baseOffset: Offset(110), timestamp: Timestamp(ms: 1_001))
        #expect(state.admit(producerBatch(7, first: 10, count: 10), at: Offset(160), now: now) == .duplicate(oldest))
        let newest = ProducerState.Batch(firstSequence: 50, lastSequence: 59, baseOffset: Offset(150), timestamp: Timestamp(ms: 1_005))
        #expect(state.admit(producerBatch(7, first: 50, count: 10), at: Offset(160), now: now) == .duplicate(newest))
        #expect(state.admit(producerBatch(7, first: 0, count: 10), at: Offset(160), now: now) == .refused(.outOfOrderSequenceNumber))
        // The same first sequence with another length is no duplicate.
        #expect(state.admit(producerBatch(7, first: 50, count: 9), at: Offset(160), now: now) == .refused(.outOfOrderSequenceNumber))
        #expect(state.admit(producerBatch(7, first: 60, count: 1), at: Offset(160), now: now) == .accepted)
    }

    @Test func aNewEpochBeginsAtZeroAndFencesTheOldOne() {
        var state = ProducerState(limits: Limits())
        #expect(state.admit(producerBatch(7, epoch: 3, first: 0, count: 2), at: Offset(0), now: now) == .accepted)
        let gap = producerBatch(7, epoch: 4, first: 2, count: 1)
        #expect(state.admit(gap, at: Offset(2), now: now) == .refused(.outOfOrderSequenceNumber))
        #expect(state.admit(producerBatch(7, epoch: 4, first: 0, count: 2), at: Offset(2), now: now) == .accepted)
        let old = producerBatch(7, epoch: 3, first: 2, count: 1)
        #expect(state.admit(old, at: Offset(4), now: now) == .refused(.invalidProducerEpoch))
        // The old epoch's batches are forgotten: sequence 0…1 now means the new epoch's.
        let again = state.admit(producerBatch(7, epoch: 4, first: 0, count: 2), at: Offset(4), now: now)
        #expect(
            again
                == .duplicate(
                    .init(firstSequence: 0, lastSequence: 1, baseOffset: Offset(2), timestamp: Timestamp(ms: 1_000))))
    }

    @Test func anUnknownProducerMayBeginAnywhere() {
        var state = ProducerState(limits: Limits())
        #expect(state.admit(producerBatch(9, epoch: 2, first: 4711, count: 3), at: Offset(0), now: now) == .accepted)
        #expect(state.admit(producerBatch(9, epoch: 2, first: 4714, count: 1), at: Offset(3), now: now) == .accepted)
    }

    @Test func sequencesGoOnAtZeroAfterTheLargest() {
        var state = ProducerState(limits: Limits())
        let last = producerBatch(7, first: Int32.max - 1, count: 4)
        #expect(state.admit(last, at: Offset(0), now: now) == .accepted)
        // max−1, max, 0, 1: the next is 2.
        #expect(state.admit(producerBatch(7, first: 3, count: 1), at: Offset(4), now: now) == .refused(.outOfOrderSequenceNumber))
        #expect(state.admit(producerBatch(7, first: 2, count: 1), at: Offset(4), now: now) == .accepted)
        #expect(
            state.admit(last, at: Offset(5), now: now)
                == .duplicate(
                    .init(firstSequence: Int32.max - 1, lastSequence: 1, baseOffset: Offset(0), timestamp: Timestamp(ms: 1_000))))
        #expect(ProducerState.sequence(Int32.max, plus: 1) == 0)
    }

    @Test func negativeSequenceOrEpochIsAnInvalidRecord() {
        var state = ProducerState(limits: Limits())
        #expect(state.admit(producerBatch(7, first: -1, count: 1), at: Offset(0), now: now) == .refused(.invalidRecord))
        #expect(state.admit(producerBatch(7, epoch: -1, first: 0, count: 1), at: Offset(0), now: now) == .refused(.invalidRecord))
        #expect(state.count == 0)
    }

    @Test func silentProducersExpire() {
        var limits = Limits()
        limits.producerExpirationMs = 1_000
        var state = ProducerState(limits: limits)
        _ = state.admit(producerBatch(1, first: 0, count: 1), at: Offset(0), now: Timestamp(ms: 10_000))
        _ = state.admit(producerBatch(2, first: 0, count: 1), at: Offset(1), now: Timestamp(ms: 10_900))
        state.expire(now: Timestamp(ms: 11_000))
        #expect(state.count == 1)
        #expect(state.admit(producerBatch(2, first: 5, count: 1), at: Offset(2), now: now) == .refused(.outOfOrderSequenceNumber))
        #expect(state.admit(producerBatch(1, first: 5, count: 1), at: Offset(2), now: now) == .accepted)
    }

    @Test func theNumberOfProducersIsBoundedAndTheNewestStay() {
        var limits = Limits()
        limits.producersPerPartition = 100
        var state = ProducerState(limits: limits)
        for id in 0..<1_000 {
            let header = producerBatch(Int64(id), first: 0, count: 1)
            #expect(state.admit(header, at: Offset(Int64(id)), now: Timestamp(ms: Int64(id))) == .accepted)
            #expect(state.count <= 100)
        }
        #expect(state.admit(producerBatch(999, first: 7, count: 1), at: Offset(1_000), now: now) == .refused(.outOfOrderSequenceNumber))
        #expect(state.count >= 90)
    }

    @Test func replayOfTheLogGivesTheStateThatAdmittedIt() {
        var live = ProducerState(limits: Limits())
        var replayed = ProducerState(limits: Limits())
        var end: Int64 = 0
        for round in 0..<40 {
            let producer = Int64(round % 3)
            let epoch = Int16(round / 20)
            let first = Int32((round % 20) / 3 * 5)
            var header = producerBatch(producer, epoch: epoch, first: first, count: 5, timestamp: Int64(round))
            guard live.admit(header, at: Offset(end), now: Timestamp(ms: Int64(round))) == .accepted else { continue }
            header.baseOffset = Offset(end)
            replayed.replay(header, now: Timestamp(ms: Int64(round)))
            end += 5
        }
        #expect(end > 100)
        #expect(replayed == live)
    }

    @Test func snapshotsComeBackAndDamageIsSeen() throws {
        var state = ProducerState(limits: Limits())
        for producer in 0..<50 {
            for batch in 0..<(producer % 7) {
                let header = producerBatch(Int64(producer), epoch: 1, first: Int32(batch * 3), count: 3)
                #expect(state.admit(header, at: Offset(Int64(producer * 100 + batch * 3)), now: now) == .accepted)
            }
        }
        let bytes = state.encoded(endOffset: Offset(5_000))
        let read = try ProducerState.decode(bytes, limits: Limits())
        #expect(read.state == state)
        #expect(read.endOffset == Offset(5_000))

        for index in stride(from: 0, to: bytes.readableBytes, by: 7) {
            var damaged = bytes
            damaged.setInteger(damaged.getInteger(at: index, as: UInt8.self)! ^ 0x10, at: index)
            #expect(throws: ProducerState.SnapshotError.checksum) { try ProducerState.decode(damaged, limits: Limits()) }
        }
        #expect(throws: ProducerState.SnapshotError.checksum) {
            try ProducerState.decode(bytes.getSlice(at: 0, length: 40)!, limits: Limits())
        }
    }
}
