import Broker
import KafkaWire
import Model
import NIOCore
import Testing

@testable import KafkaClient
@testable import KafkaServer

/// The share-group APIs over a real connection: sessions, answers, and what is refused.
struct ShareAPITests {
    private func open(queue name: String = "orders", partitions: Int32 = 1, messages: Int = 0) async throws -> (DoorFixture, Topic) {
        let fixture = try await DoorFixture.open()
        let topic = try await fixture.broker.createTopic(name, partitions: partitions, config: try TopicConfig.parse(["queue": "true"]))
        if messages > 0 { try await produce(fixture, topic, messages) }
        return (fixture, topic)
    }

    private func produce(_ fixture: DoorFixture, _ topic: Topic, _ count: Int) async throws {
        let answer = try await fixture.send(ProduceRequest.of(topic, count: count), 9)
        #expect(answer.responses[0].partitionResponses[0].errorCode == .none)
    }

    private func fetch(
        _ epoch: Int32, topic: Topic? = nil, acknowledging ranges: [Answered] = [], member: String = "m", maxRecords: Int32 = 500,
        mode: Int8 = 0
    ) -> ShareFetchRequest {
        .of(epoch, topic: topic, acknowledging: ranges, member: member, maxRecords: maxRecords, mode: mode)
    }

    private func acknowledge(_ epoch: Int32, _ topic: Topic, _ ranges: [Answered], member: String = "m") -> ShareAcknowledgeRequest {
        .of(epoch, topic, ranges, member: member)
    }

    private func acquired(_ response: ShareFetchResponse) -> [[Int64]] {
        response.responses.flatMap(\.partitions).flatMap(\.acquiredRecords)
            .map { [$0.firstOffset, $0.lastOffset, Int64($0.deliveryCount)] }
    }

    @Test func `a session opens, counts up, and closes`() async throws {
        let (fixture, topic) = try await open(messages: 5)
        let opened = try await fixture.send(fetch(0, topic: topic))
        #expect(opened.errorCode == .none)
        #expect(opened.acquisitionLockTimeoutMs == 30_000)
        #expect(acquired(opened) == [[0, 4, 1]])
        // Accepts in the next fetch, which waits its 50 ms for nothing.
        let next = try await fixture.send(fetch(1, topic: topic, acknowledging: [(0, 2, [1]), (3, 4, [2, 1])]))
        #expect(next.responses[0].partitions[0].acknowledgeErrorCode == .none)
        #expect(acquired(next) == [[3, 3, 2]])
        #expect(try await fixture.send(fetch(1)).errorCode == .invalidShareSessionEpoch)
        #expect(try await fixture.send(acknowledge(2, topic, [(3, 3, [1])])).responses[0].partitions[0].errorCode == .none)
        #expect(try await fixture.send(fetch(3, topic: topic)).errorCode == .none)
        #expect(try await fixture.send(fetch(-1)).errorCode == .none)
        #expect(try await fixture.send(fetch(4)).errorCode == .shareSessionNotFound)
        #expect(try await fixture.send(acknowledge(4, topic, [])).errorCode == .shareSessionNotFound)
        await fixture.close()
    }

    @Test func `what makes no sense is refused`() async throws {
        let (fixture, topic) = try await open(messages: 3)
        #expect(try await fixture.send(fetch(7)).errorCode == .shareSessionNotFound)
        #expect(try await fixture.send(fetch(0, topic: topic, acknowledging: [(0, 0, [1])])).errorCode == .invalidRequest)
        #expect(try await fixture.send(acknowledge(0, topic, [(0, 0, [1])])).errorCode == .invalidShareSessionEpoch)
        #expect(try await fixture.send(fetch(-2)).errorCode == .invalidRequest)
        #expect(try await fixture.send(fetch(0, member: "")).errorCode == .invalidRequest)
        await fixture.close()
    }

