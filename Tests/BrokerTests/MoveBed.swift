import Control
import Logging
import Model
import NIOCore
import NIOPosix
import Queues
import Storage
import Synchronization

@testable import Broker

/// A broker with queues, for tests of what moves between them. Engine and store may outlive it.
final class MoveBed: Sendable {
    let broker: Broker

    private init(_ broker: Broker) { self.broker = broker }

    static func start(log: any Log = MemoryEngine(), store: any Store, shards: Int = 2, limits: Limits? = nil) async throws -> MoveBed {
        var options = BrokerOptions()
        if let limits { options.limits = limits }
        let clock = GroupBroker.RealClock()
        let group = MultiThreadedEventLoopGroup.singleton
        let state = Mutex<UInt64>(UInt64(clock.monotonic.ns))
        let parts = BrokerParts(
            options: options, log: log, store: store, clock: clock, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            random: {
                state.withLock {
                    $0 = $0 &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                    return $0
                }
            }, events: EventRing(limit: 100))
        return MoveBed(try await Broker.start(parts, shardCount: shards, loops: (0..<shards).map { _ in group.next() }))
    }

    static func memoryStore() -> MemoryStore { MemoryStore(clock: GroupBroker.RealClock()) }

    @discardableResult
    func perform(_ command: QueueCommand) async throws -> CommandOutcome { try await broker.perform(command, actor: "test") }

    @discardableResult
    func declare(_ queue: String, _ settings: [String: String] = [:]) async throws -> PartitionID {
        try await perform(.declare(queue: queue, settings: settings))
        return try broker.queue(queue).topic.partitionIDs[0]
    }

    /// Publishes one batch and returns when it is durable.
    func publish(_ queue: String, _ values: [String], headers: [(String, String)] = []) async throws {
        let id = try broker.queue(queue).topic.partitionIDs[0]
        var builder = RecordBatchBuilder()
        for value in values {
            builder.append(
                timestamp: Timestamp(ms: 1_600_000_000_000), value: ByteBuffer(string: value),
                headers: headers.map { .init(name: $0.0, value: ByteBuffer(string: $0.1)) })
        }
        let batch = builder.finish()
        let shard = broker.shard(of: id)
        let header = try RecordBatchHeader.parse(batch)
        let results = await withCheckedContinuation { continuation in
            shard.produce([ProduceItem(slot: 0, partition: id, header: header, batch: batch)], wants: .durable, replyLoop: shard.loop) {
                continuation.resume(returning: $0)
            }
        }
        if let error = results[0].error { throw error }
    }

    /// Takes up to `count` messages of a queue; their offsets.
    func acquire(_ queue: String, _ count: Int) async throws -> [AcquiredRange] {
        let queue = try broker.queue(queue)
        let key = queue.keys[0]
        let shard = broker.shard(of: key.partition)
        let parts = await withCheckedContinuation { continuation in
            shard.acquire(
                [AcquireItem(slot: 0, key: key, maxBytes: 1 << 20)], member: "m", maxRecords: count, minBytes: 0, maxBytes: 1 << 20,
                wantsRegion: false, waiter: nil, replyLoop: shard.loop
            ) { continuation.resume(returning: $0) }
        }
        return parts[0].acquired
    }

    /// Answers messages; does not wait for the answer to be taken when the log is dead.
    func answer(_ queue: String, _ ranges: [AcquiredRange], _ kind: AcknowledgeItem.Kind, isWaiting: Bool = true) async throws {
        let key = try broker.queue(queue).keys[0]
        let shard = broker.shard(of: key.partition)
        let item = AcknowledgeItem(slot: 0, key: key, batches: ranges.map { .init(first: $0.first, last: $0.last, kinds: [kind]) })
        guard isWaiting else { return shard.acknowledge([item], member: "m", replyLoop: shard.loop) { _ in } }
        let results = await withCheckedContinuation { continuation in
            shard.acknowledge([item], member: "m", replyLoop: shard.loop) { continuation.resume(returning: $0) }
        }
        if let error = results[0].error { throw error }
    }

    /// Values of the messages of a queue that are not settled, in order; empty without the queue.
    func open(_ queue: String) async throws -> [String] { try await records(queue).map { String(buffer: $0.value ?? ByteBuffer()) } }

    func records(_ queue: String) async throws -> [Record] {
        guard let queue = try? broker.queue(queue) else { return [] }
        let broker = broker
        var records: [Record] = []
        for key in queue.keys {
            let ranges = await broker.shard(of: key.partition).ask { shard -> [Range<Offset>] in
                guard let partition = shard.partitions[key.partition] else { return [] }
                return shard.mover?.source?.open(key, in: partition.start..<partition.highWatermark, limit: 10_000) ?? []
            }
            _ = try await StreamReader(log: broker.log).read(.partition(key.partition), ranges: ranges) { records.append($0) }
        }
        return records
    }

