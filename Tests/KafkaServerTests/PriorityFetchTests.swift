import Broker
import KafkaWire
import Model
import Testing

@testable import KafkaServer

/// Queues whose partitions are priorities, over a connection; their partitions lie on both shards.
@Suite struct PriorityFetchTests {
    private func open(priorities: Int32 = 5) async throws -> (DoorFixture, Topic) {
        let fixture = try await DoorFixture.open()
        let config = try TopicConfig.parse(["queue": "true", "queue.priorities": "\(priorities)"])
        let topic = try await fixture.broker.createTopic("orders", partitions: priorities, config: config)
        #expect(Set(topic.partitionIDs.map { fixture.broker.shard(of: $0).id }).count == 2)
        return (fixture, topic)
    }

    private func publish(_ fixture: DoorFixture, _ topic: Topic, _ counts: [Int32: Int]) async throws {
        for (priority, count) in counts.sorted(by: { $0.key < $1.key }) {
            _ = try await fixture.send(ProduceRequest.of(topic, partition: priority, count: count), 9)
        }
    }

    /// `4 0-1`: what was acquired of each partition, in the order of the answer.
    private func got(_ response: ShareFetchResponse) -> [String] {
        response.responses.flatMap(\.partitions).flatMap { partition in
            partition.acquiredRecords.map { "\(partition.partitionIndex) \($0.firstOffset)-\($0.lastOffset)" }
        }
    }

    @Test func `the highest comes first, within a fetch and from fetch to fetch`() async throws {
        let (fixture, topic) = try await open()
        try await publish(fixture, topic, [0: 10, 1: 3, 2: 3, 4: 2])
        let first = try await fixture.send(ShareFetchRequest.of(0, topic: topic, partitions: [0, 1, 2, 3, 4], maxRecords: 4, mode: 1))
        #expect(got(first) == ["4 0-1", "2 0-1"])
        // Something urgent comes: it is before what waits.
        try await publish(fixture, topic, [3: 1])
        #expect(got(try await fixture.send(ShareFetchRequest.of(1, maxRecords: 4, mode: 1))) == ["3 0-0", "2 2-2", "1 0-1"])
        try await publish(fixture, topic, [4: 1])
        #expect(got(try await fixture.send(ShareFetchRequest.of(2, maxRecords: 3, mode: 1))) == ["4 2-2", "1 2-2", "0 0-0"])
        #expect(got(try await fixture.send(ShareFetchRequest.of(3, maxRecords: 2, mode: 1))) == ["0 1-2"])
        await fixture.close()
    }

    @Test func `a released message comes back with its priority`() async throws {
        let (fixture, topic) = try await open(priorities: 2)
        try await publish(fixture, topic, [0: 2, 1: 1])
        let first = try await fixture.send(ShareFetchRequest.of(0, topic: topic, partitions: [0, 1], maxRecords: 2, mode: 1))
        #expect(got(first) == ["1 0-0", "0 0-0"])
        let release = ShareAcknowledgeRequest.of(1, topic, partition: 1, [(0, 0, [2])])
        #expect(try await fixture.send(release).responses[0].partitions[0].errorCode == .none)
        #expect(got(try await fixture.send(ShareFetchRequest.of(2, maxRecords: 5, mode: 1))) == ["1 0-0", "0 1-1"])
        await fixture.close()
    }

    @Test func `priorities are put in order where they stand, and others keep their turn`() async throws {
        let (fixture, jobs) = try await open(priorities: 3)
        let clicks = try await fixture.broker.createTopic("clicks", partitions: 2, config: .defaults)
        let (j, c) = (jobs.partitionIDs, clicks.partitionIDs)
        let ordered = ShareFetch.inOrder([j[1], c[0], j[2], c[1], j[0]], fixture.broker.catalog.current)
        #expect(ordered.map(\.id) == [j[2], c[0], j[1], c[1], j[0]])
        #expect(ordered.map(\.isPrioritised) == [true, false, true, false, true])
        let wanted = ordered.map {
            ShareFetch.Wanted(topic: $0.id.topic.uuid, index: $0.id.index, id: $0.id, isPrioritised: $0.isPrioritised)
        }
        let steps = ShareFetchStep.plan(wanted, group: "g", readBytes: 1, fixture.broker)
        let asked = steps.flatMap(\.items).map(\.key.partition)
        #expect(asked.filter { $0.topic == jobs.id } == [j[2], j[1], j[0]])
        #expect(Set(asked) == Set(ordered.map(\.id)) && asked.count == 5)
        await fixture.close()
    }

    @Test func `priorities and partitions are the same number`() async throws {
        let fixture = try await DoorFixture.open()
        func create(_ name: String, _ partitions: Int32, _ priorities: String) async throws -> CreateTopicsResponse.CreatableTopicResult {
            var request = CreateTopicsRequest()
            var topic = CreateTopicsRequest.CreatableTopic()
            (topic.name, topic.numPartitions, topic.replicationFactor) = (name, partitions, 1)
            topic.configs = [("queue", "true"), ("queue.priorities", priorities)].map { name, value in
                var config = CreateTopicsRequest.CreatableTopicConfig()
                (config.name, config.value) = (name, value)
                return config
            }
            request.topics = [topic]
            request.timeoutMs = 1_000
            return try await fixture.send(request).topics[0]
        }
        #expect(try await create("a", -1, "4").numPartitions == 4)
        let refused = try await create("b", 3, "4")
        #expect(refused.errorCode == .invalidPartitions)
        #expect(refused.errorMessage == "queue.priorities=4 takes 4 partitions, one for each priority, not 3")
        #expect(try await create("c", 1, "1").errorMessage == "queue.priorities=1: one priority is none; say 0, or 2 to 10")
        #expect(try await create("d", 11, "11").errorCode == .invalidConfig)
        var grow = CreatePartitionsRequest()
        var wanted = CreatePartitionsRequest.CreatePartitionsTopic()
        (wanted.name, wanted.count, wanted.assignments) = ("a", 5, nil)
        grow.topics = [wanted]
        #expect(try await fixture.send(grow).results[0].errorCode == .invalidPartitions)
        await fixture.close()
    }
}
