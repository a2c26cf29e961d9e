/// One queue, or one share group on a plain topic, as lists show it. Counts are messages, rates per second, ages ms.
public struct QueueRow: Codable, Equatable, Sendable {
    /// The queue's name; `group@topic` for a share group on a topic that is no queue.
    public var name = ""
    /// Messages that can be delivered now.
    public var ready: Int64 = 0
    /// Delivered and not yet answered; or in the hands of a job, or on the way to the dead-letter target.
    public var unacked: Int64 = 0
    /// Published with a delay and not yet due.
    public var delayed: Int64 = 0
    /// Failed and waiting for the next attempt.
    public var retrying: Int64 = 0
    /// Messages that died here since the queue was made (for a dead-letter queue see ``isDeadLetter`` and `ready`).
    public var dead: Int64 = 0
    /// Messages that died or expired without a target and were dropped.
    public var dropped: Int64 = 0
    public var inRate = 0.0
    public var outRate = 0.0
    /// Settled per second by accepting; the net change of `ready` per second.
    public var ackRate = 0.0
    public var netRate = 0.0
    public var consumers = 0
    /// Age of the oldest ready message; nil when none is ready.
    public var oldestMs: Int64?
    /// Until `ready` is drained at the present net rate, of several partitions the slowest; nil with `drains` false means never.
    public var etaMs: Int64?
    public var drains = true
    /// Delivery is held; publishing is held.
    public var held = false
    public var blocked = false
    /// It was declared as a dead-letter queue, or is the target of another queue that gives messages up for more than their age.
    public var isDeadLetter = false
    public var bytes: Int64 = 0
    /// The nearest limit (`max.depth`, `max.bytes`) and how full it is, 0 to 1; nil without a limit.
    public var limitShare: Double?
    /// Publishes refused by a threshold since the start of the broker.
    public var refused: Int64 = 0
    /// Ready messages, the last minute, oldest first.
    public var trend: [Double?] = []

    public init() {}
    public init(name: String) { self.name = name }
}

/// One queue, whole.
public struct QueueDetail: Codable, Equatable, Sendable {
    public var row = QueueRow()
    public var partitions: [QueuePartitionRow] = []
    /// Its partitions are this many priorities, and come from the highest to the lowest; nil: they are none.
    public var priorities: Int?
    public var consumers: [ConsumerRow] = []
    /// Settings that were given, and defaults worth knowing.
    public var configs: [ConfigRow] = []
    /// In words: `16 attempts, 10s 30s 1m … 2h`; where dead letters go; the limits.
    public var policy = ""
    public var deadLetter: String?
    public var limits = ""
    public var attempts: [AttemptRow] = []
    public var history = QueueHistory()
    /// What can be undone, newest first.
    public var undos: [UndoRow] = []

    public init() {}
}

public struct QueuePartitionRow: Codable, Equatable, Sendable {
    public var topic = ""
    public var partition: Int32 = 0
    /// The log's first offset and end, and the first offset that is not settled.
    public var start: Int64 = 0
    public var end: Int64 = 0
    public var firstOpen: Int64 = 0
    public var ready: Int64 = 0
    /// Counted as in ``QueueRow/unacked``.
    public var unacked: Int64 = 0
    public var retrying: Int64 = 0
    /// Change of `ready` per second; nil when it is not known.
    public var netRate: Double?
    /// Until `ready` is drained at that rate, ms; nil with a known rate means never.
    public var etaMs: Int64?

    public init() {}
}

public struct ConsumerRow: Codable, Equatable, Sendable {
    public var id = ""
    public var client = ""
    public var host = ""
    public var unacked: Int64 = 0
    public var ackRate = 0.0
    /// Since it last answered a message; nil when it never did, or it is forgotten.
    public var lastAckMs: Int64?
    /// Since it last answered, or got something to answer when it held nothing, whichever came later; nil when it holds nothing, or it is
    /// not known.
    public var silentMs: Int64?
    /// Within how long it answered half of the messages, and 99 of 100, that it answered in the last minute or two: from their delivery, to
    /// within an eighth. nil when it answered none.
    public var ackP50Ms: Int64?
    public var ackP99Ms: Int64?

    public init() {}
}

/// Whether retrying helps: what became of deliveries number `attempt`, within the last hour.
public struct AttemptRow: Codable, Equatable, Sendable {
    public var attempt = 0
    /// The delay before this attempt by the policy of now; nil for the first.
    public var waitMs: Int64?
    public var count: Int64 = 0
    public var succeeded: Int64 = 0
    public var died: Int64 = 0

    public init() {}
}

/// Series of equal length, one point every `stepMs`, oldest first; a gap is nil.
public struct QueueHistory: Codable, Equatable, Sendable {
    public var stepMs: Int64 = 1_000
    public var endMs: Int64 = 0
    public var ready: [Double?] = []
    public var inRate: [Double?] = []
    public var outRate: [Double?] = []

    public init() {}
}

/// Something that can be taken back until retention removes what it needs.
public struct UndoRow: Codable, Equatable, Sendable {
    public var id = ""
    public var queue = ""
    /// `purged 1,204 messages`.
    public var text = ""
    public var atMs: Int64 = 0
    /// When it can no longer be undone.
    public var untilMs: Int64 = 0

    public init() {}
}