    @Test(
        arguments: [
            [(-1, 0, [1])], [(2, 1, [1])], [(0, Int64.max, [1])], [(Int64.max, Int64.max, [1])], [(0, 2, [1, 1])], [(0, 2, [9])],
            [(0, 2, [])],
            [(1, 2, [1]), (0, 0, [1])], [(0, 1, [1]), (1, 2, [1])],
        ] as [[(Int64, Int64, [Int8])]])
    func `answers that are no ranges are refused and change nothing`(_ ranges: [(Int64, Int64, [Int8])]) async throws {
        let (fixture, topic) = try await open(messages: 3)
        #expect(acquired(try await fixture.send(fetch(0, topic: topic))) == [[0, 2, 1]])
        #expect(
            try await fixture.send(acknowledge(1, topic, ranges.map { (first: $0.0, last: $0.1, types: $0.2) })).responses[0].partitions[0]
                .errorCode == .invalidRequest)
        // All three are still the member's.
        #expect(try await fixture.send(acknowledge(2, topic, [(0, 2, [1])])).responses[0].partitions[0].errorCode == .none)
        await fixture.close()
    }

    @Test func `who has not acquired a record can't answer for it`() async throws {
        let (fixture, topic) = try await open(messages: 3)
        _ = try await fixture.send(fetch(0, topic: topic))
        _ = try await fixture.send(fetch(0, topic: topic, member: "n"))
        let answer = try await fixture.send(acknowledge(1, topic, [(0, 0, [1])], member: "n"))
        #expect(answer.responses[0].partitions[0].errorCode == .invalidRecordState)
        #expect(try await fixture.send(acknowledge(1, topic, [(0, 5, [1])])).responses[0].partitions[0].errorCode == .invalidRecordState)
        #expect(try await fixture.send(acknowledge(2, topic, [(0, 2, [1])])).responses[0].partitions[0].errorCode == .none)
        await fixture.close()
    }

    @Test func `a renewal needs version 2`() async throws {
        let (fixture, topic) = try await open(messages: 1)
        _ = try await fixture.send(fetch(0, topic: topic))
        #expect(try await fixture.send(acknowledge(1, topic, [(0, 0, [4])]), 1).responses[0].partitions[0].errorCode == .invalidRequest)
        let renewed = try await fixture.send(acknowledge(2, topic, [(0, 0, [4])]), 2)
        #expect(renewed.responses[0].partitions[0].errorCode == .none)
        #expect(renewed.acquisitionLockTimeoutMs == 30_000)
        #expect(try await fixture.send(acknowledge(3, topic, [(0, 0, [1])])).responses[0].partitions[0].errorCode == .none)
        await fixture.close()
    }

    @Test func `a batch is given whole, or as many records as asked for`() async throws {
        let (fixture, topic) = try await open(messages: 10)
        #expect(acquired(try await fixture.send(fetch(0, topic: topic, maxRecords: 3, mode: 1))) == [[0, 2, 1]])
        #expect(acquired(try await fixture.send(fetch(1, maxRecords: 3, mode: 0))) == [[3, 9, 1]])
        await fixture.close()
    }

    @Test func `topics that are not there are named`() async throws {
        let (fixture, topic) = try await open(messages: 1)
        var gone = topic
        gone.id = TopicID(high: 9, low: 9)
        let answer = try await fixture.send(fetch(0, topic: gone))
        #expect(answer.responses[0].partitions[0].errorCode == .unknownTopicId)
        let acknowledged = try await fixture.send(acknowledge(1, gone, [(0, 0, [1])]))
        #expect(acknowledged.responses[0].partitions[0].errorCode == .unknownTopicId)
        await fixture.close()
    }

    @Test func `the end of a connection gives its records to others`() async throws {
        let (fixture, topic) = try await open(messages: 2)
        let other = try await DoorFixture.connect(to: fixture.door)
        let limit = ShareFetchRequest.versions.upperBound
        #expect(acquired(try await other.send(fetch(0, topic: topic, member: "n"), limit: limit)) == [[0, 1, 1]])
        #expect(acquired(try await fixture.send(fetch(0, topic: topic))) == [])
        other.close()
        var epoch: Int32 = 1
        var got: [[Int64]] = []
        while got.isEmpty, epoch < 100 {
            got = acquired(try await fixture.send(fetch(epoch)))
            epoch += 1
        }
        #expect(got == [[0, 1, 2]])
        await fixture.close()
    }

    @Test func `offsets beyond the log are brought into it`() async throws {
        let (fixture, topic) = try await open(messages: 4)
        var request = AlterShareGroupOffsetsRequest()
        request.groupId = "orders"
        var wanted = AlterShareGroupOffsetsRequest.AlterShareGroupOffsetsRequestTopic()
        wanted.topicName = topic.name
        var partition = AlterShareGroupOffsetsRequest.AlterShareGroupOffsetsRequestPartition()
        partition.startOffset = Int64.max
        wanted.partitions = [partition]
        request.topics = [wanted]
        let altered = try await fixture.send(request)
        #expect(altered.errorCode == .none)
        #expect(altered.responses[0].partitions[0].errorCode == .none)
        var describe = DescribeShareGroupOffsetsRequest()
        var group = DescribeShareGroupOffsetsRequest.DescribeShareGroupOffsetsRequestGroup()
        group.groupId = "orders"
        group.topics = nil
        describe.groups = [group]
        let described = try await fixture.send(describe)
        let place = try #require(described.groups.first?.topics.first?.partitions.first)
        #expect(place.startOffset == 4)
        #expect(place.lag == 0)
        #expect(acquired(try await fixture.send(fetch(0, topic: topic))) == [])
        try await produce(fixture, topic, 1)
        #expect(acquired(try await fixture.send(fetch(1))) == [[4, 4, 1]])
        await fixture.close()
    }
}
