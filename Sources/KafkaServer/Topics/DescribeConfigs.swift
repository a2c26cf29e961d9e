import Broker
import KafkaWire
import Model

/// Kinds of things that have settings (Kafka's ConfigResource.Type).
enum ConfigResource {
    static let topic: Int8 = 2
    static let broker: Int8 = 4
    /// A share group (KIP-848, KIP-932).
    static let group: Int8 = 32
}

/// DescribeConfigs, key 32: settings of a topic, of the broker, of a share group.
enum DescribeConfigs {
    static func handle(_ request: DescribeConfigsRequest, _ context: RequestContext) {
        var response = DescribeConfigsResponse()
        for wanted in request.resources {
            response.results.append(describe(wanted, includeDocs: request.includeDocumentation, context.door.broker))
        }
        context.answer(response)
    }

    private static func describe(
        _ wanted: DescribeConfigsRequest.DescribeConfigsResource, includeDocs: Bool, _ broker: Broker
    ) -> DescribeConfigsResponse.DescribeConfigsResult {
        var result = DescribeConfigsResponse.DescribeConfigsResult()
        result.resourceType = wanted.resourceType
        result.resourceName = wanted.resourceName
        var rows: [DescribeConfigsResponse.DescribeConfigsResourceResult] = []
        switch wanted.resourceType {
        case ConfigResource.topic:
            guard let topic = broker.catalog.current[wanted.resourceName] else {
                result.errorCode = .unknownTopicOrPartition
                result.errorMessage = Catalog.Failure.unknown.message(wanted.resourceName)
                return result
            }
            rows = ConfigDefinition.topicList.map { row($0, topic.config.overrides[$0.name], includeDocs: includeDocs) }
        case ConfigResource.broker:
            guard wanted.resourceName.isEmpty || wanted.resourceName == String(KafkaDoor.nodeID) else {
                result.errorCode = .invalidRequest
                result.errorMessage = "there is one broker, \(KafkaDoor.nodeID)"
                return result
            }
            rows = brokerRows(broker)
        case ConfigResource.group:
            // A group need not exist to have settings.
            guard !wanted.resourceName.isEmpty else {
                result.errorCode = .invalidRequest
                result.errorMessage = "a group's name is not empty"
                return result
            }
            let settings = broker.groupConfigs.settings(of: wanted.resourceName)
            rows = ConfigDefinition.groupList.map {
                row($0, settings[$0.name], source: ConfigSource.group, includeDocs: includeDocs)
            }
        default:
            result.errorCode = .invalidRequest
            result.errorMessage = "resource type \(wanted.resourceType) has no settings here; 2 is a topic, 4 a broker, 32 a group"
            return result
        }
        result.configs = wanted.configurationKeys.map { keys in rows.filter { keys.contains($0.name) } } ?? rows
        return result
    }

    private static func row(
        _ definition: ConfigDefinition, _ override: String?, source: Int8 = ConfigSource.topic, includeDocs: Bool
    ) -> DescribeConfigsResponse.DescribeConfigsResourceResult {
        var row = DescribeConfigsResponse.DescribeConfigsResourceResult()
        row.name = definition.name
        row.value = override ?? definition.defaultValue
        row.configSource = override == nil ? ConfigSource.defaultConfig : source
        row.configType = definition.kind.wireType
        row.documentation = includeDocs ? definition.doc : nil
        return row
    }

    private static func brokerRows(_ broker: Broker) -> [DescribeConfigsResponse.DescribeConfigsResourceResult] {
        let limits = broker.limits
        let settings: [(String, String)] = [
            ("auto.create.topics.enable", String(broker.options.autoCreateTopics)),
            ("default.replication.factor", "1"),
            ("delay.drain.rate", String(limits.releasesPerSecond)),
            ("delay.levels", broker.options.delayLevels.text),
            ("disk.free.low", broker.options.diskFreeLow?.text ?? "auto"),
            ("flush", broker.options.flush.rawValue),
            ("memory.high", broker.options.memoryHigh.text),
            ("message.max.bytes", String(limits.batchBytes)),
            ("num.partitions", String(broker.options.defaultPartitions)),
            ("offset.metadata.max.bytes", String(limits.offsetMetadataBytes)),
            ("retention.settled.bytes", String(broker.options.settledRetentionBytes)),
            ("socket.request.max.bytes", String(limits.requestBytes)),
        ]
        return settings.map { name, value in
            var row = DescribeConfigsResponse.DescribeConfigsResourceResult()
            row.name = name
            row.value = value
            row.readOnly = true
            row.configSource = ConfigSource.staticBroker
            return row
        }
    }
}

extension ConfigDefinition.Kind {
    /// Kafka's ConfigDef types: 1 boolean, 2 string, 5 long, 6 double.
    var wireType: Int8 {
        switch self {
        case .bool: 1
        case .choice, .text: 2
        case .long: 5
        case .double: 6
        }
    }
}
