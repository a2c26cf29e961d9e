/// What an operator can do to queues, delays, dead letters and jobs.
public enum QueueCommand: Codable, Equatable, Sendable {
    case declare(queue: String, settings: [String: String])
    case delete(queue: String)
    /// Moves every ready, waiting and (with `delayed`) delayed message out of the way; the outcome carries the undo id.
    case purge(queue: String, delayed: Bool)
    case undo(id: String)
    /// Holds or resumes a gate; survives a restart.
    case gate(queue: String, Gate, held: Bool)
    /// Messages in the delay store by id (`d0-1234`), or waiting retries (`0/8917`).
    case cancelDelayed(queue: String, ids: [String])
    case runDelayed(queue: String, ids: [String])
    case reschedule(queue: String, ids: [String], dueMs: Int64)
    /// Spreads the delayed messages due in [fromMs, toMs) wall time evenly and at random over that span plus `spreadMs`.
    case jitter(queue: String?, fromMs: Int64, toMs: Int64, spreadMs: Int64)
    case redrive(Redrive)
    case replay(Replay)
    /// Settles messages of a queue without delivering them.
    case discard(queue: String, ids: [String])
    case cancelJob(id: Int64)
    /// Publishes one message.
    case write(queue: String, key: String?, value: String, headers: [MessageHeader], delayMs: Int64?)

    public enum Gate: String, Codable, Sendable { case delivery, publishing }
}

/// Sends messages of a dead-letter queue (or any queue: then it is a move) on.
public struct Redrive: Codable, Equatable, Sendable {
    public var queue = ""
    /// nil: to each message's origin, by its stamp.
    public var target: String?
    /// Nothing that died after this is touched: an offset per partition; empty: all that is there at the start.
    public var watermark: [Int64] = []
    public var filter = MessageFilter()
    /// Messages per second; nil without limit. `rampFrom` starts lower and doubles each second.
    public var rate: Double?
    public var rampFrom: Double?
    /// Waits while the target has more ready messages than this.
    public var holdAbove: Int64?
    /// Sends this many first and goes on when they were acked within `canaryWaitMs`.
    public var canary: Int?
    public var canaryWaitMs: Int64 = 10_000
    /// Stops when more than this share (0 to 1) of what was sent died again.
    public var stopIfDead: Double?
    /// Skips messages that were redriven this often.
    public var skipIfRedriven: Int?
    /// Only counts.
    public var dryRun = false

    public init() {}
    public init(queue: String) { self.queue = queue }
}

/// Which messages: all conditions that are set must hold.
public struct MessageFilter: Codable, Equatable, Sendable {
    public var ids: [String] = []
    /// Matches a ``DeadReasonRow/reason`` that begins so.
    public var reason: String?
    /// Header NAME=VALUE, all of them.
    public var headers: [MessageHeader] = []
    /// A regular expression on key or value.
    public var match: String?
    /// Appended within [fromMs, toMs).
    public var fromMs: Int64?
    public var toMs: Int64?

    public init() {}
}

/// Makes settled messages ready again, or copies them.
public struct Replay: Codable, Equatable, Sendable {
    public enum From: Codable, Equatable, Sendable {
        case earliest
        case offset(Int64)
        case time(ms: Int64)
    }
    public var queue = ""
    public var from = From.earliest
    /// End, exclusive; nil: up to what has been delivered.
    public var to: From?
    public var partition: Int32?
    /// Copies into this queue instead.
    public var into: String?
    public var filter = MessageFilter()
    public var dryRun = false

    public init() {}
    public init(queue: String) { self.queue = queue }
}

/// What a redrive, replay or purge would do or did, counted.
public struct Preview: Codable, Equatable, Sendable {
    public var go: Int64 = 0
    public var skipped: Int64 = 0
    public var withoutOrigin: Int64 = 0
    /// Beyond the target's admission limits.
    public var overLimit: Int64 = 0
    public var targets: [String: Int64] = [:]
    public var skips: [String: Int64] = [:]
    /// At the asked rate, ramp included; nil without a rate.
    public var durationMs: Int64?
    public var asOfMs: Int64 = 0
    public var watermark: [Int64] = []

    public init() {}
}
