import KafkaWire
import Model
import Testing

@testable import Broker
@testable import KafkaClient
@testable import KafkaServer

/// Settings that several Kafka clients change at once.
@Suite(.timeLimit(.minutes(1))) struct ConfigChangeTests {
    private func request(_ type: Int8, _ name: String, _ key: String, _ value: String) -> IncrementalAlterConfigsRequest {
        var config = IncrementalAlterConfigsRequest.AlterableConfig()
        config.name = key
        config.value = value
        var resource = IncrementalAlterConfigsRequest.AlterConfigsResource()
        resource.resourceType = type
        resource.resourceName = name
        resource.configs = [config]
        var request = IncrementalAlterConfigsRequest()
        request.resources = [resource]
        return request
    }

    @Test func `changes at once do not take each other back`() async throws {
        let fixture = try await DoorFixture.open()
        _ = try await fixture.broker.createTopic("t", partitions: 1, config: .defaults)
        let ofTopic = ["retention.ms": "5000", "segment.bytes": "1048576", "flush": "os", "segment.ms": "7000", "retention.bytes": "9"]
        let ofGroup = ["delivery.limit": "3", "share.session.timeout.ms": "9000", "retry.levels": "1s", "rate.out": "5"]
        let changes =
            ofTopic.map { (ConfigResource.topic, "t", $0.key, $0.value) } + ofGroup.map { (ConfigResource.group, "g", $0.key, $0.value) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (type, name, key, value) in changes {
                group.addTask {
                    let connection = try await DoorFixture.connect(to: fixture.door)
                    let answer = try await connection.send(request(type, name, key, value), limit: 1)
                    #expect(answer.responses[0].errorCode == .none, "\(answer.responses[0].errorMessage ?? "")")
                    connection.close()
                }
            }
            try await group.waitForAll()
        }
        #expect(fixture.broker.catalog.current["t"]?.config.overrides == ofTopic)
        #expect(fixture.broker.groupConfigs.settings(of: "g") == ofGroup)

        // What is wrong is said as before, and only checking changes nothing.
        var wrong = try await fixture.send(request(ConfigResource.topic, "t", "max.depth", "9"), 1).responses[0]
        #expect(wrong.errorCode == .invalidConfig && wrong.errorMessage?.contains("needs queue=true") == true)
        wrong = try await fixture.send(request(ConfigResource.group, "g", "delivery.limit", "x"), 1).responses[0]
        #expect(wrong.errorCode == .invalidConfig && wrong.errorMessage == "delivery.limit=x: not a whole number")
        wrong = try await fixture.send(request(ConfigResource.topic, "none", "flush", "os"), 1).responses[0]
        #expect(wrong.errorCode == .unknownTopicOrPartition)
        var dry = request(ConfigResource.topic, "t", "flush", "commit")
        dry.validateOnly = true
        #expect(try await fixture.send(dry, 1).responses[0].errorCode == .none)
        dry = request(ConfigResource.group, "g", "delivery.limit", "4")
        dry.validateOnly = true
        #expect(try await fixture.send(dry, 1).responses[0].errorCode == .none)
        #expect(fixture.broker.catalog.current["t"]?.config.overrides == ofTopic)
        #expect(fixture.broker.groupConfigs.settings(of: "g") == ofGroup)
        await fixture.close()
    }
}
