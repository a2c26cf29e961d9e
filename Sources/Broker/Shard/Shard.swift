import Collections
import Logging
import Model
import NIOCore
import Storage
import Synchronization

/// The owner of some partitions and their fact streams, on one event loop. All state is touched on that loop only, which is what
/// `@unchecked Sendable` rests on; other threads go through ``run(_:)``.
public final class Shard: @unchecked Sendable {
    public let id: ShardID
    public let loop: any EventLoop
    public let epoch: Epoch
    let log: any Log
    let store: any Store
    let clock: any Clock
    let options: BrokerOptions
    let logger: Logger

    var partitions: [PartitionID: Partition] = [:]
    /// Partitions that statistics have to look at.
    let changes = ChangedPartitions()
    var commit = GroupCommit()
    /// What waits for the fate of its first copy, in order.
    var resent: Deque<ResentBatch> = []
    /// The groups whose names hash here; there once the broker has started.
    var coordinator: GroupCoordinator?
    /// Carries dead letters and redriven messages to other partitions; there once the broker has started.
    var mover: Mover?
    /// Counts for jobs what became of the copies they sent here.
    let settlements = SettlementWatch()
    /// The queue cursors of this shard's partitions; there once the broker has started.
    var cursors: CursorHost?
    /// What all shards know of each other's space; there once the broker has started.
    var space: SpaceLedger?
    /// Delayed messages for this shard's partitions; there once the broker has started.
    var delays: DelayHost?
    /// Next sequence number of each fact stream.
    var factEnds: [FactStream: Offset] = [:]
    /// Why nothing can be written until a restart; nil while all is well.
    var broken: LogError? {
        didSet { if let broken, oldValue == nil { whenBroken?(broken) } }
    }
    var whenBroken: ((LogError) -> Void)?
    /// A write has found the disk full.
    var whenFull: (() -> Void)?
    /// Why publishers of the whole broker are held; nil: they are not.
    var publishHold: Hold?
    /// What was refused meanwhile of producers that are new.
    var heldFirsts: HeldFirsts
    /// What is known of the broker as a whole; there once the broker has started.
    var health: BrokerHealth?
    /// Written since the last sync, for `flush=interval`.
    var isDirty = false
    /// Appended since the last producer snapshot.
    var bytesSinceSnapshot = 0
    var snapshotRunning = false
    var times: TimesPace
    var closing: (() -> Void)?

    /// Bytes that wait for a frame, readable from any thread: doors stop reading above their limit.
    let pendingBytes = Atomic<Int>(0)

    init(
        id: ShardID, loop: any EventLoop, epoch: Epoch, log: any Log, store: any Store, clock: any Clock, options: BrokerOptions,
        logger: Logger
    ) {
        self.id = id
        self.loop = loop
        self.epoch = epoch
        self.log = log
        self.store = store
        self.clock = clock
        self.options = options
        self.logger = logger
        times = TimesPace(limits: options.limits)
        heldFirsts = HeldFirsts(limits: options.limits)
    }

    /// Runs `body` on the shard's loop: at once when already there.
    @inlinable
    public func run(_ body: @escaping @Sendable () -> Void) {
        if loop.inEventLoop { body() } else { loop.execute(body) }
    }

    /// Answers `body` from the shard's loop; for administrative calls.
    public func ask<Result: Sendable>(_ body: @escaping @Sendable (Shard) -> Result) async -> Result {
        await withCheckedContinuation { continuation in
            run { continuation.resume(returning: body(self)) }
        }
    }

    /// Takes a partition over. `extent` is what the log holds of it, `times` what is known of when its records were appended.
    func adopt(
        _ id: PartitionID, topic: Topic, extent: StreamExtent, start: Offset?, memory: ProducerMemory, times: AppendTimes? = nil
    ) {
        loop.preconditionInEventLoop()
        let partition = Partition(
            id: id, topic: topic, extent: extent, start: start, memory: memory,
            times: times ?? AppendTimes(limit: options.limits.appendTimes), changes: changes)
        partitions[id] = partition
        if partition.config.units != StreamUnits() { log.setUnits(partition.config.units, of: partition.stream, shard: self.id) }
        cursors?.configured(partition)
    }

    /// Forgets a partition: those who wait for it are woken and find it gone.
    func release(_ id: PartitionID) {
        loop.preconditionInEventLoop()
        guard let partition = partitions.removeValue(forKey: id) else { return }
        changes.note(gone: id)
        partition.wakeAll()
        cursors?.release(partition)
        delays?.forget(id)
        settlements.gone(id)
        var answers: [(ProduceTicket?, ProduceResult)] = partition.held.map {
            ($0.ticket, ProduceResult(slot: $0.item.slot, error: .unknownPartition))
        }
        for case .partition(_, let ticket, let slot, _) in commit.withdraw(partition.stream).map(\.owner) {
            answers.append((ticket, ProduceResult(slot: slot, error: .unknownPartition)))
        }
        finish(answers)
        tellLoaded(partition, .unknownStream)
        log.drop(partition.stream) { [logger] result in
            if case .failure(let error) = result, error != .unknownStream {
                logger.error("could not remove \(StreamID.partition(id)): \(error); it is removed at the next start")
            }
        }
    }
}
