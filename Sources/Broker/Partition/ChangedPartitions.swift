import Model

/// Which partitions of a shard are not as they were when statistics last looked, so that ten thousand idle queues cost nothing. Owned by
/// the shard's loop.
///
/// ```
/// written(orders-0), acknowledged(orders-0), written(pay-3), deleted(old-0)
/// take(1) → changed [orders-0], gone [old-0]; take(1) → [pay-3], []; then [], []
/// ```
/// Bounded by the partitions there are and those that were deleted since the last look, which is a second ago at most.
final class ChangedPartitions {
    private var changed: [PartitionID] = []
    private var gone: [PartitionID] = []

    func note(_ id: PartitionID) { changed.append(id) }
    func note(gone id: PartitionID) { gone.append(id) }

    /// Partitions that have changed.
    var count: Int { changed.count }

    /// The first `limit` that changed, and all that are gone.
    func take(_ limit: Int) -> (changed: [PartitionID], gone: [PartitionID]) {
        let taken = changed.prefix(limit)
        defer {
            changed.removeFirst(taken.count)
            gone = []
        }
        return (Array(taken), gone)
    }
}
