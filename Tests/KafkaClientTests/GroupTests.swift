import Model
import NIOCore
import Testing

@testable import KafkaClient

/// Group membership against this package's own broker.
@Suite(.serialized, .timeLimit(.minutes(2))) struct GroupTests {
    private func fill(_ client: Client, _ range: Range<Int>) async throws {
        let producer = try await Producer(client: client)
        for index in range {
            try await producer.send(
                [OutgoingRecord(value: ByteBuffer(string: "\(index)"))], topic: "orders", partition: Int32(index % 4))
        }
        try await producer.flush()
    }

    private func options() -> ConsumerOptions {
        var options = ConsumerOptions()
        options.reset = .earliest
        options.heartbeatMs = 100
        options.maxWaitMs = 100
        return options
    }

    /// Polls both until `done`, or gives up.
    private func poll(_ consumers: [Consumer], until done: () async -> Bool) async throws -> [[String]] {
        var values = [[String]](repeating: [], count: consumers.count)
        for _ in 0..<300 {
            if await done() { break }
            for (index, consumer) in consumers.enumerated() {
                for batch in try await consumer.poll(waitMs: 50) {
                    values[index] += try batch.records().compactMap { $0.value.map { String(buffer: $0) } }
                }
            }
        }
        return values
    }

    @Test func `a group goes on where it stopped`() async throws {
        try await TestBroker.with { broker in
            let client = broker.client()
            try await client.createTopic("orders", partitions: 4)
            try await fill(client, 0..<40)
            let first = await Consumer(client: client, options: options(), group: "billing", topics: ["orders"])
            let read = try await poll([first]) { await first.lag == 0 }
            #expect(Set(read[0]) == Set((0..<40).map(String.init)))
            #expect(read[0].count == 40)
            await first.close()
            try await fill(client, 40..<48)
            let second = await Consumer(client: client, options: options(), group: "billing", topics: ["orders"])
            let rest = try await poll([second]) { await second.lag == 0 }
            #expect(Set(rest[0]) == Set((40..<48).map(String.init)))
            #expect(rest[0].count == 8)
            await second.close()
            await client.close()
        }
    }

    @Test func `two members share the partitions, and one inherits the other's`() async throws {
        try await TestBroker.with { broker in
            let client = broker.client()
            try await client.createTopic("orders", partitions: 4)
            let first = await Consumer(client: client, options: options(), group: "billing", topics: ["orders"])
            _ = try await poll([first]) { await first.assignment.count == 4 }
            #expect(await first.assignment.count == 4)
            let second = await Consumer(client: client, options: options(), group: "billing", topics: ["orders"])
            // Each in its own task: a rebalance waits until all have come back.
            let firstPolls = Task { try await poll([first]) { await first.assignment.count == 2 } }
            _ = try await poll([second]) { await second.assignment.count == 2 }
            _ = try await firstPolls.value
            let (one, two) = (await first.assignment, await second.assignment)
            #expect(one.count == 2)
            #expect(two.count == 2)
            #expect(one.isDisjoint(with: two))
            await first.close()
            _ = try await poll([second]) { await second.assignment.count == 4 }
            #expect(await second.assignment.count == 4)
            await second.close()
            await client.close()
        }
    }

    @Test func `offsets can be committed by hand`() async throws {
        try await TestBroker.with { broker in
            let client = broker.client()
            try await client.createTopic("orders", partitions: 1)
            let producer = try await Producer(client: client)
            try await producer.send((0..<10).map { OutgoingRecord(value: ByteBuffer(string: "\($0)")) }, topic: "orders")
            try await producer.flush()
            var manual = options()
            manual.autoCommitMs = nil
            let place = TopicPartition(topic: "orders", partition: 0)
            let first = await Consumer(client: client, options: manual, group: "billing", topics: ["orders"])
            _ = try await poll([first]) { await first.lag == 0 }
            try await first.commit([place: Offset(6)])
            await first.close()
            let second = await Consumer(client: client, options: manual, group: "billing", topics: ["orders"])
            #expect(try await poll([second]) { await second.lag == 0 } == [["6", "7", "8", "9"]])
            await second.close()
            await client.close()
        }
    }
}
