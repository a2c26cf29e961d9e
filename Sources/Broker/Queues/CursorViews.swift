import Model
import Queues

/// A queue cursor in numbers. Messages, unless said otherwise; totals count from the cursor's beginning (`dead`, `dropped`) or from the
/// start of the broker (the rest).
public struct CursorCounts: Equatable, Sendable {
    public var key: ShareKey
    public var topic: String
    /// Delivered to nobody now: the backlog that can be delivered at once.
    public var ready: Int64 = 0
    public var acquired: Int64 = 0
    /// Failed, and waiting for the next attempt.
    public var waiting: Int64 = 0
    /// On their way to the dead-letter target, or taken by a job.
    public var moving: Int64 = 0
    public var dead: Int64 = 0
    public var dropped: Int64 = 0
    /// Died of their age without a target; those with one are among the dead.
    public var expired: Int64 = 0
    /// Some died for another reason than their age, and had a target.
    public var hasFailures = false
    public var delivered: Int64 = 0
    public var accepted: Int64 = 0
    /// Publishes that admission refused.
    public var refused: Int64 = 0
    /// The log's first offset and end, and the first offset that is not settled (the end when all is).
    public var start = Offset.zero
    public var end = Offset.zero
    public var firstOpen = Offset.zero
    /// When the first open message was appended, where any is ready and that is known to the second.
    public var firstOpenAt: Timestamp?
    /// Offsets from start to end that retention freed.
    public var holes: Int64 = 0
    /// Bytes of the log, settled messages included.
    public var bytes: Int64 = 0
    public var holdsDelivery = false
    public var holdsPublishing = false
    /// When the earliest waiting message is due.
    public var nextDue: Timestamp?
    /// Deliveries by attempt number: index 0 is the first attempt, the last index that and all later ones.
    public var attempts: [AttemptCount] = []
    /// How much of its nearest limit (`max.depth`, `max.bytes`) a queue has used up, 0 to 1 and beyond; nil without a limit.
    public var limitShare: Double?
    /// What can be undone, newest first.
    public var purges: [PurgeMark] = []

    public init(key: ShareKey, topic: String) {
        self.key = key
        self.topic = topic
    }

    /// Neither ready nor waiting, and not settled: what lists show as unacked.
    var unacked: Int64 { acquired + moving }
    /// Messages that are not settled.
    var open: Int64 { ready + unacked + waiting }
}

/// A message's place on a cursor.
public struct CursorMessage: Equatable, Sendable {
    public typealias State = CursorState
    public var offset: Offset
    public var state: State
    /// Deliveries so far.
    public var attempts: Int
    /// For a waiting message.
    public var due: Timestamp?

    public init(offset: Offset, state: State, attempts: Int, due: Timestamp? = nil) {
        self.offset = offset
        self.state = state
        self.attempts = attempts
        self.due = due
    }
}
