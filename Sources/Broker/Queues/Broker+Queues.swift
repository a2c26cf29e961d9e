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
        try await configureGroup(group) { settings throws(ConfigProblem) in
            for name in changes.keys.sorted() where ConfigDefinition.group[name] == nil {
                throw ConfigProblem("unknown group setting '\(name)'")
            }
            return settings.merging(changes)
        }
    }

    /// Gives a group the settings that `change` makes of what it has; nobody else changes them meanwhile.
    public func configureGroup(
        _ group: String, _ change: @Sendable ([String: String]) throws(ConfigProblem) -> [String: String]
    ) async throws(ConfigProblem) {
        try await groupConfigs.change(group, limit: limits.groups, change)
        for shard in shards { shard.run { shard.cursors?.configured(group: group) } }
        events.add(.info, "group \(group) reconfigured", at: clock.now)
    }
}

extension [String: String] {
    /// Sets what has a value and takes out what is nil.
    func merging(_ changes: [String: String?]) -> [String: String] {
        var merged = self
        for (key, value) in changes { merged[key] = value }
        return merged
    }
}
