import Model

/// A sequence of record batches.
public enum StreamID: Hashable, Sendable, CustomStringConvertible {
    /// The records of a topic's partition.
    case partition(PartitionID)
    /// Facts of a shard's machines (group offsets and the like), in record batches of their own.
    case facts(ShardID, FactStream)
    /// Messages of a shard that wait for their time, and the sorted index of when that is.
    case delay(ShardID, DelayStream)

    /// Whether records may be freed in its middle. All others are cut at the front only: what is missing there behind the start is damage.
    public var mayHaveHoles: Bool {
        if case .partition = self { return true }
        return false
    }

    public var description: String {
        switch self {
        case .partition(let id): "partition \(id)"
        case .facts(let shard, let name): "facts \(name.rawValue) of shard \(shard)"
        case .delay(let shard, let stream): "delayed \(stream) of shard \(shard)"
        }
    }
}

/// Fact streams, by the machine that writes them.
public enum FactStream: String, Hashable, Sendable, CaseIterable {
    case groups
    /// What became of messages on queue cursors.
    case queues
    /// Messages on their way from one partition to another.
    case moves
    /// What operators did.
    case audit
    /// What of the delay store is not in its bodies: runs, the front, what operators changed.
    case delay
}

/// Streams of a shard's delay store: one of each kind per band of remaining delay, so that what is done with goes from the front.
public enum DelayStream: Hashable, Sendable, CustomStringConvertible {
    /// Delayed messages in the order of their arrival.
    case bodies(Int)
    /// Sorted runs of index entries.
    case runs(Int)

    /// `bodies-0`, `runs-3`; the bands are 0 to 15.
    public var description: String {
        switch self {
        case .bodies(let band): "bodies-\(band)"
        case .runs(let band): "runs-\(band)"
        }
    }

    public init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "-")
        guard parts.count == 2, let band = Int(parts[1]), (0..<16).contains(band) else { return nil }
        switch parts[0] {
        case "bodies": self = .bodies(band)
        case "runs": self = .runs(band)
        default: return nil
        }
    }
}
