import Groups
import Model
import NIOCore
import Storage

/// One partition's place in memory: where its log starts and ends, who waits for it, who produces to it. All state is touched on its
/// shard's loop only, which is what `@unchecked Sendable` rests on.
///
/// ```
/// start 60            highWatermark 130        end 134
///   │ readable records        │ being written     │
/// ```
final class Partition: @unchecked Sendable {
    let id: PartitionID
    var topicName: String
    var config: TopicConfig { didSet { touch() } }
    /// Partitions of its topic, itself included.
    var siblings: Int32
    /// The first offset that may be read: raised by retention and delete-records.
    var start: Offset { didSet { touch() } }
    /// Everything below is written and may be read.
    var highWatermark: Offset { didSet { touch() } }
    /// What retention freed between start and high watermark.
    var holes: OffsetRanges {
        didSet {
            holeCount = holes.count
            touch()
        }
    }
    private(set) var holeCount: Int64
    /// The next offset to hand out.
    var end: Offset
    var bytes: Int64 { didSet { touch() } }
    var maxTimestamp: Timestamp
    /// When its records arrived, by the broker's clock.
    var times: AppendTimes
    var counters = PartitionCounters() { didSet { touch() } }

    /// Idempotent producers as of `end`: what a new batch is judged by. Known once the log behind the last snapshot has been read again.
    var memory: ProducerMemory
    /// The same as of `highWatermark`: what snapshots hold, and what counts again after a failed write.
    var writtenMemory: ProducerMemory
    /// Producers and epochs up to here are in the shard's snapshot; in the one that is being written.
    var savedEnd: Offset
    var savingEnd: Offset
    /// Batches that came before `memory` was known, in order.
    var held: [HeldBatch] = []
    /// Told when `memory` is known, or why it could not be read.
    var afterLoad: [(LogError?) -> Void] = []

    /// Cursors of share groups on this partition, and among them a queue's own.
    var cursors: [HostedCursor] = [] { didSet { touch() } }
    var own: HostedCursor?

    /// Where this partition is listed when something that statistics show has changed; once until they look.
    private let changes: ChangedPartitions
    private var isListed = false

    private var waiters: [UInt64: FetchWaiter] = [:]

    struct HeldBatch {
        var item: ProduceItem
        var wants: Acknowledge
        var ticket: ProduceTicket?
    }

    init(
        id: PartitionID, topic: Topic, extent: StreamExtent, start: Offset?, memory: ProducerMemory, times: AppendTimes,
        changes: ChangedPartitions
    ) {
        self.id = id
        self.times = times
        self.changes = changes
        topicName = topic.name
        config = topic.config
        siblings = topic.partitions
        self.start = max(extent.start, start ?? .zero)
        highWatermark = extent.end
        end = extent.end
        bytes = extent.bytes
        holes = extent.holes.intersection(self.start..<max(self.start, extent.end))
        holeCount = holes.count
        maxTimestamp = extent.maxTimestamp
        self.memory = memory
        writtenMemory = memory
        savedEnd = memory.upTo
        savingEnd = memory.upTo
        touch()
    }

    /// Records that are there.
    var recordCount: Int64 { max(0, highWatermark - start - holeCount) }

    var stream: StreamID { .partition(id) }

    /// What statistics show of the partition or its cursors has changed.
    func touch() {
        guard !isListed else { return }
        isListed = true
        changes.note(id)
    }

    /// Statistics have looked.
    func looked() { isListed = false }

    /// Raises the high watermark after a write and wakes those who wait for it.
    func written(_ append: Append, now: Timestamp) {
        if case .success(let header) = append.bytes.withUnsafeReadableBytes({ RecordBatchHeader.parse($0) }) {
            writtenMemory.learn(header, now: now)
        }
        highWatermark = append.next
        bytes += Int64(append.bytes.readableBytes)
        maxTimestamp = max(maxTimestamp, append.maxTimestamp)
        times.note(append.base, at: now)
        counters.recordsIn += append.next - append.base
        counters.bytesIn += Int64(append.bytes.readableBytes)
        wakeAll()
    }

    /// A write failed: what was handed out above the high watermark is void.
    func rollBack() {
        end = highWatermark
        memory = writtenMemory
    }

    func wait(_ waiter: FetchWaiter) { waiters[waiter.id] = waiter }
    func stopWaiting(_ id: UInt64) { waiters[id] = nil }

    func wakeAll() {
        guard !waiters.isEmpty else { return }
        let woken = waiters
        waiters.removeAll(keepingCapacity: true)
        for waiter in woken.values { waiter.wake() }
    }
}

/// What went through a partition since the broker's start.
public struct PartitionCounters: Sendable, Equatable {
    public var recordsIn: Int64 = 0
    public var bytesIn: Int64 = 0
    /// Records that fetches moved past, and bytes sent to them.
    public var recordsOut: Int64 = 0
    public var bytesOut: Int64 = 0
}
