import Control
import Model
import NIOCore
import Queues
import Storage
import Testing

@testable import Broker

/// Messages keep their priority on all their ways.
@Suite(.timeLimit(.minutes(1))) struct PriorityTests {
    private func bed() async throws -> MoveBed {
        let queues = try await MoveBed.start(store: MoveBed.memoryStore())
        try await queues.declare("jobs", ["queue.priorities": "4", "dead.letter": "auto"])
        return queues
    }

    private func write(_ queues: MoveBed, _ value: String, priority: String?) async throws {
        let headers = priority.map { [MessageHeader(name: "x-priority", value: $0)] } ?? []
        try await queues.perform(.write(queue: "jobs", key: nil, value: value, headers: headers, delayMs: nil))
    }

    /// Ready messages by partition.
    private func ready(_ queues: MoveBed, _ queue: String) async throws -> [Int64] {
        var counts: [Int64] = []
        for key in try queues.broker.queue(queue).keys { counts.append(await queues.broker.counts(of: key)?.ready ?? 0) }
        return counts
    }

    /// A consumer that rejects all there is of one partition.
    private func reject(_ queues: MoveBed, _ queue: String, partition: Int32) async throws {
        let key = try #require(try queues.broker.queue(queue).key(partition))
        let shard = queues.broker.shard(of: key.partition)
        let parts = await withCheckedContinuation { continuation in
            shard.acquire(
                [AcquireItem(slot: 0, key: key, maxBytes: 1 << 20)], member: "m", maxRecords: 100, minBytes: 0, maxBytes: 1 << 20,
                wantsRegion: false, waiter: nil, replyLoop: shard.loop
            ) { continuation.resume(returning: $0) }
        }
        let item = AcknowledgeItem(
            slot: 0, key: key, batches: parts[0].acquired.map { .init(first: $0.first, last: $0.last, kinds: [.reject]) })
        let results = await withCheckedContinuation { continuation in
            shard.acknowledge([item], member: "m", replyLoop: shard.loop) { continuation.resume(returning: $0) }
        }
        #expect(results[0].error == nil)
    }

    @Test func aWrittenMessageGoesByItsHeader() async throws {
        let queues = try await bed()
        try await write(queues, "a", priority: nil)
        try await write(queues, "b", priority: "3")
        #expect(try await ready(queues, "jobs") == [1, 0, 0, 1])
        await #expect(throws: ControlError(.invalid, "x-priority is 0 to 3 in jobs")) { try await write(queues, "c", priority: "4") }
        await queues.broker.close()
    }

    @Test func deadLettersComeBackWithTheirPriority() async throws {
        let queues = try await bed()
        for priority in ["1", "3", "3"] { try await write(queues, "p" + priority, priority: priority) }
        for partition: Int32 in [1, 3] { try await reject(queues, "jobs", partition: partition) }
        #expect(try await eventually { (try? await ready(queues, "jobs.dlq")) == [3] })
        try await queues.perform(.redrive(Redrive(queue: "jobs.dlq")))
        #expect(try await eventually { try await ready(queues, "jobs") == [0, 1, 0, 2] })

        // To another queue they go with it too, as far as that has so many; what never had one gets the lowest.
        for partition: Int32 in [1, 3] { try await reject(queues, "jobs", partition: partition) }
        #expect(try await eventually { (try? await ready(queues, "jobs.dlq")) == [3] })
        try await queues.publish("jobs.dlq", ["stray"])
        try await queues.declare("few", ["queue.priorities": "3"])
        var redrive = Redrive(queue: "jobs.dlq")
        redrive.target = "few"
        try await queues.perform(.redrive(redrive))
        #expect(try await eventually { try await ready(queues, "few") == [1, 1, 2] })
        await queues.broker.close()
    }

    @Test func aQueueGetsThePartitionsThatItsPrioritiesTake() async throws {
        let queues = try await bed()
        #expect(queues.broker.catalog.current["jobs"]?.partitions == 4)
        try await queues.declare("plain")
        try await queues.publish("plain", ["old"])
        try await queues.declare("plain", ["queue.priorities": "2"])
        #expect(try await ready(queues, "plain") == [1, 0])
        let problem = ControlError(.invalid, "queue.priorities=3 takes 3 partitions, one for each priority, not 4")
        await #expect(throws: problem) { try await queues.declare("jobs", ["queue.priorities": "3", "partitions": "4"]) }
        await #expect(throws: ControlError.self) { try await queues.declare("jobs", ["queue.priorities": "3"]) }
        #expect(queues.broker.catalog.current["jobs"]?.config.priorities == 4)
        // Without priorities it stays a queue of four partitions.
        try await queues.declare("jobs", ["queue.priorities": ""])
        #expect(queues.broker.catalog.current["jobs"]?.partitions == 4)
        await queues.broker.close()
    }
}
