import Model

/// What an operator chose for this broker.
public struct BrokerOptions: Sendable {
    /// When a durable publish (`acks=all`) is answered.
    public enum Flush: String, Sendable, CaseIterable {
        /// After fdatasync, in group commit: survives power loss.
        case commit
        /// When written; synced once a `flushIntervalMs`.
        case interval
        /// When written; synced when the operating system pleases.
        case os
    }

    public var name = "weir"
    public var version = "0.1.0"
    public var flush = Flush.commit
    public var flushIntervalMs: Int64 = 1_000
    public var readOnly = false
    /// Metadata requests create the topics they name (Kafka's `auto.create.topics.enable`).
    public var autoCreateTopics = true
    public var defaultPartitions: Int32 = 1
    /// Bytes of settled messages that all queues keep together, whatever each of them may: the largest give first.
    public var settledRetentionBytes: Int64 = 16 << 30
    /// How often time and size retention are looked at.
    public var retentionCheckMs: Int64 = 30_000
    /// Publishers of the whole broker are held while less is free on the disk; nil: 2 % of it, at least 512 MiB and at most 10 GiB.
    public var diskFreeLow: Watermark?
    /// The same while the process uses more memory, a share being one of `memoryBytes`.
    public var memoryHigh = Watermark.share(0.6)
    /// Memory that this process may use; nil when not known: then a share is no mark.
    public var memoryBytes: Int64?
    /// What `delay.level` counts in.
    public var delayLevels = DelayLevels.standard
    public var limits = Limits()
    /// Shown to the operator: the data directory, or `memory`.
    public var data = "memory"

    public init() {}
}
