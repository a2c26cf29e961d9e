import Model

/// What became of messages of one queue cursor, and must not be forgotten. A fact names the offsets it is about and what they are from then
/// on, so that facts can be replayed from any snapshot that holds at least what came before them.
///
/// ```
/// settled 0..<500 accepted      delivered, answered, done with
/// waiting 3..<4, 2nd, due 9:00  attempt 2 failed; it *is* ready again at 9:00, no fact says so
/// ready 7..<8, 1                attempt 1 failed and it may be delivered again at once
/// ```
/// A delivery is no fact: what was acquired when the broker crashed is ready again, in its place.
public enum QueueFact: Equatable, Sendable {
    /// The cursor begins, or is moved: all below is settled, all from `start` on is ready and new.
    case start(Offset)
    case settled(Range<Offset>, Settlement)
    case ready(Range<Offset>, attempts: Int)
    case waiting(Range<Offset>, attempts: Int, due: Timestamp)
    /// Dead, and on its way to the dead-letter target.
    case dying(Range<Offset>, attempts: Int, DeadReason)
    /// All that was ready or waiting below `end` is settled, but for `kept`, which consumers and jobs held.
    case purged(PurgeMark, end: Offset, kept: [Range<Offset>])
    case undone(purge: Int64)
    /// A purge can no longer be undone.
    case forgotten(purge: Int64)
    /// What was settled of the range is ready again, as new.
    case replayed(Range<Offset>)
    case gate(CursorGate, held: Bool)
    /// The log lost what was at and above `end`: other messages will have these offsets.
    case cut(end: Offset)
    case deleted
    /// In snapshots: what a purge took away.
    case saved(PurgeMark, ready: [SavedRun], waiting: [SavedRun])
    /// In snapshots: messages that went these ways since the cursor began, and the number of the next purge.
    case totals(CursorTotals, nextPurge: Int64)
}

/// How a message left a queue cursor for good.
public enum Settlement: UInt8, Sendable, CaseIterable {
    case accepted = 1
    /// Copied to the dead-letter target.
    case dead
    /// Died without a target.
    case dropped
    case expired
    case purged
    /// Thrown away by an operator.
    case discarded
    /// Copied to where an operator sent it.
    case moved
    /// There is no such record: a gap that a consumer told of (KIP-932), or retention was faster.
    case missing
}

public enum CursorGate: UInt8, Sendable { case delivery = 1, publishing }

/// A purge that can be undone.
public struct PurgeMark: Equatable, Sendable {
    /// Unique within its cursor.
    public var id: Int64
    public var count: Int64
    public var at: Timestamp
    public var until: Timestamp

    public init(id: Int64, count: Int64, at: Timestamp, until: Timestamp) {
        self.id = id
        self.count = count
        self.at = at
        self.until = until
    }
}

/// Messages that a purge took away, as they were.
public struct SavedRun: Equatable, Sendable {
    public var range: Range<Offset>
    public var attempts: Int
    /// For those that waited.
    public var due: Timestamp?

    public init(range: Range<Offset>, attempts: Int, due: Timestamp? = nil) {
        self.range = range
        self.attempts = attempts
        self.due = due
    }
}

/// Messages that left a cursor otherwise than by being accepted, since it began.
public struct CursorTotals: Equatable, Sendable {
    public var dead: Int64 = 0
    public var dropped: Int64 = 0
    public var expired: Int64 = 0
    /// Messages went to a dead-letter target for another reason than their age.
    public var hasFailures = false

    public init() {}

    mutating func count(_ settlement: Settlement, _ messages: Int64) {
        switch settlement {
        case .dead: dead += messages
        case .dropped: dropped += messages
        case .expired: expired += messages
        case .accepted, .purged, .discarded, .moved, .missing: break
        }
    }
}