    func counts(_ queue: String) async throws -> CursorCounts? { await broker.counts(of: try broker.queue(queue).keys[0]) }

    func job(_ id: Int64?) throws -> JobRow? { try broker.jobPage(ListQuery()).rows.first { $0.id == id } }
}

/// Waits until `condition` holds, at most ten seconds.
func eventually(_ condition: () async throws -> Bool) async throws -> Bool {
    for _ in 0..<1_000 {
        if try await condition() { return true }
        try await Task.sleep(for: .milliseconds(10))
    }
    return false
}

/// An engine's log as one process sees it: from a given frame on the process is dead, and nothing it does reaches the engine.
final class MortalLog: Log {
    private struct State {
        var left: Int?
        var isDead = false
        /// Answers that a dead process waits for; kept so that nobody complains of their loss.
        var unanswered: [any Sendable] = []
    }
    private let engine: any Log
    private let state = Mutex(State())

    init(_ engine: any Log) { self.engine = engine }

    /// Lets `frames` more frames through.
    func kill(afterFrames frames: Int) { state.withLock { $0.left = frames } }
    var isDead: Bool { state.withLock { $0.isDead } }
    func kill() { state.withLock { $0.isDead = true } }

    var limits: LogLimits { engine.limits }

    func acquire(_ shard: ShardID, epoch: Epoch, done: @escaping @Sendable (Result<[StreamID: StreamExtent], LogError>) -> Void) {
        engine.acquire(shard, epoch: epoch, done: done)
    }

    func commit(_ frame: Frame, shard: ShardID, progress: @escaping @Sendable (Result<CommitStage, LogError>) -> Void) {
        let passes = state.withLock { state in
            if state.left == 0 { state.isDead = true }
            if let left = state.left, left > 0 { state.left = left - 1 }
            return !state.isDead
        }
        guard passes else { return }
        engine.commit(frame, shard: shard) { result in
            if !self.isDead { progress(result) }
        }
    }

    func resolve(_ frame: FrameID, shard: ShardID, done: @escaping @Sendable (Result<FrameFate, LogError>) -> Void) {
        if !isDead { engine.resolve(frame, shard: shard, done: done) }
    }

    func sync(_ shard: ShardID, done: @escaping @Sendable (Result<Void, LogError>) -> Void) {
        guard isDead else { return engine.sync(shard, done: done) }
        state.withLock { $0.unanswered.append(done) }
    }

    func locate(
        _ stream: StreamID, _ target: LocateTarget, later: @escaping @Sendable (Result<Located, LogError>) -> Void
    ) -> Result<Located, LogError>? {
        guard isDead else { return engine.locate(stream, target, later: later) }
        state.withLock { $0.unanswered.append(later) }
        return nil
    }

    func read(
        _ stream: StreamID, at position: Position, maxBytes: Int, wantsRegion: Bool,
        later: @escaping @Sendable (Result<LogSlice, LogError>) -> Void
    ) -> Result<LogSlice, LogError>? {
        guard isDead else {
            return engine.read(stream, at: position, maxBytes: maxBytes, wantsRegion: wantsRegion, later: later)
        }
        state.withLock { $0.unanswered.append(later) }
        return nil
    }

    func trim(_ stream: StreamID, before: Offset, done: @escaping @Sendable (Result<StreamExtent, LogError>) -> Void) {
        if !isDead { engine.trim(stream, before: before, done: done) }
    }

    func retain(_ stream: StreamID, _ retention: Retention, done: @escaping @Sendable (Result<StreamExtent, LogError>) -> Void) {
        if !isDead { engine.retain(stream, retention, done: done) }
    }

    func free(_ stream: StreamID, _ ranges: OffsetRanges, done: @escaping @Sendable (Result<StreamExtent, LogError>) -> Void) {
        if !isDead { engine.free(stream, ranges, done: done) }
    }

    func setUnits(_ units: StreamUnits, of stream: StreamID, shard: ShardID) { engine.setUnits(units, of: stream, shard: shard) }

    func drop(_ stream: StreamID, done: @escaping @Sendable (Result<Void, LogError>) -> Void) {
        if !isDead { engine.drop(stream, done: done) }
    }

    /// The engine stays: the next process takes it over.
    func close(done: @escaping @Sendable () -> Void) {
        state.withLock { $0.isDead = true }
        done()
    }
}
