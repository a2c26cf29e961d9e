import Broker
import KafkaWire
import Model

/// AlterConfigs, key 33: replaces all of a topic's settings.
enum AlterConfigs {
    static func handle(_ request: AlterConfigsRequest, _ context: RequestContext) {
        let broker = context.door.broker
        context.answer {
            var response = AlterConfigsResponse()
            var audit = AdminAudit(context)
            for wanted in request.resources {
                var result = AlterConfigsResponse.AlterConfigsResourceResponse()
                result.resourceType = wanted.resourceType
                result.resourceName = wanted.resourceName
                var settings: [String: String] = [:]
                for config in wanted.configs { settings[config.name] = config.value }
                let replaced = settings
                let problem = await ConfigChange.apply(
                    type: wanted.resourceType, name: wanted.resourceName, validateOnly: request.validateOnly, broker
                ) { _ in replaced }
                if let problem {
                    result.errorCode = problem.code
                    result.errorMessage = problem.message
                }
                response.responses.append(result)
                let changes = replaced.mapValues { Optional($0) }
                if let act = ConfigChange.act(type: wanted.resourceType, name: wanted.resourceName, changes) {
                    audit.add(act, result.errorCode, result.errorMessage, isDry: request.validateOnly)
                }
            }
            await audit.write()
            return response
        }
    }
}

/// IncrementalAlterConfigs, key 44: sets and unsets single settings (KIP-339).
enum IncrementalAlterConfigs {
    private static let set: Int8 = 0
    private static let delete: Int8 = 1
    private static let append: Int8 = 2
    private static let subtract: Int8 = 3

    static func handle(_ request: IncrementalAlterConfigsRequest, _ context: RequestContext) {
        let broker = context.door.broker
        context.answer {
            var response = IncrementalAlterConfigsResponse()
            var audit = AdminAudit(context)
            for wanted in request.resources {
                var result = IncrementalAlterConfigsResponse.AlterConfigsResourceResponse()
                result.resourceType = wanted.resourceType
                result.resourceName = wanted.resourceName
                let problem = await ConfigChange.apply(
                    type: wanted.resourceType, name: wanted.resourceName, validateOnly: request.validateOnly, broker
                ) { settings throws(ConfigProblem) in
                    var changed = settings
                    for config in wanted.configs {
                        switch config.configOperation {
                        case set: changed[config.name] = config.value ?? ""
                        case delete: changed[config.name] = nil
                        case append, subtract: throw ConfigProblem("'\(config.name)' is no list; set it or delete it")
                        default: throw ConfigProblem("operation \(config.configOperation) is not known")
                        }
                    }
                    return changed
                }
                if let problem {
                    result.errorCode = problem.code
                    result.errorMessage = problem.message
                }
                response.responses.append(result)
                let changes = Dictionary(
                    wanted.configs.map { ($0.name, $0.configOperation == delete ? nil : $0.value ?? "") }, uniquingKeysWith: { $1 })
                if let act = ConfigChange.act(type: wanted.resourceType, name: wanted.resourceName, changes) {
                    audit.add(act, result.errorCode, result.errorMessage, isDry: request.validateOnly)
                }
            }
            await audit.write()
            return response
        }
    }
}

/// What both ways of changing settings share.
enum ConfigChange {
    /// What settings become.
    typealias Change = @Sendable ([String: String]) throws(ConfigProblem) -> [String: String]

    /// For the audit log; nil for a kind of resource that can't be altered.
    static func act(type: Int8, name: String, _ changes: [String: String?]) -> KafkaAct? {
        switch type {
        case ConfigResource.topic: .configureTopic(name, changes)
        case ConfigResource.group: .configureGroup(name, changes)
        default: nil
        }
    }

    /// What is wrong with the change; nil when it is done (or would be, when only validated).
    static func apply(
        type: Int8, name: String, validateOnly: Bool, _ broker: Broker,
        _ change: @escaping Change
    ) async -> (code: ErrorCode, message: String)? {
        if type == ConfigResource.group { return await applyToGroup(name, validateOnly: validateOnly, broker, change) }
        guard type == ConfigResource.topic else {
            return (.invalidRequest, "only settings of topics (resource type 2) and groups (32) can be altered here")
        }
        guard let topic = broker.catalog.current[name] else {
            return (.unknownTopicOrPartition, Catalog.Failure.unknown.message(name))
        }
        if broker.options.readOnly { return (.policyViolation, "the broker is read-only") }
        do throws(Catalog.Failure) {
            // Inside the catalog's gate, so that of two changes at once neither takes the other one back.
            let changed: @Sendable (Topic) throws(Catalog.Failure) -> TopicConfig = { topic throws(Catalog.Failure) in
                do throws(ConfigProblem) {
                    let config = try broker.topicConfig(try change(topic.config.overrides), before: topic)
                    if let problem = config.queueProblem ?? config.problem(partitions: topic.partitions) { throw ConfigProblem(problem) }
                    return config
                } catch { throw .invalidConfig(error.message) }
            }
            if validateOnly { _ = try changed(topic) } else { try await broker.configureTopic(name, changed) }
            return nil
        } catch { return (error.code, error.message(name)) }
    }

    private static func applyToGroup(
        _ name: String, validateOnly: Bool, _ broker: Broker, _ change: @escaping Change
    ) async -> (code: ErrorCode, message: String)? {
        if name.isEmpty { return (.invalidRequest, "a group's name is not empty") }
        if broker.options.readOnly { return (.policyViolation, "the broker is read-only") }
        let changed: Change = { before throws(ConfigProblem) in
            let after = try change(before)
            for (key, value) in after.sorted(by: { $0.key < $1.key }) where before[key] != value {
                if let problem = GroupSetting.problem(key, value, broker.catalog.current) {
                    throw ConfigProblem("\(key)=\(value): \(problem)")
                }
            }
            return after
        }
        do throws(ConfigProblem) {
            if validateOnly {
                _ = try changed(broker.groupConfigs.settings(of: name))
            } else {
                try await broker.configureGroup(name, changed)
            }
            return nil
        } catch { return (.invalidConfig, error.message) }
    }
}

/// What is asked of a share group's settings when they come through Kafka.
enum GroupSetting {
    private static let deadLetterTopic = "errors.deadletterqueue.topic.name"
    /// Kafka's default of `errors.deadletterqueue.topic.name.prefix` (KIP-1191): no group makes a topic of any other kind its target.
    private static let deadLetterPrefix = "dlq."

    static func problem(_ name: String, _ value: String, _ topics: Catalog.View) -> String? {
        guard let definition = ConfigDefinition.group[name] else { return "there is no such group setting" }
        if let problem = definition.problem(with: value) { return problem }
        guard name == deadLetterTopic, !value.isEmpty else { return nil }
        guard value.hasPrefix(deadLetterPrefix) else { return "the name of a dead-letter topic begins with '\(deadLetterPrefix)'" }
        // One that is not there is made as a dead-letter queue by its first message.
        if let topic = topics[value], !topic.config.isDeadLetterQueue {
            return "the topic takes no dead letters: set errors.deadletterqueue.group.enable=true on it first"
        }
        return nil
    }
}
