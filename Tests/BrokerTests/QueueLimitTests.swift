import Control
import Model
import Queues
import Storage
import Testing

@testable import Broker

/// Limits say what they do: of the whole queue, and of nothing that is none.
@Suite(.timeLimit(.minutes(1))) struct QueueLimitTests {
    @Test func `a limit is shared out among the partitions and all of it is used`() {
        var policy = QueuePolicy()
        policy.maxDepth = 100
        policy.maxBytes = 10
        let shares = (0..<3).map { policy.shared(by: 3, index: $0) }
        #expect(shares.map(\.maxDepth) == [34, 33, 33] && shares.map(\.maxBytes) == [4, 3, 3])
        #expect(policy.shared(by: 1, index: 0) == policy)
        #expect(QueuePolicy().shared(by: 3, index: 2) == QueuePolicy())
    }

    @Test func `three partitions together take no more than the queue's limit`() async throws {
        let bed = try await GroupBroker.start()
        let config = try TopicConfig.parse(["queue": "true", "max.depth": "4", "overflow": "reject-publish"])
        let topic = try await bed.broker.createTopic("orders", partitions: 2, config: config)
        let keys = topic.partitionIDs.map { ShareKey(group: "orders", partition: $0) }
        for key in keys { #expect(try await bed.publish(key, ["a", "b"]).error == nil) }
        #expect(
            try await bed.publish(keys[1], ["c"]).error == .overLimit("partition 1 of orders is full: its share of max.depth is 2"))
        // With two more partitions each has one.
        try await bed.broker.growTopic("orders", to: 4)
        let third = ShareKey(group: "orders", partition: try #require(bed.broker.catalog.current["orders"]?.partition(2)))
        #expect(try await bed.publish(third, ["a"]).error == nil)
        #expect(try await bed.publish(third, ["b"]).error == .overLimit("partition 2 of orders is full: its share of max.depth is 1"))
        await #expect(throws: Catalog.Failure.self) { try await bed.broker.growTopic("orders", to: 5) }
        await bed.broker.close()
    }

    /// 60 of at most 100 messages lie in one partition; its share of four would be 25.
    @Test func `a queue does not grow where that would drop messages`() async throws {
        let bed = try await GroupBroker.start()
        let key = try await bed.queue("orders", ["max.depth": "100"])
        #expect(try await bed.publish(key, (0..<60).map { "\($0)" }).error == nil)
        let failure = await #expect(throws: Catalog.Failure.self) { try await bed.broker.growTopic("orders", to: 4) }
        guard case .invalidPartitions(let text)? = failure else { throw try #require(failure) }
        #expect(text.contains("would drop 35 messages of partition 0"))
        #expect(bed.broker.catalog.current["orders"]?.partitions == 1)
        await bed.broker.close()
    }

    @Test func `a topic that is no queue has no queue's settings`() async throws {
        let bed = try await GroupBroker.start()
        for (name, value) in [("max.depth", "5"), ("rate.in", "10"), ("rate.out", "10"), ("overflow", "reject-publish"), ("ttl.ms", "1")] {
            let config = try TopicConfig.parse([name: value])
            #expect(config.queueProblem?.hasPrefix("\(name)=\(value) needs queue=true") == true)
            let error = await #expect(throws: Catalog.Failure.self) {
                try await bed.broker.createTopic("plain", partitions: 1, config: config)
            }
            guard case .invalidConfig = error else { throw error ?? .unknown }
        }
        // Defaults, and what topics do go by.
        let plain = try TopicConfig.parse(
            ["max.depth": "0", "delay.enable": "true", "errors.deadletterqueue.group.enable": "true", "retention.ms": "5"])
        #expect(plain.queueProblem == nil)
        try await bed.broker.createTopic("plain", partitions: 1, config: plain)
        // A queue does not stop being one with its settings left behind.
        _ = try await bed.queue("orders", ["max.depth": "5"])
        let left = try TopicConfig.parse(["max.depth": "5"])
        await #expect(throws: Catalog.Failure.self) { try await bed.broker.configureTopic("orders", left) }
        #expect(bed.broker.catalog.current["orders"]?.config.isQueue == true)
        await bed.broker.close()
    }

    @Test func `publishing is held at queues only`() async throws {
        let bed = try await GroupBroker.start()
        _ = try await bed.topic("clicks")
        _ = try await bed.queue("orders")
        let view = BrokerView(broker: bed.broker)
        func hold(_ name: String) async throws { _ = try await view.perform(.queue(.gate(queue: name, .publishing, held: true))) }
        let topic = await #expect(throws: ControlError.self) { try await hold("billing@clicks") }
        #expect(topic?.code == .invalid && topic?.message.contains("weir queue declare clicks") == true)
        let queue = await #expect(throws: ControlError.self) { try await hold("billing@orders") }
        #expect(queue?.message.hasSuffix("or publishing to the queue orders") == true)
        try await hold("orders")
        await bed.broker.close()
    }
}
