import Control
import Groups
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
        #expect(try await (queues(view)[0].oldestMs ?? .max) < 600_000)
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
        // The second's own look would take what is to be seen here.
        while broker.statistics.isSampling.exchange(true, ordering: .acquiringAndReleasing) { try await Task.sleep(for: .milliseconds(2)) }
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
        // Who only looks, or waits for messages, changes nothing.
        #expect(await fixture.got(key, by: "c1") == ["0-1 x1"])
        #expect(await fixture.answer(key, .accept, 0...1) == nil)
        #expect(await told() == ["orders"])
        for _ in 0..<3 {
            #expect(await fixture.got(key, by: "c1").isEmpty)
            #expect(await fixture.list(key, .waiting).isEmpty)
        }
        #expect(await told().isEmpty)
        try await broker.deleteTopic("pay")
        #expect(await told() == ["gone"])
        await broker.close()
    }

    @Test func `a look takes what it can in one turn, and all in several`() async throws {
        var limits = Limits()
        limits.partitionsPerLook = 2
        let fixture = try await GroupBroker.start(limits: limits)
        let view = BrokerView(broker: fixture.broker)
        for index in 0..<9 { try await fixture.publish(try await fixture.queue("q\(index)"), ["a"]) }
        let answer = await withCheckedContinuation { continuation in
            fixture.broker.shareCoordinator(of: "q3").heartbeat(
                "q3", ShareHeartbeat(memberID: "m", epoch: 0, topics: ["q3"], clientID: "w", clientHost: "/h")
            ) { continuation.resume(returning: $0) }
        }
        #expect(answer.error == nil)
        let rows = try await queues(view)
        #expect(rows.map(\.ready) == Array(repeating: 1, count: 9))
        #expect(rows.map(\.consumers) == [0, 0, 0, 1, 0, 0, 0, 0, 0])
        await fixture.broker.close()
    }

    @Test func `delayed messages are counted as they come and go`() async throws {
        let fixture = try await GroupBroker.start()
        let view = BrokerView(broker: fixture.broker)
        let key = try await fixture.queue("orders", ["delay.ms": "3600000"])
        try await fixture.publish(key, ["a", "b", "c"])
        #expect(try await queues(view).map(\.delayed) == [3])
        #expect(try await view.snapshot(SnapshotQuery()).totals.delayed == 3)
        let rows = try await fixture.broker.delayedMessages(queue: "orders", fromMs: nil, toMs: nil, start: 0, limit: 10).rows
        _ = try await view.perform(.queue(.runDelayed(queue: "orders", ids: rows.prefix(1).map(\.id))))
        _ = try await view.perform(.queue(.cancelDelayed(queue: "orders", ids: rows.suffix(1).map(\.id))))
        #expect(try await fixture.until { (try? await queues(view).map { [$0.delayed, $0.ready] }) == [[1, 1]] })
        try await fixture.broker.deleteTopic("orders")
        #expect(try await view.snapshot(SnapshotQuery()).totals.delayed == 0)
        await fixture.broker.close()
    }

    @Test func `a queue that is made anew under its name begins from nothing`() async throws {
        let fixture = try await GroupBroker.start()
        let view = BrokerView(broker: fixture.broker)
        let old = try await fixture.queue("orders")
        try await fixture.publish(old, ["a", "b", "c"])
        _ = try await fixture.queue("other")
        #expect(try await queues(view).map(\.ready) == [3, 0])
        try await fixture.broker.deleteTopic("orders")
        let new = try await fixture.queue("orders")
        #expect(try await queues(view).map(\.ready) == [0, 0])
        try await fixture.publish(new, ["d"])
        let snapshot = try await view.snapshot(SnapshotQuery())
        #expect(snapshot.totals.ready == 1 && snapshot.totals.records == 1 && snapshot.totals.queues == 2)
        #expect(try await queues(view).map(\.name) == ["orders", "other"])
        await fixture.broker.close()
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

    /// One rule for the lists, the totals, the Dead screen and what needs attention.
    @Test func `what has become old elsewhere is not dead, and what was declared dead stays so`() async throws {
        let queues = try await MoveBed.start(store: MoveBed.memoryStore())
        let view = BrokerView(broker: queues.broker)
        var query = SnapshotQuery()
        (query.queues, query.deadQueues) = (ListQuery(), ListQuery())
        func dead() async throws -> [[String]] {
            let snapshot = try await view.snapshot(query)
            let total = snapshot.totals.dead
            return [
                snapshot.queues.rows.filter(\.isDeadLetter).map(\.name), snapshot.deadQueues.rows.map(\.name),
                snapshot.attention.filter { $0.kind == "dead" }.map(\.subject), ["\(total)"],
            ]
        }
        // A chain: what waited for 1 ms goes on to `next`, which is made as any queue.
        try await queues.declare("wait", ["ttl.ms": "1", "dead.letter": "next"])
        try await queues.publish("wait", ["a"])
        #expect(try await eventually { (try? await queues.counts("next"))?.ready == 1 })
        #expect(try await dead() == [[], [], [], ["0"]])
        // A consumer of the chain rejects: now `next` gets what is dead.
        try await queues.declare("slow", ["ttl.ms": "3600000", "dead.letter": "next"])
        #expect(try await dead() == [[], [], [], ["0"]])
        try await queues.publish("slow", ["b"])
        try await queues.answer("slow", try await queues.acquire("slow", 1), .reject)
        #expect(try await eventually { try await queues.counts("next")?.ready == 2 })
        #expect(try await dead() == [["next"], ["next"], ["next"], ["2"]])
        // Made by `auto`, and its source is gone.
        try await queues.declare("work", ["dead.letter": "auto"])
        try await queues.publish("work", ["c"])
        try await queues.answer("work", try await queues.acquire("work", 1), .reject)
        #expect(try await eventually { (try? await queues.counts("work.dlq"))?.ready == 1 })
        try await queues.perform(.delete(queue: "work"))
        try await queues.perform(.delete(queue: "slow"))
        #expect(try await dead() == [["work.dlq"], ["work.dlq"], ["work.dlq"], ["1"]])
        await queues.broker.close()
    }
}
