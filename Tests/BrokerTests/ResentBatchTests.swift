import Model
import NIOCore
import Storage
import Synchronization
import Testing

@testable import Broker

/// What an idempotent producer is told of a batch that it sends again before its first copy is in the log.
@Suite(.timeLimit(.minutes(1))) struct ResentBatchTests {
    private func batch(_ sequence: Int32, _ values: [String]) -> ByteBuffer {
        var builder = RecordBatchBuilder(producerID: ProducerID(7), producerEpoch: 0, baseSequence: sequence)
        for value in values { builder.append(timestamp: Timestamp(ms: 5), value: ByteBuffer(string: value)) }
        return builder.finish()
    }

    /// Sends the batch, and again while the log does not answer; then lets the log go on.
    private func twice(_ log: FailingLog, _ fixture: GroupBroker, _ id: PartitionID) async throws -> (
        first: ProduceResult, second: ProduceResult
    ) {
        log.stall()
        async let first = fixture.produce(id, batch(0, ["a", "b"]))
        while log.stalledFrames == 0 { try await Task.sleep(for: .milliseconds(1)) }
        let answered = Mutex(false)
        async let second = {
            let result = try await fixture.produce(id, batch(0, ["a", "b"]))
            answered.withLock { $0 = true }
            return result
        }()
        try await Task.sleep(for: .milliseconds(50))
        #expect(!answered.withLock { $0 }, "nobody knows yet what becomes of the first copy")
        log.goOn()
        return (try await first, try await second)
    }

    @Test func itIsAnsweredWithItsFirstCopy() async throws {
        let log = FailingLog()
        let fixture = try await GroupBroker.start(log: log)
        let id = try await fixture.topic("t")
        let (first, second) = try await twice(log, fixture, id)
        #expect(first.error == nil && second.error == nil && first.baseOffset == .zero && second.baseOffset == .zero)
        #expect(try fixture.values(try await fixture.fetch(id, at: 0)) == ["a", "b"])
        // Its third copy has nothing to wait for.
        #expect(try await fixture.produce(id, batch(0, ["a", "b"])).baseOffset == .zero)
        await fixture.broker.close()
    }

    @Test func itIsNotAcknowledgedForACopyThatIsLost() async throws {
        let log = FailingLog()
        let fixture = try await GroupBroker.start(log: log)
        let id = try await fixture.topic("t")
        log.fail(with: .full)
        let (first, second) = try await twice(log, fixture, id)
        #expect(first.error == .full && second.error == .full)
        log.fail(with: nil)
        let third = try await fixture.produce(id, batch(0, ["a", "b"]))
        #expect(third.error == nil && third.baseOffset == .zero)
        #expect(try fixture.values(try await fixture.fetch(id, at: 0)) == ["a", "b"])
        await fixture.broker.close()
    }
}
