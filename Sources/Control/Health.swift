/// Why and since when publishers of the whole broker are held.
public struct PublishHold: Codable, Equatable, Sendable {
    /// `disk` or `memory`.
    public var cause: String
    /// What is short, until when they are held, and what to do.
    public var text: String
    /// ms since 1970.
    public var sinceMs: Int64

    public init(cause: String, text: String, sinceMs: Int64) {
        self.cause = cause
        self.text = text
        self.sinceMs = sinceMs
    }
}

/// A shard that takes nothing any more because its log failed; what it has can be read, until a restart nothing can be added or settled.
public struct BrokenShardRow: Codable, Equatable, Sendable {
    public var shard: Int
    public var error: String
    /// When it failed, ms since 1970.
    public var atMs: Int64
    /// Topics and queues with partitions on it, and these partitions; at most ten topics by name.
    public var topics = 0
    public var partitions = 0
    public var names: [String] = []

    public init(shard: Int, error: String, atMs: Int64) {
        self.shard = shard
        self.error = error
        self.atMs = atMs
    }

    /// `orders, payments and 12 more`
    public var what: String {
        topics > names.count ? "\(names.joined(separator: ", ")) and \(topics - names.count) more" : names.joined(separator: ", ")
    }
}

extension BrokerInfo {
    /// What is wrong with the broker as a whole, the worst first, each with what to do; empty while all is well.
    public var problems: [String] {
        brokenShards.map { row in
            "shard \(row.shard) takes nothing any more (\(row.error)): \(row.partitions) partitions of \(row.what) are out; "
                + "look at the broker's log, mend the disk, restart the broker"
        } + (publishHold.map { [$0.text] } ?? [])
    }
}
