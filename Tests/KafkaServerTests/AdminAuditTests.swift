import Control
import KafkaWire
import Model
import Testing

@testable import Broker
@testable import KafkaServer

/// What clients change through the Kafka door is in the audit log.
struct AdminAuditTests {
    private func rows(_ fixture: DoorFixture) -> [AuditRow] {
        fixture.broker.audit.page(ListQuery(), isLive: { _ in true }).rows.reversed()
    }

    @Test(.timeLimit(.minutes(1))) func `administrative requests are written down, checks are not`() async throws {
        let fixture = try await DoorFixture.open()
        var create = CreateTopicsRequest()
        var topic = CreateTopicsRequest.CreatableTopic()
        topic.name = "orders"
        topic.numPartitions = 2
        topic.replicationFactor = 1
        create.topics = [topic]
        create.validateOnly = true
        _ = try await fixture.send(create)
        #expect(rows(fixture).isEmpty)
        create.validateOnly = false
        _ = try await fixture.send(create)
        _ = try await fixture.send(create)

        var alter = IncrementalAlterConfigsRequest()
        var resource = IncrementalAlterConfigsRequest.AlterConfigsResource()
        resource.resourceType = ConfigResource.topic
        resource.resourceName = "orders"
        var config = IncrementalAlterConfigsRequest.AlterableConfig()
        config.name = "max.depth"
        config.value = "5"
        resource.configs = [config]
        alter.resources = [resource]
        #expect(try await fixture.send(alter).responses[0].errorCode == .invalidConfig)

        var groups = DeleteGroupsRequest()
        groups.groupsNames = ["nobody"]
        _ = try await fixture.send(groups)
        var delete = DeleteTopicsRequest()
        var named = DeleteTopicsRequest.DeleteTopicState()
        named.name = "orders"
        delete.topics = [named]
        delete.topicNames = ["orders"]
        _ = try await fixture.send(delete)

        let found = rows(fixture)
        #expect(
            found.map(\.command) == [
                "weir topic create orders --partitions 2", "weir topic create orders --partitions 2",
                "kafka-configs --alter --entity-type topics --entity-name orders --add-config max.depth=5",
                "weir group delete nobody --yes", "weir topic delete orders --yes",
            ])
        #expect(found.map(\.ok) == [true, false, false, false, true])
        #expect(found[2].outcome.contains("needs queue=true") && found[3].outcome == "groupIdNotFound")
        #expect(found.allSatisfy { $0.actor.hasPrefix("kafka ") && $0.actor.count > 6 })
        await fixture.close()
    }
}
