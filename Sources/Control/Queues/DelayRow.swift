/// What waits: messages with a publish delay, and failed ones before their next attempt.
public struct DelayOverview: Codable, Equatable, Sendable {
    /// nil: all queues.
    public var queue: String?
    public var delayed: Int64 = 0
    public var retrying: Int64 = 0
    /// Due already and not yet released.
    public var overdue: Int64 = 0
    /// Until the next message is due; nil when none waits.
    public var nextDueMs: Int64?
    /// Releases per second at most, when draining what is overdue.
    public var drainLimit = 0.0
    /// By how far off they are: overdue, <1s, 1-10s, 10s-1m, 1-5m, 5-30m, 30m-1h, 1-6h, >6h.
    public var buckets: [DelayBucketRow] = []
    /// Messages that come due per second in the next five minutes, one point every `forecastStepMs`.
    public var forecastStepMs: Int64 = 5_000
    public var forecast: [Double] = []
    public var attempts: [AttemptRow] = []

    public init() {}
}

public struct DelayBucketRow: Codable, Equatable, Sendable {
    public var label = ""
    /// Time from now: [fromMs, toMs); overdue has fromMs −1, the last has no end.
    public var fromMs: Int64 = 0
    public var toMs: Int64?
    public var delayed: Int64 = 0
    /// Waiting retries by the number of the attempt that they wait for (2 is the first retry); later ones than 9 count as 9.
    public var retries: [Int: Int64] = [:]
    public var releaseRate = 0.0

    public init() {}
    public var count: Int64 { delayed + retries.values.reduce(0, +) }
}

/// A message somewhere in a queue's life. `id` names it for commands: `PARTITION/OFFSET` in a queue's log, `dSHARD-SEQUENCE` in the delay
/// store.
public struct MessageRow: Codable, Equatable, Sendable {
    public enum State: String, Codable, Sendable, CaseIterable { case ready, acquired, waiting, delayed, settled, dead, expired, purged }
    public var id = ""
    public var queue = ""
    public var state = State.ready
    /// Deliveries so far.
    public var attempts = 0
    public var dueMs: Int64?
    /// When it was appended, or published with a delay.
    public var atMs: Int64?
    /// As text where they are UTF-8, else as `0x…`; cut to 200 bytes.
    public var key: String?
    public var value = ""
    public var bytes = 0
    /// For dead letters: why, the error found on the record (nil: `n/a`), where it came from (`queue` or `topic/partition/offset`), when it
    /// died, how often it was redriven.
    public var reason: String?
    public var error: String?
    public var origin: String?
    public var diedMs: Int64?
    public var redriven = 0

    public init() {}
}

/// One message, whole.
public struct MessageDetail: Codable, Equatable, Sendable {
    public var row = MessageRow()
    public var topic = ""
    public var partition: Int32 = 0
    public var offset: Int64?
    public var timestampMs: Int64?
    public var compression = "none"
    public var headers: [MessageHeader] = []
    /// Base64 of key and value, at most 64 KiB each; nil is a null.
    public var key: String?
    public var value: String?
    /// What happened to it, oldest first: `published`, `delivered 2x`, `died (delivery_limit)`, `redriven by job 17`.
    public var timeline: [TimelineRow] = []

    public init() {}
}

public struct MessageHeader: Codable, Equatable, Sendable {
    public var name = ""
    /// As text where it is UTF-8, else as `0x…`; nil is a null.
    public var value: String?

    public init() {}
    public init(name: String, value: String?) {
        self.name = name
        self.value = value
    }
}

public struct TimelineRow: Codable, Equatable, Sendable {
    /// nil when the time is not known.
    public var atMs: Int64?
    public var text = ""

    public init() {}
    public init(atMs: Int64?, text: String) {
        self.atMs = atMs
        self.text = text
    }
}
