import Model

/// A record that this consumer holds until it answers, or its lock runs out.
public struct SharedRecord: Sendable {
    public var source: TopicPartition
    public var record: Record
    /// 1 at the first delivery.
    public var deliveryCount: Int
}

/// What a consumer says of a record (KIP-932).
public enum ShareAnswer: Int8, Sendable {
    /// Done with.
    case accept = 1
    /// To be delivered again, to whomever.
    case release = 2
    /// Never again: it is dead.
    case reject = 3
}

/// How a ``ShareConsumer`` reads.
public struct ShareOptions: Sendable {
    /// Records of one ``ShareConsumer/poll(waitMs:)`` at most.
    public var maxRecords: Int32 = 500
    public var maxBytes: Int32 = 4 << 20
    public init() {}
}
