import Control
import Model
import Storage
import Testing

@testable import Broker

/// What is written into the audit log, by whomever.
@Suite(.timeLimit(.minutes(1))) struct AuditTests {
    private func rows(_ broker: Broker) -> [AuditRow] { broker.audit.page(ListQuery(), isLive: { _ in true }).rows }

    @Test func `a kafka client's request is a row for each thing, in words that can be typed`() async throws {
        let log = SharedLog(MemoryEngine())
        let store = MemoryStore(clock: GroupBroker.RealClock())
        let bed = try await GroupBroker.start(log: log, store: store)
        let acts: [KafkaOutcome] = [
            .init(.createTopic("orders", partitions: 3, configs: ["retention.ms": "5"])),
            .init(.deleteTopic("a b"), refusal: "unknownTopicOrPartition"), .init(.addPartitions(topic: "orders", count: 5)),
            .init(.configureTopic("orders", ["queue": "true", "flush": nil])), .init(.configureGroup("g", ["delivery.limit": "3"])),
            .init(.deleteRecords(topic: "orders", partition: 1, before: 40)), .init(.deleteGroup("it's")),
            .init(.deleteOffsets(group: "g", topic: "orders", partitions: [0, 2])),
            .init(.moveShares(group: "g", topic: "orders", partition: 0, to: 7)), .init(.deleteShares(group: "g", topic: "orders")),
        ]
        await bed.broker.audit(acts, clientID: "till")
        let expected = [
            "weir topic create orders --partitions 3 --config retention.ms=5", "weir topic delete 'a b' --yes",
            "kafka-topics --alter --topic orders --partitions 5",
            "kafka-configs --alter --entity-type topics --entity-name orders --add-config queue=true --delete-config flush",
            "kafka-configs --alter --entity-type groups --entity-name g --add-config delivery.limit=3",
            "weir topic purge orders --partition 1 --before 40 --yes", #"weir group delete 'it'\''s' --yes"#,
            "kafka-consumer-groups --delete-offsets --group g --topic orders:0,:2",
            "weir group reset g --topic orders --partition 0 --to 7", "kafka-share-groups --delete-offsets --group g --topic orders",
        ]
        #expect(rows(bed.broker).reversed().map(\.command) == expected)
        #expect(rows(bed.broker).allSatisfy { $0.actor == "kafka till" })
        #expect(rows(bed.broker).filter { !$0.ok }.map(\.outcome) == ["unknownTopicOrPartition"])
        // Written down, each with its number.
        let again = try await GroupBroker.start(log: log, store: store)
        #expect(rows(again.broker) == rows(bed.broker) && rows(again.broker).map(\.id) == (1...10).reversed())
        await again.broker.close()
    }

    @Test func `a row and a request have bounds`() async throws {
        var limits = Limits()
        limits.auditRowsPerRequest = 3
        let bed = try await GroupBroker.start(limits: limits)
        let long = String(repeating: "x", count: 100_000)
        await bed.broker.audit((0..<9).map { .init(.deleteGroup("\($0)\(long)"), refusal: $0 > 4 ? long : nil) }, clientID: long)
        let found = rows(bed.broker)
        #expect(found.count == 3)
        #expect(found[0].outcome == "done (and 6 more of this request, 4 of them refused)")
        #expect(found.allSatisfy { $0.command.count == limits.auditTextCharacters && $0.actor.count == limits.auditActorCharacters })
        let view = BrokerView(broker: bed.broker)
        let tooLong = String(repeating: "m", count: limits.groupNameBytes + 1)
        for command in [Command.removeMember(group: "g", member: tooLong), .removeMember(group: tooLong, member: "m")] {
            let error = await #expect(throws: ControlError.self) { try await view.perform(command) }
            #expect(error?.code == .invalid)
        }
        #expect(rows(bed.broker).count == 3)
        await bed.broker.close()
    }
}
