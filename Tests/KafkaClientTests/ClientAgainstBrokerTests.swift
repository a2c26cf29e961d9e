import KafkaWire
import Model
import NIOCore
import Synchronization
import Testing

@testable import KafkaClient

/// The client against this package's own broker, over sockets.
@Suite(.serialized, .timeLimit(.minutes(2))) struct ClientAgainstBrokerTests {
    private func records(_ range: Range<Int>, key: ((Int) -> String)? = nil) -> [OutgoingRecord] {
        range.map { index in OutgoingRecord(key: key.map { ByteBuffer(string: $0(index)) }, value: ByteBuffer(string: "\(index)")) }
    }

    /// Reads until `count` values have come.
    private func read(_ consumer: Consumer, count: Int) async throws -> [(TopicPartition, Record)] {
        var result: [(TopicPartition, Record)] = []
        for _ in 0..<200 where result.count < count {
            for batch in try await consumer.poll(waitMs: 200) {
                for record in try batch.records() { result.append((batch.source, record)) }
            }
        }
        return result
    }

    private func text(_ record: Record) -> String { record.value.map { String(buffer: $0) } ?? "null" }

    @Test(arguments: ProducerOptions.Acks.allCases)
    func `what is produced is consumed in order`(acks: ProducerOptions.Acks) async throws {
        try await TestBroker.with { broker in
            let client = broker.client()
            var options = ProducerOptions()
            options.acks = acks
            options.batchBytes = 400
            let producer = try await Producer(client: client, options: options)
            for start in stride(from: 0, to: 500, by: 50) { try await producer.send(records(start..<start + 50), topic: "orders") }
            try await producer.flush()
            let consumer = await Consumer(client: client)
            let place = TopicPartition(topic: "orders", partition: 0)
            await consumer.assign([place: .earliest])
            let got = try await read(consumer, count: 500)
            #expect(got.map { text($0.1) } == (0..<500).map(String.init))
            #expect(got.map(\.1.offset) == (0..<500).map { Offset(Int64($0)) })
            #expect(await consumer.delivered[place] == Offset(500))
            #expect(await consumer.lag == 0)
            await consumer.close()
            await client.close()
        }
    }

    @Test func `deliveries name batches and offsets`() async throws {
        try await TestBroker.with { broker in
            let client = broker.client()
            let deliveries = Mutex<[Delivery]>([])
            let producer = try await Producer(client: client) { delivery in deliveries.withLock { $0.append(delivery) } }
            try await producer.send(records(0..<3), topic: "orders")
            try await producer.flush()
            try await producer.send(records(3..<5), topic: "orders")
            try await producer.flush()
            let all = deliveries.withLock { $0 }
            #expect(all.map(\.records) == [3, 2])
            #expect(all.map(\.baseOffset) == [Offset(0), Offset(3)])
            #expect(all.allSatisfy { $0.error == nil && $0.finished >= $0.started })
            await client.close()
        }
    }

    @Test func `records with one key stay in one partition, in order`() async throws {
        try await TestBroker.with { broker in
            let client = broker.client()
            try await client.createTopic("orders", partitions: 4)
            let producer = try await Producer(client: client)
            try await producer.send(records(0..<200) { "k\($0 % 5)" }, topic: "orders")
            try await producer.flush()
            let consumer = await Consumer(client: client)
            await consumer.assign(
                Dictionary(uniqueKeysWithValues: (0..<4).map { (TopicPartition(topic: "orders", partition: $0), .earliest) }))
            let got = try await read(consumer, count: 200)
            #expect(got.count == 200)
            for (place, record) in got {
                #expect(place.partition == Partitioner.partition(key: try #require(record.key), count: 4))
            }
            for key in 0..<5 {
                let values = got.compactMap { Int(text($0.1)) }.filter { $0 % 5 == key }
                #expect(values == values.sorted(), "key \(key)")
            }
            await client.close()
        }
    }

    /// The door is shut twice in the middle: with idempotence nothing is lost and nothing is there twice.
    @Test func `an idempotent producer outlives broken connections`() async throws {
        try await TestBroker.with { broker in
            let client = broker.client()
            var options = ProducerOptions()
            options.idempotent = true
            options.batchBytes = 300
            options.lingerMs = 0
            let producer = try await Producer(client: client, options: options)
            try await producer.send(records(0..<10), topic: "orders")
            let sending = Task {
                for start in stride(from: 10, to: 3_000, by: 10) {
                    try await producer.send(records(start..<start + 10), topic: "orders")
                    if start % 100 == 0 { try await Task.sleep(for: .milliseconds(10)) }
                }
                try await producer.flush()
            }
            try await Task.sleep(for: .milliseconds(60))
            try await broker.reopenDoor(afterMs: 50)
            try await Task.sleep(for: .milliseconds(60))
            try await broker.reopenDoor(afterMs: 10)
            try await sending.value
            let consumer = await Consumer(client: client)
            await consumer.assign([TopicPartition(topic: "orders", partition: 0): .earliest])
            let got = try await read(consumer, count: 3_000)
            #expect(got.map { text($0.1) } == (0..<3_000).map(String.init))
            await client.close()
        }
    }

    /// Publishers are held twice in the middle: batches on their way are refused together, tried again, and land in order.
    @Test func `an idempotent producer outlives held publishers`() async throws {
        try await TestBroker.with { broker in
            let client = broker.client()
            var options = ProducerOptions()
            options.idempotent = true
            options.batchBytes = 300
            options.lingerMs = 0
            let producer = try await Producer(client: client, options: options)
            try await producer.send(records(0..<10), topic: "orders")
            let sending = Task {
                for start in stride(from: 10, to: 2_000, by: 10) {
                    try await producer.send(records(start..<start + 10), topic: "orders")
                    if start % 100 == 0 { try await Task.sleep(for: .milliseconds(10)) }
                }
                try await producer.flush()
            }
            for _ in 0..<2 {
                try await Task.sleep(for: .milliseconds(60))
                await broker.setShort(true)
                try await Task.sleep(for: .milliseconds(1_200))
                await broker.setShort(false)
            }
            try await sending.value
            #expect(broker.refusedRecords > 0)
            let consumer = await Consumer(client: client)
            await consumer.assign([TopicPartition(topic: "orders", partition: 0): .earliest])
            let got = try await read(consumer, count: 2_000)
            #expect(got.map { text($0.1) } == (0..<2_000).map(String.init))
            await client.close()
        }
    }

    @Test func `a consumer outlives a broken connection`() async throws {
        try await TestBroker.with { broker in
            let client = broker.client()
            let producer = try await Producer(client: client)
            try await producer.send(records(0..<10), topic: "orders")
            try await producer.flush()
            let consumer = await Consumer(client: client)
            await consumer.assign([TopicPartition(topic: "orders", partition: 0): .earliest])
            #expect(try await read(consumer, count: 10).count == 10)
            try await broker.reopenDoor(afterMs: 20)
            try await producer.send(records(10..<20), topic: "orders")
            try await producer.flush()
            #expect(try await read(consumer, count: 10).map { text($0.1) } == (10..<20).map(String.init))
            await client.close()
        }
    }

    @Test func `reading begins at an offset, a time, or the end`() async throws {
        try await TestBroker.with { broker in
            let client = broker.client()
            let producer = try await Producer(client: client)
            let timed = (0..<10).map { OutgoingRecord(value: ByteBuffer(string: "\($0)"), timestamp: Timestamp(ms: Int64($0) * 1_000)) }
            for record in timed {
                try await producer.send([record], topic: "orders")
                try await producer.flush()
            }
            let place = TopicPartition(topic: "orders", partition: 0)
            for (start, first) in [(.offset(Offset(4)), "4"), (.time(Timestamp(ms: 6_500)), "7")] as [(StartPosition, String)] {
                let consumer = await Consumer(client: client)
                await consumer.assign([place: start])
                #expect(try await read(consumer, count: 1).first.map { text($0.1) } == first)
                await consumer.close()
            }
            #expect(try await client.offsets([place: .latest]) == [place: Offset(10)])
            #expect(try await client.offsets([place: .time(Timestamp(ms: 99_000))]) == [place: Offset(10)])
            await client.close()
        }
    }

    @Test func `an offset that is not there is reset as asked`() async throws {
        try await TestBroker.with { broker in
            let client = broker.client()
            let producer = try await Producer(client: client)
            try await producer.send(records(0..<3), topic: "orders")
            try await producer.flush()
            let place = TopicPartition(topic: "orders", partition: 0)
            var options = ConsumerOptions()
            options.reset = .earliest
            let consumer = await Consumer(client: client, options: options)
            await consumer.assign([place: .offset(Offset(1_000))])
            #expect(try await read(consumer, count: 3).map { text($0.1) } == ["0", "1", "2"])
            options.reset = nil
            let strict = await Consumer(client: client, options: options)
            await strict.assign([place: .offset(Offset(1_000))])
            await #expect(throws: ClientError.self) { try await strict.poll(waitMs: 2_000) }
            await client.close()
        }
    }

    /// The new topic is shorter than where the reader was: it begins anew, and its old place is forgotten.
    @Test func `a topic that was deleted and made again is read from its beginning`() async throws {
        try await TestBroker.with { broker in
            let client = broker.client()
            let producer = try await Producer(client: client)
            try await producer.send(records(0..<100), topic: "orders")
            try await producer.flush()
            let place = TopicPartition(topic: "orders", partition: 0)
            var options = ConsumerOptions()
            options.reset = .earliest
            let consumer = await Consumer(client: client, options: options)
            await consumer.assign([place: .earliest])
            #expect(try await read(consumer, count: 100).count == 100)
            try await client.deleteTopic("orders")
            _ = try await consumer.poll(waitMs: 300)
            let second = try await Producer(client: client)
            try await second.send(records(500..<510), topic: "orders")
            try await second.flush()
            #expect(try await read(consumer, count: 10).map { text($0.1) } == (500..<510).map(String.init))
            #expect(await consumer.delivered == [place: Offset(10)])
            await client.close()
        }
    }

    @Test func `topics are created once and deleted`() async throws {
        try await TestBroker.with { broker in
            let client = broker.client()
            try await client.createTopic("orders", partitions: 3, configs: ["retention.ms": "60000"])
            #expect(try await client.topic("orders").partitions.map(\.index) == [0, 1, 2])
            let again = await #expect(throws: ClientError.self) { try await client.createTopic("orders") }
            #expect(again?.description.contains("topicAlreadyExists") == true)
            try await client.deleteTopic("orders")
            let gone = await #expect(throws: ClientError.self) { try await client.topic("orders") }
            #expect(gone?.description == "topic 'orders': unknownTopicOrPartition")
            await client.close()
        }
    }
}
