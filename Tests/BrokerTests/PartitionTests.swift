import Model
import NIOCore
import Storage
import Testing

@testable import Broker

/// Produce and fetch through a broker in memory.
@Suite struct PartitionTests {
    private func batch(
        _ values: [String], at ms: Int64 = 1_000, producer: ProducerID = .none, epoch: Int16 = -1, sequence: Int32 = -1
    ) -> ByteBuffer {
        var builder = RecordBatchBuilder(producerID: producer, producerEpoch: epoch, baseSequence: sequence)
        for value in values { builder.append(timestamp: Timestamp(ms: ms), value: ByteBuffer(string: value)) }
        return builder.finish()
    }

    @Test func offsetsCountRecordsAndReadersSeeWhatIsWritten() async throws {
        let fixture = try await GroupBroker.start()
        let id = try await fixture.topic("orders")
        #expect(try await fixture.produce(id, batch(["a", "b", "c"])).baseOffset == Offset(0))
        #expect(try await fixture.produce(id, batch(["d"])).baseOffset == Offset(3))
        let part = try await fixture.fetch(id, at: 1)
        #expect(part.error == nil && part.highWatermark == Offset(4) && part.logStart == .zero)
        #expect(try fixture.values(part) == ["a", "b", "c", "d"])
        #expect(try await fixture.fetch(id, at: 4).slice == nil)
        #expect(try await fixture.fetch(id, at: 5).error == .offsetOutOfRange)
        await fixture.broker.close()
    }

    @Test func aBatchSentTwiceIsAppendedOnce() async throws {
        let fixture = try await GroupBroker.start()
        let id = try await fixture.topic("orders")
        let first = { batch(["a", "b"], producer: ProducerID(7), epoch: 0, sequence: 0) }
        #expect(try await fixture.produce(id, first()).baseOffset == Offset(0))
        #expect(try await fixture.produce(id, batch(["c"], producer: ProducerID(7), epoch: 0, sequence: 2)).baseOffset == Offset(2))
        #expect(try await fixture.produce(id, first()).baseOffset == Offset(0))
        let gap = try await fixture.produce(id, batch(["z"], producer: ProducerID(7), epoch: 0, sequence: 9))
        #expect(gap.error == .outOfOrderSequence)
        #expect(try await fixture.fetch(id, at: 0).highWatermark == Offset(3))
        await fixture.broker.close()
    }

    /// What a producer sent is known after a restart, from the snapshot and from the log behind it.
    @Test(arguments: [true, false])
    func producersAreRememberedAcrossARestart(_ withSnapshot: Bool) async throws {
        let log = SharedLog(MemoryEngine())
        let store = MemoryStore(clock: GroupBroker.RealClock())
        let before = try await GroupBroker.start(log: log, store: store)
        let id = try await before.topic("orders")
        _ = try await before.produce(id, batch(["a", "b"], producer: ProducerID(7), epoch: 0, sequence: 0))
        if withSnapshot {
            let shard = before.broker.shard(of: id)
            await shard.putSnapshot(await shard.ask { $0.snapshotBytes() })
        }

        let after = try await GroupBroker.start(log: log, store: store)
        #expect(after.broker.epoch == Epoch(before.broker.epoch.value + 1))
        #expect(try await after.produce(id, batch(["a", "b"], producer: ProducerID(7), epoch: 0, sequence: 0)).baseOffset == Offset(0))
        #expect(try await after.produce(id, batch(["c"], producer: ProducerID(7), epoch: 0, sequence: 2)).baseOffset == Offset(2))
        #expect(try await after.fetch(id, at: 0).highWatermark == Offset(3))
    }

    @Test func aFailedWriteVoidsItsOffsetsAndItsSequences() async throws {
        let log = SharedLog(MemoryEngine())
        let fixture = try await GroupBroker.start(log: log)
        let id = try await fixture.topic("orders")
        _ = try await fixture.produce(id, batch(["a"], producer: ProducerID(7), epoch: 0, sequence: 0))
        log.failNext(.full)
        let lost = { batch(["b"], producer: ProducerID(7), epoch: 0, sequence: 1) }
        #expect(try await fixture.produce(id, lost()).error == .full)
        #expect(try await fixture.produce(id, lost()).baseOffset == Offset(1))
        #expect(try fixture.values(try await fixture.fetch(id, at: 0)) == ["a", "b"])
        await fixture.broker.close()
    }

    @Test func anIndeterminateCommitIsResolved() async throws {
        let log = SharedLog(MemoryEngine())
        let fixture = try await GroupBroker.start(log: log)
        let id = try await fixture.topic("orders")
        log.failNext(.indeterminate)  // the frame is written, and the answer lost
        #expect(try await fixture.produce(id, batch(["a"])).baseOffset == Offset(0))
        #expect(try await fixture.produce(id, batch(["b"])).baseOffset == Offset(1))
        #expect(try fixture.values(try await fixture.fetch(id, at: 0)) == ["a", "b"])
        await fixture.broker.close()
    }

    @Test func aWaitingFetchIsWokenByAWrite() async throws {
        let fixture = try await GroupBroker.start()
        let id = try await fixture.topic("orders")
        let woken = Woken()
        let waiter = FetchWaiter(id: 1) { woken.set() }
        #expect(try await fixture.fetch(id, at: 0, waiter: waiter).slice == nil)
        #expect(!woken.isSet)
        _ = try await fixture.produce(id, batch(["a"]))
        #expect(woken.isSet)
        await fixture.broker.close()
    }

    @Test func deletedRecordsAreGoneAndStayGone() async throws {
        let log = SharedLog(MemoryEngine())
        let store = MemoryStore(clock: GroupBroker.RealClock())
        let fixture = try await GroupBroker.start(log: log, store: store)
        let id = try await fixture.topic("orders")
        _ = try await fixture.produce(id, batch(["a", "b", "c"]))
        #expect(await fixture.broker.deleteRecords(of: id, before: Offset(2)) == .success(Offset(2)))
        #expect(try await fixture.fetch(id, at: 1).error == .offsetOutOfRange)
        #expect(await fixture.broker.deleteRecords(of: id, before: Offset(9)) == .failure(.offsetOutOfRange))
        let after = try await GroupBroker.start(log: log, store: store)
        #expect(try await after.fetch(id, at: 1).error == .offsetOutOfRange)
        #expect(try await after.fetch(id, at: 2).logStart == Offset(2))
    }

    @Test func epochsTellWhereALeaderEnded() async throws {
        let log = SharedLog(MemoryEngine())
        let store = MemoryStore(clock: GroupBroker.RealClock())
        let before = try await GroupBroker.start(log: log, store: store)
        let id = try await before.topic("orders")
        _ = try await before.produce(id, batch(["a", "b"]))
        let after = try await GroupBroker.start(log: log, store: store)
        _ = try await after.produce(id, batch(["c"]))
        #expect(await after.endOfEpoch(id, before.broker.epoch.value).1 == Offset(2))
        #expect(await after.endOfEpoch(id, after.broker.epoch.value).1 == Offset(3))
        #expect(await after.endOfEpoch(id, 0).0 == -1)
    }
}
