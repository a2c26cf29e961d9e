import Model

/// Why a message died; the words are RabbitMQ's.
public enum DeadReason: String, Sendable, CaseIterable {
    /// A consumer refused it (`basic.reject` without requeue, REJECT).
    case rejected
    /// Its time to live ran out.
    case expired
    /// The queue was full and it was the oldest.
    case maxlen
    /// It was delivered as often as it may be.
    case deliveryLimit = "delivery_limit"
}

/// A message that a cursor gives up: it stays out of delivery until it has been copied to its dead-letter target and settled.
public struct DeadMessage: Equatable, Sendable {
    public var offset: Offset
    /// Deliveries so far.
    public var attempts: Int
    public var reason: DeadReason

    public init(offset: Offset, attempts: Int, reason: DeadReason) {
        self.offset = offset
        self.attempts = attempts
        self.reason = reason
    }
}
