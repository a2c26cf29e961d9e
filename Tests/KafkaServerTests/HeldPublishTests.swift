import KafkaWire
import Model
import NIOCore
import NIOPosix
import Testing

@testable import Broker
@testable import KafkaServer

/// A producer whose broker is short of disk: told late, with a code that clients try again, on a connection that stays open.
struct HeldPublishTests {
    @Test(.timeLimit(.minutes(1))) func `a held publish is told to try again`() async throws {
        let fixture = try await DoorFixture.open()
        let topic = try await fixture.broker.createTopic("t", partitions: 1, config: .defaults)
        let short = ResourceReading(diskFreeBytes: 1, diskTotalBytes: 1 << 40)
        await fixture.broker.obey(short)
        let start = ContinuousClock.now
        let refused = try await fixture.send(ProduceRequest.of(topic, count: 3), 9)
        let answer = refused.responses[0].partitionResponses[0]
        #expect(answer.errorCode == .notEnoughReplicas && answer.errorMessage?.contains("publishers are held") == true)
        let lateMs = Int32(fixture.broker.limits.heldAnswerMs)
        #expect(refused.throttleTimeMs == lateMs && ContinuousClock.now - start >= .milliseconds(lateMs))
        await fixture.broker.obey(ResourceReading(diskFreeBytes: 1 << 39, diskTotalBytes: 1 << 40))
        let taken = try await fixture.send(ProduceRequest.of(topic, count: 3), 9)
        #expect(taken.responses[0].partitionResponses[0].errorCode == .none && taken.throttleTimeMs == 0)
        await fixture.close()
    }

    @Test(.timeLimit(.minutes(1))) func `what a loop keeps for large frames is given back when memory is short`() async throws {
        let fixture = try await DoorFixture.open(memoryHigh: .bytes(1_000))
        let topic = try await fixture.broker.createTopic("t", partitions: 1, config: .defaults)
        let taken = try await fixture.send(ProduceRequest.of(topic, count: 40_000), 9)
        #expect(taken.responses[0].partitionResponses[0].errorCode == .none)
        func keptBytes() async throws -> Int {
            var bytes = 0
            for loop in MultiThreadedEventLoopGroup.singleton.makeIterator() {
                let intake = fixture.door.state.intake(of: loop)
                bytes += try await loop.submit { intake.pool.heldBytes }.get()
            }
            return bytes
        }
        #expect(try await keptBytes() >= 64 << 10)
        await fixture.broker.obey(ResourceReading(residentBytes: 900))
        #expect(try await keptBytes() >= 64 << 10)
        await fixture.broker.obey(ResourceReading(residentBytes: 1_001))
        #expect(try await keptBytes() == 0)
        await fixture.close()
    }
}
