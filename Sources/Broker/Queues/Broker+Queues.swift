import Model
import Queues
import Storage

extension Broker {
    /// What a share group does with the messages of a topic; nil when there is no such topic.
    public func policy(group: String, topic: String) -> QueuePolicy? {
        catalog.current[topic].map { groupConfigs.policy(group: group, topic: topic, $0.config) }
    }

    /// Sets what has a value and takes back what is nil; cursors follow at once.
    /// - Throws: ``ConfigProblem`` that names the setting; nothing is changed then.
    public func configureGroup(_ group: String, _ changes: [String: String?]) async throws(ConfigProblem) {
        try await groupConfigs.change(group, changes, limit: limits.groups)
        for shard in shards { shard.run { shard.cursors?.configured(group: group) } }
        events.add(.info, "group \(group) reconfigured", at: clock.now)
    }
}
