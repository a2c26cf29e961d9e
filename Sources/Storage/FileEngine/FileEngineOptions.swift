/// How a ``FileEngine`` lays out and syncs its files.
public struct FileEngineOptions: Sendable {
    /// Size at which a segment is closed and the next one begun (Kafka's `segment.bytes`); 4 KiB … 2 GiB. One frame's appends to a stream
    /// are never split, so a segment may be larger by one of them.
    public var segmentBytes = 1 << 30
    /// A partition's segment is closed too when a batch comes that is this much younger than its first one (Kafka's `segment.ms`).
    public var segmentMs: Int64 = 7 * 86_400_000
    /// `segmentBytes` for streams of facts: small, because their owner trims them after each of its snapshots, and only whole segments go.
    public var factSegmentBytes = 16 << 20
    /// The same for streams of the delay store, which are freed from the front as their messages are released.
    public var delaySegmentBytes = 64 << 20
    /// Durable appends up to this size are copied to the shard's journal when a frame touches several streams.
    public var redoBytes = 16 << 10
    /// A checkpoint is written after this many bytes of appends: the most that recovery reads after a crash, per shard.
    public var checkpointBytes = 64 << 20
    /// … or this long after the first append since the last one; nil only by bytes, roll and close (for tests).
    public var checkpointMs: Int64? = 5_000
    /// Whether commits go on while a checkpoint waits for the disk. Off only where every run must be the same (tests).
    public var checkpointsInBackground = true
    /// Journal size at which a checkpoint is written.
    public var journalBytes = 16 << 20
    /// Memory of all sparse indexes; past it, entries that are on file are let go at the next checkpoint.
    public var indexBytes = 32 << 20
    /// A segment of at least this size has blocks found ahead of its writes: half as much again as it holds, at most
    /// `preallocateBytes`. A write then costs a third less, and small partitions take no more room than they fill.
    public var preallocateFromBytes = 16 << 20
    public var preallocateBytes = 64 << 20
    /// A segment of which at least half is freed is rewritten when that gives back at least this much; so many of a stream at a time.
    public var rewriteBytes = 256 << 10
    public var rewritesAtOnce = 8
    /// Holes of one stream; where there would be more, space is freed from the front only.
    public var holes = 65_536
    /// Open segment files (`Limits.openFiles`).
    public var openFiles = 512
    /// Largest append.
    public var entryBytes = 128 << 20
    /// Frame size above which a commit gains nothing.
    public var frameBytes = 8 << 20
    /// Runs the engine's jobs instead of threads of its own: for simulations.
    public var scheduler: (any WorkScheduler)?

    public init() {}
}
