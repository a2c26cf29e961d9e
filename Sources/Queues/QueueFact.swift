import Model

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
