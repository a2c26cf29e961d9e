import Model
import Queues

extension Broker {
    /// Why a queue may not be given so many partitions: its limits are shared out among them, and what one holds beyond its smaller share
    /// would be dropped at once, though the queue as a whole is within its limits. nil where nothing would be.
    func overflowByGrowth(_ name: String, to partitions: Int32) async -> String? {
        guard let topic = catalog.current[name], topic.config.isQueue, partitions > topic.partitions else { return nil }
        let whole = groupConfigs.policy(group: name, topic: name, topic.config)
        guard whole.overflow == .dropHead, whole.maxDepth != nil || whole.maxBytes != nil else { return nil }
        for id in topic.partitionIDs {
            let share = whole.shared(by: partitions, index: id.index)
            let excess = await shard(of: id).ask { $0.partitions[id]?.own?.excess(over: share) ?? 0 }
            guard excess > 0 else { continue }
            return
                "queue \(name) would drop \(excess) messages of partition \(id.index), whose share of max.depth and max.bytes gets smaller "
                + "with \(partitions) partitions: let it drain, or raise the limits first"
        }
        return nil
    }
}
