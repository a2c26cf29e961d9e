import Control
import Model
import NIOCore
import Queues
import Testing

@testable import Broker

/// `weir topic|queue|group alter`, as the admin door and the console send it.
@Suite(.timeLimit(.minutes(1))) struct SettingsCommandTests {
    private func alter(_ queues: MoveBed, _ change: SettingsChange) async throws -> CommandOutcome {
        try await BrokerView(broker: queues.broker).acting(as: "http").perform(.alter(change))
    }

    @Test func aTopicsSettingsChangeAndItStaysATopic() async throws {
        let queues = try await MoveBed.start(store: MoveBed.memoryStore())
        _ = try await queues.broker.createTopic(
            "clicks", partitions: 3, config: try TopicConfig.parse(["segment.bytes": "1048576", "retention.ms": "1000"]))
        let outcome = try await alter(queues, SettingsChange(.topic, "clicks", set: ["retention.ms": "5000"], unset: ["segment.bytes"]))
        #expect(outcome.message == "clicks: retention.ms=5000, segment.bytes back to the default")
        let topic = try #require(queues.broker.catalog.current["clicks"])
        #expect(topic.config.overrides == ["retention.ms": "5000"] && !topic.config.isQueue && topic.partitions == 3)
        let rows = queues.broker.audit.page(ListQuery(), isLive: { _ in false }).rows
        #expect(rows.first?.command == "weir topic alter clicks --config retention.ms=5000 --unset segment.bytes")
        #expect(rows.first?.actor == "http" && rows.first?.ok == true)
        await queues.broker.close()
    }

    @Test func whatIsWrongIsSaidAndNothingChanges() async throws {
        let queues = try await MoveBed.start(store: MoveBed.memoryStore())
        try await queues.declare("orders", ["max.depth": "5"])
        _ = try await queues.broker.createTopic("clicks", partitions: 1, config: .defaults)
        let wrong: [(SettingsChange, ControlError.Code, String)] = [
            (.init(.topic, "clicks"), .invalid, "name a setting"),
            (.init(.topic, "none", set: ["flush": "os"]), .notFound, "no topic none"),
            (.init(.topic, "clicks", set: ["retention.ms": "soon"]), .invalid, "not a whole number"),
            (.init(.topic, "clicks", unset: ["colour"]), .invalid, "unknown topic setting 'colour'"),
            (.init(.topic, "clicks", set: ["flush": "os"], unset: ["flush"]), .invalid, "set and unset"),
            (.init(.queue, "clicks", set: ["max.depth": "9"]), .invalid, "'weir topic alter' changes it"),
            (.init(.queue, "billing@clicks", set: ["max.depth": "9"]), .invalid, "'weir group alter billing'"),
            (.init(.queue, "orders", set: ["dead.letter": "orders"]), .invalid, "own dead-letter queue"),
            (.init(.topic, "orders", set: ["dead.letter": "orders"]), .invalid, "own dead-letter queue"),
            (.init(.group, "billing", set: ["retention.ms": "5"]), .invalid, "unknown group setting 'retention.ms'"),
            (.init(.group, "billing@clicks", set: ["delivery.limit": "5"]), .invalid, "name it billing"),
        ]
        for (change, code, words) in wrong {
            do {
                let outcome = try await alter(queues, change)
                Issue.record("\(change.commandLine): \(outcome.message)")
            } catch let error as ControlError {
                #expect(error.code == code && error.message.contains(words), "\(change.commandLine): \(error)")
            }
        }
        #expect(queues.broker.catalog.current["orders"]?.config.overrides == ["queue": "true", "max.depth": "5"])
        #expect(queues.broker.catalog.current["clicks"]?.config.overrides == [:])
        #expect(queues.broker.groupConfigs.groups.isEmpty)
        await queues.broker.close()
    }

    @Test func aQueuesAndAGroupsSettingsReachTheirPolicies() async throws {
        let queues = try await MoveBed.start(store: MoveBed.memoryStore())
        try await queues.declare("orders", ["max.depth": "5", "delivery.limit": "3"])
        _ = try await alter(queues, SettingsChange(.queue, "orders", set: ["delivery.limit": "8"], unset: ["max.depth"]))
        #expect(queues.broker.policy(group: "orders", topic: "orders")?.deliveryLimit == 8)
        #expect(queues.broker.policy(group: "orders", topic: "orders")?.maxDepth == nil)
        _ = try await queues.broker.createTopic("clicks", partitions: 1, config: .defaults)
        _ = try await alter(queues, SettingsChange(.group, "billing", set: ["retry.levels": "10s,1m", "delivery.limit": "4"]))
        let policy = try #require(queues.broker.policy(group: "billing", topic: "clicks"))
        #expect(policy.retry?.delays == .levels([10_000, 60_000]) && policy.deliveryLimit == 4)
        _ = try await alter(queues, SettingsChange(.group, "billing", unset: ["retry.levels", "delivery.limit"]))
        #expect(queues.broker.groupConfigs.groups.isEmpty)
        await queues.broker.close()
    }

    /// All of them see the settings as they were before the first one is written.
    @Test func `changes at once do not take each other back`() async throws {
        let queues = try await MoveBed.start(store: SharedStore(MoveBed.memoryStore(), putMs: 50))
        try await queues.declare("orders")
        let wanted = ["retention.ms": "5000", "ttl.ms": "1000", "max.depth": "9", "delivery.limit": "3", "segment.bytes": "1048576"]
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (index, change) in wanted.enumerated() {
                group.addTask {
                    let kind: SettingsChange.Kind = index.isMultiple(of: 2) ? .topic : .queue
                    _ = try await alter(queues, SettingsChange(kind, "orders", set: [change.key: change.value]))
                }
            }
            try await group.waitForAll()
        }
        let topic = try #require(queues.broker.catalog.current["orders"])
        #expect(topic.config.overrides == wanted.merging(["queue": "true"]) { $1 })
        let id = topic.partitionIDs[0]
        #expect(await queues.broker.shard(of: id).ask { $0.partitions[id]?.config } == topic.config)

        // Partitions that are added twice at once are there once.
        let sizes: [Int32] = [2, 3, 4, 5]
        try await withThrowingTaskGroup(of: Void.self) { group in
            for size in sizes {
                group.addTask {
                    do { try await queues.broker.growTopic("orders", to: size) } catch Catalog.Failure.invalidPartitions {
                        // A larger number was quicker.
                    }
                }
            }
            try await group.waitForAll()
        }
        let grown = try #require(queues.broker.catalog.current["orders"])
        #expect(grown.partitions == 5)
        for id in grown.partitionIDs { #expect(await queues.broker.shard(of: id).ask { $0.partitions[id]?.siblings } == 5) }
        await queues.broker.close()
    }

    @Test func aWrittenMessageLiesWhereAProducersWould() async throws {
        let queues = try await MoveBed.start(store: MoveBed.memoryStore())
        try await queues.declare("orders", ["partitions": "7"])
        for key in ["abc", "foobar", "21", "", "schlüssel"] {
            try await queues.perform(.write(queue: "orders", key: key, value: key, headers: [], delayMs: nil))
            let wanted = KeyHash.partition(key, count: 7)
            let topic = try queues.broker.queue("orders").topic
            let id = try #require(topic.partition(wanted))
            let end = await queues.broker.shard(of: id).ask { $0.partitions[id]?.highWatermark ?? .zero }
            var last: String?
            _ = try await StreamReader(log: queues.broker.log).read(.partition(id), ranges: [(end + -1)..<end]) {
                last = $0.key.map { String(buffer: $0) }
            }
            #expect(last == key)
        }
        await queues.broker.close()
    }
}
