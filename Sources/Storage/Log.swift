import Model
import NIOCore

/// The first seam: ordered, durable streams of record batches, owned by shard.
///
/// An engine keeps streams; it knows nothing of Kafka or AMQP. The owner of a shard allocates offsets, patches them into
/// its batches and hands whole frames over; one frame is in flight per shard. Example, one shard, two partitions:
/// ```
/// acquire(shard 0, epoch 7)                 streams found: A [0, 120)  B [40, 55)
/// commit(frame 1: A 120..<130, B 55..<56)   → written, then durable
/// read(A, at: locate(A, offset 125))        → bytes that begin with the batch holding 125
/// retain(A, …)                              → A [60, 130): whole segments below 60 are gone
/// ```
/// Callbacks arrive on a thread of the engine; hop to your loop once per callback.
public protocol Log: AnyObject, Sendable {
    var limits: LogLimits { get }

    /// Makes the caller the one writer of `shard` and fences writers with a lower epoch. Recovers the shard's streams.
    /// - Throws: `fenced` when a higher epoch has been here.
    func acquire(
        _ shard: ShardID, epoch: Epoch, done: @escaping @Sendable (Result<[StreamID: StreamExtent], LogError>) -> Void)

    /// Writes the appends of one group commit in order. `progress` is called with `.written` (readable, survives a killed process)
    /// and, where the frame asks for it, with `.durable` (survives power loss); or once with an error, after which nothing
    /// more comes. After `indeterminate` ask ``resolve(_:shard:done:)``. A frame without appends makes durable what was written before.
    func commit(_ frame: Frame, shard: ShardID, progress: @escaping @Sendable (Result<CommitStage, LogError>) -> Void)

    /// What became of a frame whose commit was indeterminate.
    func resolve(_ frame: FrameID, shard: ShardID, done: @escaping @Sendable (Result<FrameFate, LogError>) -> Void)

    /// Makes durable what was written in the shard before the call. Commits go on meanwhile where the engine can do that: this is for those
    /// who have much to make safe and time to wait, such as an index that is written out.
    func sync(_ shard: ShardID, done: @escaping @Sendable (Result<Void, LogError>) -> Void)

    /// Where the batch is that holds `target`. Returns at once when it is known from memory or page cache; else nil, and `later` is called.
    func locate(
        _ stream: StreamID, _ target: LocateTarget, later: @escaping @Sendable (Result<Located, LogError>) -> Void
    ) -> Result<Located, LogError>?

    /// Up to `maxBytes` from `position`, at least one whole batch if one is there; may end inside a batch (``LogSlice/next`` tells). A
    /// slice never goes beyond what is written nor beyond the end of a segment. Returns at once when the bytes are in memory or page
    /// cache; else nil, and `later` is called.
    /// - Parameter wantsRegion: a file region is welcome (the reader will use sendfile); engines without files give bytes.
    func read(
        _ stream: StreamID, at position: Position, maxBytes: Int, wantsRegion: Bool,
        later: @escaping @Sendable (Result<LogSlice, LogError>) -> Void
    ) -> Result<LogSlice, LogError>?

    /// Removes what lies wholly below `before`, by whatever unit the engine frees space in. Records at or above it stay.
    func trim(_ stream: StreamID, before: Offset, done: @escaping @Sendable (Result<StreamExtent, LogError>) -> Void)

    /// Applies time and size retention to a stream: whole units only, never the one being written.
    func retain(_ stream: StreamID, _ retention: Retention, done: @escaping @Sendable (Result<StreamExtent, LogError>) -> Void)

    /// Forgets a stream and its bytes.
    func drop(_ stream: StreamID, done: @escaping @Sendable (Result<Void, LogError>) -> Void)

    /// Syncs, writes checkpoints and closes. No call may follow.
    func close(done: @escaping @Sendable () -> Void)
}

/// What an engine can take.
public struct LogLimits: Sendable {
    /// Largest batch of one append.
    public var entryBytes: Int
    /// Bytes of one frame above which a commit gains nothing from more.
    public var frameBytes: Int
    /// Expected time of a durable commit, by which the owner sizes frames.
    public var expectedLatencyMs: Int

    public init(entryBytes: Int, frameBytes: Int, expectedLatencyMs: Int) {
        self.entryBytes = entryBytes
        self.frameBytes = frameBytes
        self.expectedLatencyMs = expectedLatencyMs
    }
}

/// A writer's term of ownership; one more at every start.
public struct Epoch: Hashable, Comparable, Sendable, CustomStringConvertible {
    public var value: Int32
    public init(_ value: Int32) { self.value = value }
    public static func < (left: Epoch, right: Epoch) -> Bool { left.value < right.value }
    public var description: String { String(value) }
}

/// A frame's number within its shard and epoch, from 1.
public struct FrameID: Hashable, Comparable, Sendable {
    public var value: UInt64
    public init(_ value: UInt64) { self.value = value }
    public static func < (left: FrameID, right: FrameID) -> Bool { left.value < right.value }
}

/// A sequence of record batches.
public enum StreamID: Hashable, Sendable, CustomStringConvertible {
    /// The records of a topic's partition.
    case partition(PartitionID)
    /// Facts of a shard's machines (group offsets and the like), in record batches of their own.
    case facts(ShardID, FactStream)
    /// Messages of a shard that wait for their time, and the sorted index of when that is.
    case delay(ShardID, DelayStream)

    public var description: String {
        switch self {
        case .partition(let id): "partition \(id)"
        case .facts(let shard, let name): "facts \(name.rawValue) of shard \(shard)"
        case .delay(let shard, let stream): "delayed \(stream) of shard \(shard)"
        }
    }
}

