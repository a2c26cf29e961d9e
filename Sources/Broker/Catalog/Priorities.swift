import Model

/// Priorities: a queue with `queue.priorities=N` has N partitions, and a message's partition is its priority, 0 the lowest.
///
/// ```
/// weir queue declare jobs --priorities 3      partitions 0 1 2; a producer sends an urgent message to partition 2
/// ready 0: 900   1: 4   2: 2                  a consumer that asks for 5 gets both of 2, then three of 1; 0 waits
/// ```
/// A share fetch asks the partitions from the highest to the lowest, shard after shard where they lie on several, and every member reads
/// them all, so nothing of a lower priority is given out while the fetch finds something higher. As in RabbitMQ's classic queues the order
/// is strict: as long as higher priorities keep coming, lower ones starve. What a consumer has fetched already is not overtaken; one that
/// fetches little at a time is closest to the order.
///
/// Retries and delays stay in their partition. A dead letter says its partition (`__dlq.errors.partition`), so that a redrive to its origin
/// brings it back with its priority; on the way to another queue with priorities it keeps it too, as far as that has so many. Limits
/// (`max.depth`, `max.bytes`) are shared out evenly among the priorities, as among the partitions of every queue; rates count for each by
/// itself.
extension TopicConfig {
    /// nil: the topic's partitions are no priorities.
    public var priorities: Int32? {
        guard isQueue, let count = overrides["queue.priorities"].flatMap({ Int32($0) }), count > 1 else { return nil }
        return count
    }
}

extension Topic {
    /// Where a message of partition `index` of `origin` goes to: a priority stays what it is, as far as there are so many here, and what
    /// has none gets the lowest.
    func home(of index: Int32, from origin: Topic?) -> PartitionID? {
        guard config.priorities != nil else { return partition(max(0, index) % partitions) }
        return partition(origin?.config.priorities == nil ? 0 : min(max(0, index), partitions - 1))
    }
}
