/// One dead-letter queue in the list of them.
public struct DeadQueueRow: Codable, Equatable, Sendable {
    public var name = ""
    public var messages: Int64 = 0
    /// Change per minute.
    public var perMinute = 0.0
    /// Messages whose reason has not been read yet: right after a start, or when many die at once. Until it is 0 a reason's count is a
    /// part, and its share the least it can be.
    public var unread: Int64 = 0
    /// Time since the first and the last of them died; nil when empty, while there are unread ones, and for the first of
    /// more than the index holds.
    public var oldestMs: Int64?
    public var newestMs: Int64?
    /// Time since the last one came into a queue that is empty now; nil when it is not empty, when none ever came, and when it is not
    /// known.
    public var lastInMs: Int64?
    /// The most frequent reason and its share of all messages, 0 to 1, which is the least it can be while there are unread ones; nil when
    /// empty, and while more are unread than read.
    public var topReason: String?
    public var topShare: Double?
    /// Queues it gets messages from.
    public var sources: [String] = []

    public init() {}
}

/// A dead-letter queue: why messages died, and a window of them.
public struct DeadDetail: Codable, Equatable, Sendable {
    public var row = DeadQueueRow()
    /// The largest first; at most 100 groups, the rest counted in `otherReasons`.
    public var reasons: [DeadReasonRow] = []
    public var otherReasons: Int64 = 0
    /// Messages that match the query's filter, newest first.
    public var messages = Page<MessageRow>()
    /// The newest message that this picture includes, per partition, as the redrive's watermark: `PARTITION/OFFSET` of the end.
    public var watermark: [Int64] = []

    public init() {}
}

public struct DeadReasonRow: Codable, Equatable, Sendable {
    /// The broker's reason, and the error text of the record's own headers behind `: ` where there is one.
    public var reason = ""
    public var count: Int64 = 0
    public var firstMs: Int64?
    public var lastMs: Int64?
    public var origins: [String] = []

    public init() {}
}
