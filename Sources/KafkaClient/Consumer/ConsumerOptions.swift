import Model

/// One partition of a topic, by name as clients know it.
public struct TopicPartition: Hashable, Sendable, CustomStringConvertible {
    public var topic: String
    public var partition: Int32

    public init(topic: String, partition: Int32) {
        self.topic = topic
        self.partition = partition
    }

    public var description: String { "\(topic)-\(partition)" }
}

/// Where reading begins.
public enum StartPosition: Sendable, Equatable {
    case earliest
    case latest
    case offset(Offset)
    /// The first record of this time or later; the end when there is none.
    case time(Timestamp)
}

/// How a ``Consumer`` reads.
public struct ConsumerOptions: Sendable {
    /// Longest the broker holds a fetch back for want of data.
    public var maxWaitMs: Int32 = 500
    public var minBytes: Int32 = 1
    /// Most bytes of one answer, and of one partition in it.
    public var maxBytes: Int32 = 16 << 20
    public var partitionBytes: Int32 = 4 << 20
    /// Check every batch against its checksum.
    public var verifiesChecksums = true
    /// Where to go on when the position is gone, or a group has none yet; nil makes that an error.
    public var reset: StartPosition? = .latest

    // MARK: Groups
    public var sessionTimeoutMs: Int32 = 10_000
    public var rebalanceTimeoutMs: Int32 = 30_000
    public var heartbeatMs: Int64 = 3_000
    /// Commit what `poll` has handed out, at the next `poll` this long after the last commit, and before every rebalance. Nil leaves it to
    /// the caller.
    public var autoCommitMs: Int64? = 5_000

    public init() {}
}
