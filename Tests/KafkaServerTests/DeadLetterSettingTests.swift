import Broker
import Model
import Testing

@testable import KafkaServer

/// KIP-1191: which topic a group may name as its dead-letter target through Kafka.
struct DeadLetterSettingTests {
    @Test func `a target has the prefix and takes dead letters, or is not there yet`() async throws {
        let fixture = try await DoorFixture.open()
        let consenting = try TopicConfig.parse(["errors.deadletterqueue.group.enable": "true"])
        try await fixture.broker.createTopic("dlq.plain", partitions: 1, config: .defaults)
        try await fixture.broker.createTopic("dlq.ready", partitions: 1, config: consenting)
        func problem(_ topic: String) -> String? {
            GroupSetting.problem("errors.deadletterqueue.topic.name", topic, fixture.broker.catalog.current)
        }
        #expect(problem("orders")?.contains("begins with 'dlq.'") == true)
        #expect(problem("dlq.plain")?.contains("errors.deadletterqueue.group.enable=true") == true)
        #expect(problem("dlq.ready") == nil && problem("dlq.new") == nil && problem("") == nil)
        await fixture.close()
    }
}
