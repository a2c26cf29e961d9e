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
/// free(A, [62..<128])                       → A [60, 130) with a hole [70, 120); locate(A, offset 80) gives the batch at 120
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

    /// Where the batch is that holds `target`, or the first one behind it where an offset lies in a hole. Returns at once when it is known
    /// from memory or page cache; else nil, and `later` is called.
    func locate(
        _ stream: StreamID, _ target: LocateTarget, later: @escaping @Sendable (Result<Located, LogError>) -> Void
    ) -> Result<Located, LogError>?

    /// Up to `maxBytes` from `position`, at least one whole batch if one is there; may end inside a batch (``LogSlice/next`` tells). A
    /// slice never goes beyond what is written nor beyond the end of a segment. Returns at once when the bytes are in memory or page
    /// cache; else nil, and `later` is called. A position in what has been freed or rewritten since gives `outOfRange`: where the extent
    /// still has the offset that is wanted, locate it again.
    /// - Parameter wantsRegion: a file region is welcome (the reader will use sendfile); engines without files give bytes.
    func read(
        _ stream: StreamID, at position: Position, maxBytes: Int, wantsRegion: Bool,
        later: @escaping @Sendable (Result<LogSlice, LogError>) -> Void
    ) -> Result<LogSlice, LogError>?

    /// Removes what lies wholly below `before`, by whatever unit the engine frees space in. Records at or above it stay.
    func trim(_ stream: StreamID, before: Offset, done: @escaping @Sendable (Result<StreamExtent, LogError>) -> Void)

    /// Applies time and size retention to a stream: whole units only, never the one being written.
    func retain(_ stream: StreamID, _ retention: Retention, done: @escaping @Sendable (Result<StreamExtent, LogError>) -> Void)

    /// Gives up the records of `ranges`, wherever they lie: the engine removes the units that lie wholly inside, rewrites those where that
    /// is worth it, and leaves the rest for a later call. Every batch with a record outside of the ranges stays, and so does the last batch
    /// unless nothing else does. What is gone is told as the extent's start and holes. Calling again with the same ranges is no error.
    /// ```
    /// units [0,50) [50,90) [90,120) [120,…): free [10..<95] → the second goes; the first becomes 0..<10, if that pays: hole [10, 90)
    /// ```
    func free(_ stream: StreamID, _ ranges: OffsetRanges, done: @escaping @Sendable (Result<StreamExtent, LogError>) -> Void)

    /// How large and how old the units of a stream may get: a wish, from the next append on. Forgotten with the stream.
    func setUnits(_ units: StreamUnits, of stream: StreamID, shard: ShardID)

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

/// Where an engine keeps something; only the engine that gave it can read it. Never an offset.
public struct Position: Hashable, Sendable {
    package var segment: Int64
    package var byte: Int64
    /// How often the segment has been rewritten: a place in what it was before means nothing any more.
    package var version: UInt32
    package init(segment: Int64, byte: Int64, version: UInt32 = 0) {
        self.segment = segment
        self.byte = byte
        self.version = version
    }
}

/// What a stream holds: offsets [start, end) without its holes.
public struct StreamExtent: Equatable, Sendable {
    public var start: Offset
    public var end: Offset
    public var bytes: Int64
    /// The largest record timestamp; `none` when empty.
    public var maxTimestamp: Timestamp
    /// What was freed between start and end. The last record is never in a hole.
    public var holes: OffsetRanges

    public init(start: Offset, end: Offset, bytes: Int64, maxTimestamp: Timestamp, holes: OffsetRanges = OffsetRanges()) {
        self.start = start
        self.end = end
        self.bytes = bytes
        self.maxTimestamp = maxTimestamp
        self.holes = holes
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
    /// Where the next read continues, and an offset for which ``Log/locate(_:_:later:)`` would say the same, when the slice ends between
    /// batches: a reader that goes on in order need not ask. Both nil when it ends inside a batch.
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

/// The units in which a stream is divided (segments, where these are files): nil leaves it to the engine.
public struct StreamUnits: Equatable, Sendable {
    /// The next unit begins before one gets larger than this (Kafka's `segment.bytes`).
    public var bytes: Int?
    /// It begins too when a batch comes that is this much younger than the unit's first one (Kafka's `segment.ms`).
    public var ms: Int64?

    public init(bytes: Int? = nil, ms: Int64? = nil) {
        self.bytes = bytes
        self.ms = ms
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
