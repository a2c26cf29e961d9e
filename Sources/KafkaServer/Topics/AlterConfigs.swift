import Broker
import KafkaWire
import Model

/// AlterConfigs, key 33: replaces all of a topic's settings.
enum AlterConfigs {
    static func handle(_ request: AlterConfigsRequest, _ context: RequestContext) {
        let broker = context.door.broker
        context.answer {
            var response = AlterConfigsResponse()
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
            }
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
            }
            return response
        }
    }
}

/// What both ways of changing settings share.
enum ConfigChange {
    /// What is wrong with the change; nil when it is done (or would be, when only validated).
    static func apply(
        type: Int8, name: String, validateOnly: Bool, _ broker: Broker,
        _ change: ([String: String]) throws(ConfigProblem) -> [String: String]
    ) async -> (code: ErrorCode, message: String)? {
        if type == ConfigResource.group { return await applyToGroup(name, validateOnly: validateOnly, broker, change) }
        guard type == ConfigResource.topic else {
            return (.invalidRequest, "only settings of topics (resource type 2) and groups (32) can be altered here")
        }
        guard let topic = broker.catalog.current[name] else {
            return (.unknownTopicOrPartition, Catalog.Failure.unknown.message(name))
        }
        if broker.options.readOnly { return (.policyViolation, "the broker is read-only") }
        do {
            let config = try TopicConfig.parse(try change(topic.config.overrides))
            if let problem = config.problem(partitions: topic.partitions) { return (.invalidConfig, problem) }
            if !validateOnly { try await broker.configureTopic(name, config) }
            return nil
        } catch let problem as ConfigProblem {
            return (.invalidConfig, problem.message)
        } catch let failure as Catalog.Failure {
            return (failure.code, failure.message(name))
        } catch {
            return (.unknownServerError, "\(error)")
        }
    }

    private static func applyToGroup(
        _ name: String, validateOnly: Bool, _ broker: Broker, _ change: ([String: String]) throws(ConfigProblem) -> [String: String]
    ) async -> (code: ErrorCode, message: String)? {
        if name.isEmpty { return (.invalidRequest, "a group's name is not empty") }
        if broker.options.readOnly { return (.policyViolation, "the broker is read-only") }
        let before = broker.groupConfigs.settings(of: name)
        do {
            let after = try change(before)
            var changes: [String: String?] = [:]
            for (key, value) in after where before[key] != value {
                if let problem = GroupSetting.problem(key, value) { return (.invalidConfig, "\(key)=\(value): \(problem)") }
                changes[key] = .some(value)
            }
            for key in before.keys where after[key] == nil { changes[key] = .some(nil) }
            if !validateOnly { try await broker.configureGroup(name, changes) }
            return nil
        } catch let problem {
            return (.invalidConfig, problem.message)
        }
    }
}

/// What is asked of a share group's settings when they come through Kafka.
enum GroupSetting {
    private static let deadLetterTopic = "errors.deadletterqueue.topic.name"
    /// Kafka's default of `errors.deadletterqueue.topic.name.prefix` (KIP-1191): no group makes a topic of any other kind its target.
    private static let deadLetterPrefix = "dlq."

    static func problem(_ name: String, _ value: String) -> String? {
        guard let definition = ConfigDefinition.group[name] else { return "there is no such group setting" }
        if let problem = definition.problem(with: value) { return problem }
        if name == deadLetterTopic, !value.isEmpty, !value.hasPrefix(deadLetterPrefix) {
            return "the name of a dead-letter topic begins with '\(deadLetterPrefix)'"
        }
        return nil
    }
}
