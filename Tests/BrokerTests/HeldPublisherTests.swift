import Control
import Model
import NIOCore
import Queues
import Storage
import Testing

@testable import Broker

/// Publishers of the whole broker are held while the disk is short, and everything that makes room goes on.
@Suite(.timeLimit(.minutes(1))) struct HeldPublisherTests {
    private static let settings = ["segment.bytes": "1048576", "retention.settled.ms": "86400000"]
    private static let mebibyte: Int64 = 1 << 20

    private func bed(_ fileSystem: FaultyFileSystem) async throws -> GroupBroker {
        var engine = FileEngineOptions()
        engine.rewriteBytes = 64 << 10
        var options = BrokerOptions()
        options.diskFreeLow = .bytes(4 * Self.mebibyte)
        options.limits.heldAnswerMs = 50
        return try await GroupBroker.start(
            log: try FileEngine(fileSystem: fileSystem, root: "/data", shards: 2, options: engine), options: options)
    }

    private func reading(_ fileSystem: FaultyFileSystem) throws -> ResourceReading {
        let space = try fileSystem.space("/data")
        return ResourceReading(diskFreeBytes: space.freeBytes, diskTotalBytes: space.totalBytes)
    }

    /// Lets so much be free.
    private func leave(_ free: Int64, on fileSystem: FaultyFileSystem) throws {
        var faults = fileSystem.faults
        let space = try fileSystem.space("/data")
        faults.capacityBytes = Int(space.totalBytes - space.freeBytes + free)
        fileSystem.faults = faults
    }

    private func fill(_ bed: GroupBroker, _ key: ShareKey, batches: Int) async throws {
        let text = String(repeating: "x", count: 10_000)
        for batch in 0..<batches { #expect(try await bed.publish(key, (0..<10).map { "\(batch * 10 + $0) \(text)" }).error == nil) }
    }

    @Test func `fill, hold, reclaim, resume`() async throws {
        let fileSystem = FaultyFileSystem()
        let bed = try await bed(fileSystem)
        let key = try await bed.queue("orders", Self.settings)
        try await fill(bed, key, batches: 60)
        try leave(3 * Self.mebibyte, on: fileSystem)
        await bed.broker.obey(try reading(fileSystem))
        let view = BrokerView(broker: bed.broker)
        var broker = try await view.snapshot(SnapshotQuery()).broker
        #expect(broker.publishHold?.cause == "disk" && broker.diskLowBytes == 4 * Self.mebibyte && broker.problems.count == 1)
        #expect(try await view.snapshot(SnapshotQuery()).attention.first?.severity == .crit)

        // Every way in is closed, and says so late.
        let start = ContinuousClock.now
        let refused = try await bed.publish(key, ["one more", "and one"])
        guard case .held(let text) = refused.error else { throw refused.error ?? PartitionError.unknownPartition }
        #expect(text.contains("publishers are held") && refused.throttleMs == 50 && ContinuousClock.now - start >= .milliseconds(50))
        let topic = try await bed.topic("plain")
        #expect(try await bed.publish(ShareKey(group: "g", partition: topic), ["x"]).error?.isAdmission == true)
        let write = QueueCommand.write(queue: "orders", key: nil, value: "x", headers: [], delayMs: nil)
        let error = await #expect(throws: ControlError.self) { try await view.perform(.queue(write)) }
        #expect(error?.code == .conflict && error?.message.contains("publishers are held") == true)
        let shown = try await view.snapshot(SnapshotQuery())
        #expect(shown.broker.heldPublishes == 4)
        #expect(shown.attention.first?.text.hasPrefix("held: 3.1MB free, mark 4.1MB  4 refused") == true, "\(shown.attention)")

        // Deliveries and acknowledgements go on, and so do operators.
        while let range = await bed.acquire(key, 1_000, maxBytes: 4 << 20).acquired.first {
            #expect(await bed.answer(key, .accept, range.first.value...range.last.value) == nil)
        }
        #expect(await bed.counts(key)?.accepted == 600)
        _ = try await bed.queue("another")

        // What is settled is given back, a day before its time, and publishers go on.
        #expect(
            try await bed.until {
                await bed.broker.obey((try? reading(fileSystem)) ?? ResourceReading())
                return bed.broker.health.hold == nil
            })
        #expect(try reading(fileSystem).diskFreeBytes ?? 0 >= 4 * Self.mebibyte)
        #expect(try await bed.publish(key, ["again"]).error == nil)
        broker = try await view.snapshot(SnapshotQuery()).broker
        #expect(broker.publishHold == nil && broker.problems.isEmpty)
        let told = bed.broker.events.last(100).map(\.text)
        #expect(told.count { $0.contains("publishers are held until") } == 1 && told.last?.hasPrefix("publishers go on") == true)
        await bed.broker.close()
    }

    /// The sequence of an idempotent producer is not used up, and what it has sent already is still answered.
    @Test func `a held batch can be sent again`() async throws {
        let fileSystem = FaultyFileSystem()
        let bed = try await bed(fileSystem)
        let topic = try await bed.topic("plain")
        func batch(_ sequence: Int32) -> ByteBuffer {
            var builder = RecordBatchBuilder()
            builder.producerID = ProducerID(7)
            builder.producerEpoch = 0
            builder.baseSequence = sequence
            builder.append(timestamp: Timestamp(ms: 1), value: ByteBuffer(string: "v\(sequence)"))
            return builder.finish()
        }
        #expect(try await bed.produce(topic, batch(0)).error == nil)
        try leave(Self.mebibyte, on: fileSystem)
        await bed.broker.obey(try reading(fileSystem))
        #expect(try await bed.produce(topic, batch(0)).baseOffset == .zero)
        #expect(try await bed.produce(topic, batch(1)).error?.isAdmission == true)
        try leave(9 * Self.mebibyte, on: fileSystem)
        await bed.broker.obey(try reading(fileSystem))
        let again = try await bed.produce(topic, batch(1))
        #expect(again.error == nil && again.baseOffset == Offset(1))
        await bed.broker.close()
    }

    /// A producer nobody remembers may begin at any sequence; one whose beginning was refused may not.
    @Test func `a new producer's first batch stays the first`() async throws {
        let fileSystem = FaultyFileSystem()
        let bed = try await bed(fileSystem)
        let topic = try await bed.topic("plain")
        func batch(_ sequence: Int32, epoch: Int16 = 0, producer: Int64 = 7) -> ByteBuffer {
            var builder = RecordBatchBuilder()
            builder.producerID = ProducerID(producer)
            builder.producerEpoch = epoch
            builder.baseSequence = sequence
            builder.append(timestamp: Timestamp(ms: 1), value: ByteBuffer(string: "v\(sequence)"))
            return builder.finish()
        }
        try leave(Self.mebibyte, on: fileSystem)
        await bed.broker.obey(try reading(fileSystem))
        #expect(try await bed.produce(topic, batch(0)).error?.isAdmission == true)
        #expect(try await bed.produce(topic, batch(0, producer: 8)).error?.isAdmission == true)
        try leave(9 * Self.mebibyte, on: fileSystem)
        await bed.broker.obey(try reading(fileSystem))
        #expect(try await bed.produce(topic, batch(1)).error == .outOfOrderSequence)
        #expect(try await bed.produce(topic, batch(2)).error == .outOfOrderSequence)
        #expect(try await bed.produce(topic, batch(0)).baseOffset == .zero)
        #expect(try await bed.produce(topic, batch(1)).baseOffset == Offset(1))
        #expect(try await bed.produce(topic, batch(0)).baseOffset == .zero)
        // One that gave its first batch up has begun anew; another one was never refused.
        #expect(try await bed.produce(topic, batch(0, epoch: 1, producer: 8)).baseOffset == Offset(2))
        #expect(try await bed.produce(topic, batch(5, producer: 9)).baseOffset == Offset(3))
        #expect(await bed.broker.shard(of: topic).ask { $0.heldFirsts.isEmpty })
        await bed.broker.close()
    }

    @Test func `what is remembered of refused producers is bounded`() {
        var limits = Limits()
        limits.heldFirsts = 10
        limits.heldFirstMs = 1_000
        var firsts = HeldFirsts(limits: limits)
        let partition = PartitionID(topic: TopicID(high: 1, low: 1), index: 0)
        func header(_ producer: Int64, _ sequence: Int32) throws -> RecordBatchHeader {
            var builder = RecordBatchBuilder()
            builder.producerID = ProducerID(producer)
            builder.producerEpoch = 3
            builder.baseSequence = sequence
            builder.append(timestamp: Timestamp(ms: 1), value: ByteBuffer(string: "v"))
            return try RecordBatchHeader.parse(builder.finish(), at: 0)
        }
        func isTooEarly(_ producer: Int64, _ sequence: Int32, at ms: Int64) throws -> Bool {
            firsts.isTooEarly(
                try header(producer, sequence), of: partition, isKnown: false, now: Monotonic(ns: 0).advanced(byMs: ms))
        }
        do {
            for producer in 0..<11 as Range<Int64> {
                firsts.note(try header(producer, .max), of: partition, now: Monotonic(ns: 0).advanced(byMs: producer))
            }
            // The two that were refused longest ago went.
            #expect(firsts.count == 9)
            #expect(try !isTooEarly(1, 0, at: 20) && isTooEarly(2, 0, at: 20) && isTooEarly(10, 5, at: 20))
            #expect(try !isTooEarly(10, .max, at: 20) && !isTooEarly(10, .max - 1, at: 20))
            // An earlier one was refused too.
            firsts.note(try header(10, .max - 5), of: partition, now: Monotonic(ns: 0).advanced(byMs: 30))
            #expect(try isTooEarly(10, .max, at: 40) && !isTooEarly(10, .max - 5, at: 40))
            #expect(try isTooEarly(10, 0, at: 1_029) && !isTooEarly(10, 0, at: 1_030) && firsts.count == 8)
        } catch { Issue.record(error) }
    }

    @Test func `what is kept for delayed publishes is given back when memory is short`() async throws {
        var options = BrokerOptions()
        options.memoryHigh = .bytes(1_000)
        let bed = try await GroupBroker.start(options: options)
        let config = try TopicConfig.parse(["delay.enable": "true"])
        let topic = try await bed.broker.createTopic("later", partitions: 1, config: config).partitionIDs[0]
        var builder = RecordBatchBuilder()
        for index in 0..<20 {
            builder.append(
                timestamp: Timestamp(ms: 1), value: ByteBuffer(repeating: 7, count: 20_000),
                headers: [.init(name: "x-delay", value: ByteBuffer(string: "\(3_600_000 + index)"))])
        }
        #expect(try await bed.produce(topic, builder.finish()).error == nil)
        let shard = bed.broker.shard(of: topic)
        #expect(await shard.ask { $0.delays?.pool.heldBytes ?? 0 } >= 64 << 10)
        await bed.broker.obey(ResourceReading(residentBytes: 1_001))
        #expect(await shard.ask { $0.delays?.pool.heldBytes } == 0)
        await bed.broker.close()
    }

    /// The disk filled up between two looks, or a quota did: who publishes on is held, and acknowledgements find what room is left.
    @Test func `a write that finds the disk full holds publishers`() async throws {
        let log = SharedLog(MemoryEngine())
        var options = BrokerOptions()
        options.limits.heldAnswerMs = 50
        let bed = try await GroupBroker.start(log: log, options: options) {
            ResourceReading(diskFreeBytes: 1 << 39, diskTotalBytes: 1 << 40)
        }
        let key = try await bed.queue("orders")
        try await bed.publish(key, ["a", "b"])
        #expect(await bed.got(key) == ["0-1 x1"])
        log.failNext(.full)
        #expect(try await bed.publish(key, ["c"]).error == .full)
        #expect(try await bed.until { bed.broker.health.hold != nil })
        #expect(try await bed.until { await bed.broker.shard(of: key.partition).ask { $0.publishHold != nil } })
        #expect(try await bed.publish(key, ["c"]).error?.isAdmission == true)
        #expect(await bed.answer(key, .accept, 0...1) == nil)
        await bed.broker.close()
    }

    /// A disk error closes a shard until the next start; nothing may look as if all were well.
    @Test func `a broken shard is shown`() async throws {
        let log = FailingLog()
        let bed = try await GroupBroker.start(log: log)
        let topic = try await bed.topic("plain")
        log.fail(with: .unavailable("the disk said EIO"))
        #expect(try await bed.publish(ShareKey(group: "g", partition: topic), ["x"]).error != nil)
        log.fail(with: nil)
        #expect(try await bed.publish(ShareKey(group: "g", partition: topic), ["x"]).error != nil)
        let snapshot = try await BrokerView(broker: bed.broker).snapshot(SnapshotQuery())
        let row = try #require(snapshot.broker.brokenShards.first)
        #expect(row.partitions == 1 && row.names == ["plain"] && row.error.contains("EIO"))
        let line = try #require(snapshot.attention.first)
        #expect(line.severity == .crit && line.subject == "shard \(row.shard)" && line.text.contains("restart"))
        #expect(snapshot.broker.problems.first?.contains("1 partitions of plain are out") == true)
        #expect(bed.broker.events.last(10).contains { $0.level == "error" && $0.text.contains("shard \(row.shard)") })
        await bed.broker.close()
    }
}
