import Control
import Model

extension Broker {
    /// Changes settings of a topic, queue or share group; those that are not named stay.
    func alter(_ change: SettingsChange) async throws(ControlError) -> CommandOutcome {
        guard !change.set.isEmpty || !change.unset.isEmpty else {
            throw ControlError(.invalid, "\(change.name): name a setting to change, as --config KEY=VALUE or --unset KEY")
        }
        if let both = change.unset.first(where: { change.set[$0] != nil }) {
            throw ControlError(.invalid, "\(both) can't be set and unset at once")
        }
        switch change.kind {
        case .topic: try await alterTopic(change)
        case .queue: try await alterQueue(change)
        case .group: try await alterGroup(change)
        }
        let words =
            change.set.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
            + change.unset.sorted().map { "\($0) back to the default" }
        return CommandOutcome(message: "\(change.name): \(words.joined(separator: ", "))")
    }

    private func alterTopic(_ change: SettingsChange) async throws(ControlError) {
        guard catalog.current[change.name] != nil else {
            throw ControlError(.notFound, "there is no topic \(change.name): 'weir topic ls' lists them")
        }
        try checkUnset(change)
        var changes: [String: String?] = [:]
        for (key, value) in change.set { changes[key] = .some(value) }
        for key in change.unset { changes[key] = .some(nil) }
        let wanted = changes
        do throws(Catalog.Failure) {
            try await configureTopic(change.name) { topic throws(Catalog.Failure) in
                try self.config(wanted, of: change.name, before: topic)
            }
        } catch { throw error.queueControl(change.name) }
    }

    /// What a topic's settings become with these changes: what has a value is set, nil goes back to the default.
    /// - Parameter topic: as it is before them; nil for one that is not there yet.
    func config(_ changes: [String: String?], of name: String, before topic: Topic?) throws(Catalog.Failure) -> TopicConfig {
        let settings = (topic?.config.overrides ?? [:]).merging(changes)
        let config: TopicConfig
        do throws(ConfigProblem) { config = try topicConfig(settings, before: topic) } catch { throw .invalidConfig(error.message) }
        if let problem = deadLetterProblem(name, config) { throw .invalidConfig(problem) }
        return config
    }

    private func alterQueue(_ change: SettingsChange) async throws(ControlError) {
        let name = change.name
        let topics = catalog.current
        guard let topic = topics[name] else {
            if let at = name.lastIndex(of: "@"), topics[String(name[name.index(after: at)...])] != nil {
                throw ControlError(.invalid, "\(name) is a share group: 'weir group alter \(name[..<at])' changes its settings")
            }
            throw ControlError(.notFound, "there is no queue \(name): 'weir queue ls' lists them")
        }
        guard topic.config.isQueue else {
            throw ControlError(
                .invalid, "\(name) is a topic, not a queue: 'weir topic alter' changes it, 'weir queue declare' makes it one")
        }
        try checkUnset(change)
        var settings = change.set
        for key in change.unset { settings[key] = "" }
        _ = try await declare(name, settings)
    }

    /// A group's settings hold on every topic it reads; they can be given before it first comes.
    private func alterGroup(_ change: SettingsChange) async throws(ControlError) {
        let name = change.name
        if let at = name.lastIndex(of: "@"), catalog.current[String(name[name.index(after: at)...])] != nil {
            throw ControlError(.invalid, "settings are a group's, whatever topics it reads: name it \(name[..<at]), not \(name)")
        }
        if await shard(named: name).ask({ $0.groups.table[name] != nil }) {
            throw ControlError(.conflict, "\(name) is a consumer group: only share groups have settings")
        }
        var changes: [String: String?] = [:]
        for (key, value) in change.set { changes[key] = .some(value) }
        for key in change.unset { changes[key] = .some(nil) }
        do throws(ConfigProblem) { try await configureGroup(name, changes) } catch { throw ControlError(.invalid, error.message) }
    }

    private func checkUnset(_ change: SettingsChange) throws(ControlError) {
        for key in change.unset where ConfigDefinition.topic[key] == nil {
            throw ControlError(.invalid, "unknown topic setting '\(key)'")
        }
    }

    /// A queue is not its own dead-letter queue.
    func deadLetterProblem(_ name: String, _ config: TopicConfig) -> String? {
        guard config.isQueue, config.overrides["dead.letter"] == name else { return nil }
        return "\(name) can't be its own dead-letter queue: what is rejected would come back for ever"
    }
}
