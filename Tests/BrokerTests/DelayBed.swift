import Logging
import Model
import NIOCore
import NIOPosix
import Queues
import Storage
import Synchronization

@testable import Broker

/// A broker on a simulated disk, with one shard and topics that delay. It can be killed at any change of the disk and started again.
final class DelayBed {
    private(set) var disk: FaultyFileSystem
    private(set) var broker: Broker!
    private var engine: FileEngine!
    let limits: Limits
    private let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    init(limits: Limits = Limits(), seed: UInt64 = 1) async throws {
        self.limits = limits
        disk = FaultyFileSystem(seed: seed)
        try await open()
    }

    private func open() async throws {
        let clock = GroupBroker.RealClock()
        var options = FileEngineOptions()
        options.segmentBytes = 1 << 16
        options.delaySegmentBytes = 1 << 14
        options.checkpointsInBackground = false
        options.checkpointMs = nil
        engine = try FileEngine(fileSystem: disk, root: "/data", shards: 1, options: options, logger: quiet)
        let store = try FileStore(fileSystem: disk, root: "/data/store", clock: clock, logger: quiet)
        var brokerOptions = BrokerOptions()
        brokerOptions.limits = limits
        let state = Mutex<UInt64>(clock.monotonic.ns)
        let parts = BrokerParts(
            options: brokerOptions, log: engine, store: store, clock: clock, logger: quiet,
            random: {
                state.withLock {
                    $0 = $0 &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                    return $0
                }
            }, events: EventRing(limit: 10))
        broker = try await Broker.start(parts, shardCount: 1, loops: [MultiThreadedEventLoopGroup.singleton.next()])
    }

    var shard: Shard { broker.shards[0] }

    func topic(_ name: String, _ settings: [String: String]) async throws -> PartitionID {
        try await broker.createTopic(name, partitions: 1, config: try TopicConfig.parse(settings)).partitionIDs[0]
    }

    /// Stops the machine at the disk's n-th change from now.
    func kill(in points: Int) { disk.faults.killAt = disk.points + points }

    /// Starts again with what a killed process or a power failure leaves.
    func restart(_ loss: FaultyFileSystem.Loss) async throws {
        for shard in broker.shards { _ = await shard.ask { $0.delays?.isStopped = true } }
        let old = (broker, engine)
        disk = disk.restarted(loss)
        try await open()
        // Its threads end when the last reference goes; it can't write any more.
        _ = old
    }

    struct Sent {
        var value: String
        var headers: [(String, String)] = []
    }

    /// One batch, durable; the producer's identity with its first sequence makes it idempotent.
    @discardableResult
    func publish(_ id: PartitionID, _ records: [Sent], producer: (id: Int64, sequence: Int32)? = nil) async throws -> ProduceResult {
        var builder = RecordBatchBuilder(
            producerID: producer.map { ProducerID($0.id) } ?? .none, producerEpoch: producer == nil ? -1 : 0,
            baseSequence: producer?.sequence ?? -1)
        for record in records {
            builder.append(
                timestamp: Timestamp(ms: 1_600_000_000_000), key: ByteBuffer(string: "key"), value: ByteBuffer(string: record.value),
                headers: record.headers.map { .init(name: $0.0, value: ByteBuffer(string: $0.1)) })
        }
        let batch = builder.finish()
        let shard = broker.shard(of: id)
        let header = try RecordBatchHeader.parse(batch)
        return await withCheckedContinuation { continuation in
            shard.produce([ProduceItem(slot: 0, partition: id, header: header, batch: batch)], wants: .durable, replyLoop: shard.loop) {
                continuation.resume(returning: $0[0])
            }
        }
    }

    /// Everything in a partition's log, in order.
    func records(_ id: PartitionID) async throws -> [Record] {
        let end = await shard.ask { $0.partitions[id]?.highWatermark ?? .zero }
        var all: [Record] = []
        try await DelayReader(log: broker.log, shard: ShardID(0)).batches(.partition(id), from: .zero, to: end) { header, batch in
            var body = batch
            body.moveReaderIndex(forwardBy: RecordBatchHeader.size)
            all += try Record.readAll(header: header, records: body)
        }
        return all
    }

    func values(_ id: PartitionID) async throws -> [String] { try await records(id).map { String(buffer: $0.value!) } }

    func waiting() async -> Int64 {
        var sum: Int64 = 0
        for shard in broker.shards { sum += await shard.ask { $0.delays?.store.counts.total ?? 0 } }
        return sum
    }

    func close() async { await broker.close() }
}
