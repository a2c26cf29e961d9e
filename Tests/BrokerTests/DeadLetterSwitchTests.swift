import Model
import Queues
import Testing

@testable import Broker

/// KIP-1191: a topic becomes a group's dead-letter target through Kafka's setting only with its owner's consent.
@Suite(.timeLimit(.minutes(1))) struct DeadLetterSwitchTests {
    @Test func `dead letters wait until their target takes them`() async throws {
        let queues = try await MoveBed.start(store: MoveBed.memoryStore())
        try await queues.declare("work")
        try await queues.declare("dlq.work")
        try await queues.broker.configureGroup("work", ["errors.deadletterqueue.topic.name": "dlq.work"])
        try await queues.publish("work", ["a", "b"])
        try await queues.answer("work", try await queues.acquire("work", 2), .reject, isWaiting: false)
        #expect(try await eventually { try await queues.counts("work")?.moving == 2 })
        #expect(try await queues.open("dlq.work") == [])
        try await queues.declare("dlq.work", ["errors.deadletterqueue.group.enable": "true"])
        #expect(try await eventually { try await queues.open("dlq.work") == ["a", "b"] })
        await queues.broker.close()
    }

    @Test func `a target that is not there is made as a dead-letter queue`() async throws {
        let queues = try await MoveBed.start(store: MoveBed.memoryStore())
        try await queues.declare("work")
        try await queues.broker.configureGroup("work", ["errors.deadletterqueue.topic.name": "dlq.new"])
        try await queues.publish("work", ["a"])
        try await queues.answer("work", try await queues.acquire("work", 1), .reject, isWaiting: false)
        #expect(try await eventually { queues.broker.catalog.current["dlq.new"]?.config.isDeadLetterQueue == true })
        #expect(try await eventually { try await queues.open("dlq.new") == ["a"] })
        await queues.broker.close()
    }
}