/// Fact streams, by the machine that writes them.
public enum FactStream: String, Hashable, Sendable, CaseIterable {
    case groups
    /// What became of messages on queue cursors.
    case queues
    /// Messages on their way from one partition to another.
    case moves
    /// What operators did.
    case audit
    /// What of the delay store is not in its bodies: runs, the front, what operators changed.
    case delay
}

/// Streams of a shard's delay store: one of each kind per band of remaining delay, so that what is done with goes from the front.
public enum DelayStream: Hashable, Sendable, CustomStringConvertible {
    /// Delayed messages in the order of their arrival.
    case bodies(Int)
    /// Sorted runs of index entries.
    case runs(Int)

    /// `bodies-0`, `runs-3`; the bands are 0 to 15.
    public var description: String {
        switch self {
        case .bodies(let band): "bodies-\(band)"
        case .runs(let band): "runs-\(band)"
        }
    }

    public init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "-")
        guard parts.count == 2, let band = Int(parts[1]), (0..<16).contains(band) else { return nil }
        switch parts[0] {
        case "bodies": self = .bodies(band)
        case "runs": self = .runs(band)
        default: return nil
        }
    }
}

/// Where an engine keeps something; only the engine that gave it can read it. Never an offset.
public struct Position: Hashable, Sendable {
    package var segment: Int64
    package var byte: Int64
    package init(segment: Int64, byte: Int64) {
        self.segment = segment
        self.byte = byte
    }
}

/// What a stream holds: offsets [start, end).
public struct StreamExtent: Equatable, Sendable {
    public var start: Offset
    public var end: Offset
    public var bytes: Int64
    /// The largest record timestamp; `none` when empty.
    public var maxTimestamp: Timestamp

    public init(start: Offset, end: Offset, bytes: Int64, maxTimestamp: Timestamp) {
        self.start = start
        self.end = end
        self.bytes = bytes
        self.maxTimestamp = maxTimestamp
    }

    public static let empty = StreamExtent(start: .zero, end: .zero, bytes: 0, maxTimestamp: .none)
}

/// One or more whole record batches for one stream, offsets patched.
public struct Append: Sendable {
    public var stream: StreamID
    public var base: Offset
    /// The offset after the last record.
    public var next: Offset
    public var maxTimestamp: Timestamp
    public var bytes: ByteBuffer
    /// Whether a durable frame is to make this append durable; others go with it only because they came at the same time.
    public var needsSync = true

    public init(stream: StreamID, base: Offset, next: Offset, maxTimestamp: Timestamp, bytes: ByteBuffer) {
        self.stream = stream
        self.base = base
        self.next = next
        self.maxTimestamp = maxTimestamp
        self.bytes = bytes
    }
}

/// The appends of one group commit.
public struct Frame: Sendable {
    public var id: FrameID
    public var epoch: Epoch
    public var appends: [Append]
    /// Whether `.durable` is wanted after `.written`.
    public var durable: Bool

    public init(id: FrameID, epoch: Epoch, appends: [Append], durable: Bool) {
        self.id = id
        self.epoch = epoch
        self.appends = appends
        self.durable = durable
    }
}

public enum CommitStage: Sendable { case written, durable }
public enum FrameFate: Hashable, Sendable { case committed, absent }

public enum LocateTarget: Sendable {
    case offset(Offset)
    /// The first batch with a record at or after this time.
    case timestamp(Timestamp)
    /// The batch with the largest timestamp.
    case maxTimestamp
}

public struct Located: Sendable {
    public var position: Position
    /// The header of the batch at `position`.
    public var header: RecordBatchHeader

    public init(position: Position, header: RecordBatchHeader) {
        self.position = position
        self.header = header
    }
}

/// Bytes of a stream: in memory, or a region of a file for sendfile.
public struct LogSlice: Sendable {
    public enum Content: Sendable {
        case bytes(ByteBuffer)
        /// `owner` keeps the file open; hold it until the region has been sent.
        case region(FileRegion, owner: any Sendable)
    }
    public var content: Content
    public var count: Int
    /// Where the next read continues, and the offset of the batch there, when the slice ends between batches: a reader that goes on in
    /// order needs no ``Log/locate(_:_:later:)``. Both nil when it ends inside a batch.
    public var next: Position?
    public var nextOffset: Offset?

    public init(content: Content, count: Int, next: Position? = nil, nextOffset: Offset? = nil) {
        self.content = content
        self.count = count
        self.next = next
        self.nextOffset = nextOffset
    }
}

/// What may be removed: nil means without limit.
public struct Retention: Sendable {
    /// Units whose newest record is older than this are removed.
    public var olderThan: Timestamp?
    /// The oldest units are removed while what remains is still at least this large (Kafka's rule: a stream may be one unit larger).
    public var maxBytes: Int64?
    /// Nothing at or above it is removed, whatever the rest says.
    public var below: Offset?

    public init(olderThan: Timestamp?, maxBytes: Int64?, below: Offset? = nil) {
        self.olderThan = olderThan
        self.maxBytes = maxBytes
        self.below = below
    }
}

/// Why a log operation failed.
public enum LogError: Error, Equatable, Sendable {
    /// Another owner with this epoch has taken the shard; this one must stop.
    case fenced(Epoch)
    /// The frame may or may not have been written; ask ``Log/resolve(_:shard:done:)``.
    case indeterminate
    /// The engine can't be reached or failed; nothing was written.
    case unavailable(String)
    /// No space; nothing was written.
    case full
    /// Bytes that were written do not read back as they were.
    case corrupt(String)
    /// The offset lies outside the stream.
    case outOfRange(StreamExtent)
    /// No such stream, or it was dropped.
    case unknownStream
}
