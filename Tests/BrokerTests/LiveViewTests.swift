import Control
import Model
import Queues
import Storage
import Testing

@testable import Broker

/// Snapshots of a running broker: what was done a moment ago is in them, though shards tell only of what changed.
@Suite struct LiveViewTests {
    private func queues(_ view: BrokerView) async throws -> [QueueRow] {
        var query = SnapshotQuery()
        query.queues = ListQuery()
        return try await view.snapshot(query).queues.rows
    }

    @Test func `what changes is seen at once, and only that is told`() async throws {
        let fixture = try await GroupBroker.start()
        let view = BrokerView(broker: fixture.broker)
        let key = try await fixture.queue("orders")
        _ = try await fixture.queue("pay")
        #expect(try await queues(view).map(\.name) == ["orders", "pay"])
        try await fixture.publish(key, ["a", "b", "c"])
        #expect(try await queues(view).map(\.ready) == [3, 0])
        #expect(await fixture.got(key, 2) == ["0-1 x1"])
        #expect(try await queues(view).map(\.unacked) == [2, 0])
        #expect(await fixture.answer(key, .accept, 0...0) == nil)
        var row = try await queues(view)[0]
        #expect(row.ready == 1 && row.unacked == 1)
        await fixture.setGate(key, .delivery, held: true)
        row = try await queues(view)[0]
        #expect(row.held)
        let totals = try await view.snapshot(SnapshotQuery()).totals
        #expect(totals.queues == 2 && totals.ready == 1 && totals.unacked == 1 && totals.records == 3 && totals.topics == 2)
        await fixture.broker.close()
    }

    @Test func `a shard that nobody touched has nothing to tell`() async throws {
        let fixture = try await GroupBroker.start()
        let broker = fixture.broker
        let key = try await fixture.queue("orders")
        _ = try await fixture.queue("pay")
        try await fixture.publish(key, ["a"])
        await broker.refreshStatistics()
        func told() async -> [String] {
            var told: [String] = []
            for (shard, coordinator) in zip(broker.shards, broker.shareCoordinators) {
                let look = await shard.ask { $0.look(members: coordinator) }
                told += look.changed.flatMap { $0.cursors.map(\.topic) } + look.gone.map { _ in "gone" }
            }
            return told
        }
        #expect(await told().isEmpty)
        try await fixture.publish(key, ["b"])
        #expect(await told() == ["orders"])
        #expect(await told().isEmpty)
        try await broker.deleteTopic("pay")
        #expect(await told() == ["gone"])
        await broker.close()
    }

    @Test func `share groups, settings and queues come and go`() async throws {
        let fixture = try await GroupBroker.start()
        let view = BrokerView(broker: fixture.broker)
        let topic = try await fixture.broker.createTopic("clicks", partitions: 1, config: TopicConfig.parse([:]))
        #expect(try await queues(view).isEmpty)
        let key = ShareKey(group: "billing", partition: topic.partitionIDs[0])
        #expect(await fixture.got(key).isEmpty)
        #expect(try await queues(view).map(\.name) == ["billing@clicks"])
        let shard = fixture.broker.shard(of: key.partition)
        let deleted = await withCheckedContinuation { continuation in
            shard.deleteCursor(key) { continuation.resume(returning: $0.isSuccess) }
        }
        #expect(deleted)
        #expect(try await queues(view).isEmpty)
        _ = try await fixture.queue("pay", ["dead.letter": "pay.dlq"])
        _ = try await fixture.queue("pay.dlq")
        #expect(try await queues(view).map(\.isDeadLetter) == [false, true])
        try await fixture.broker.configureTopic("pay", TopicConfig.parse(["queue": "true", "dead.letter": ""]))
        #expect(try await queues(view).map(\.isDeadLetter) == [false, false])
        try await fixture.broker.deleteTopic("pay")
        #expect(try await queues(view).map(\.name) == ["pay.dlq"])
        await fixture.broker.close()
    }
}
