import Broker
import KafkaWire
import Model

/// CreateTopics, key 19 (KIP-4; -1 for the broker's default number of partitions and replicas: KIP-464).
enum CreateTopics {
    static func handle(_ request: CreateTopicsRequest, _ context: RequestContext) {
        let broker = context.door.broker
        context.answer {
            var response = CreateTopicsResponse()
            let names = request.topics.map(\.name)
            var audit = AdminAudit(context)
            for wanted in request.topics {
                let isTwice = names.count { $0 == wanted.name } > 1
                let result = await create(wanted, isTwice: isTwice, validateOnly: request.validateOnly, broker)
                response.topics.append(result)
                let configs = Dictionary(wanted.configs.map { ($0.name, $0.value ?? "") }, uniquingKeysWith: { $1 })
                let partitions = result.errorCode == .none ? result.numPartitions : wanted.numPartitions
                audit.add(
                    .createTopic(wanted.name, partitions: partitions, configs: configs), result.errorCode, result.errorMessage,
                    isDry: request.validateOnly)
            }
            await audit.write()
            return response
        }
    }

    private static func create(
        _ wanted: CreateTopicsRequest.CreatableTopic, isTwice: Bool, validateOnly: Bool, _ broker: Broker
    ) async -> CreateTopicsResponse.CreatableTopicResult {
        var result = CreateTopicsResponse.CreatableTopicResult()
        result.name = wanted.name
        func refuse(_ code: ErrorCode, _ message: String) -> CreateTopicsResponse.CreatableTopicResult {
            result.errorCode = code
            result.errorMessage = message
            broker.noteError()
            return result
        }
        if broker.options.readOnly { return refuse(.policyViolation, "the broker is read-only") }
        if isTwice { return refuse(.invalidRequest, "the request names '\(wanted.name)' twice") }
        var partitions = wanted.numPartitions
        if !wanted.assignments.isEmpty {
            guard wanted.numPartitions == -1, wanted.replicationFactor == -1 else {
                return refuse(.invalidRequest, "give either assignments or numbers of partitions and replicas")
            }
            guard wanted.assignments.allSatisfy({ $0.brokerIds == [KafkaDoor.nodeID] }),
                wanted.assignments.map(\.partitionIndex).sorted() == (0..<Int32(wanted.assignments.count)).map({ $0 })
            else {
                return refuse(
                    .invalidReplicaAssignment, "partitions must be 0, 1, 2 … on broker \(KafkaDoor.nodeID), which is the only one")
            }
            partitions = Int32(wanted.assignments.count)
        } else if wanted.replicationFactor != -1 && wanted.replicationFactor != 1 {
            return refuse(.invalidReplicationFactor, "replication factor \(wanted.replicationFactor) is more than the 1 broker there is")
        }
        var settings: [String: String] = [:]
        for config in wanted.configs { settings[config.name] = config.value ?? "" }
        let config: TopicConfig
        do throws(ConfigProblem) { config = try broker.topicConfig(settings) } catch { return refuse(.invalidConfig, error.message) }
        if let problem = config.queueProblem { return refuse(.invalidConfig, problem) }
        if partitions == -1 { partitions = config.priorities ?? broker.options.defaultPartitions }
        if let problem = config.problem(partitions: partitions) { return refuse(.invalidPartitions, problem) }
        if let problem = broker.catalog.problem(creating: wanted.name, partitions: partitions) {
            return refuse(problem.code, problem.message(wanted.name))
        }
        if !validateOnly {
            do throws(Catalog.Failure) {
                result.topicId = try await broker.createTopic(wanted.name, partitions: partitions, config: config).id.uuid
            } catch { return refuse(error.code, error.message(wanted.name)) }
        }
        result.numPartitions = partitions
        result.replicationFactor = 1
        result.configs = ConfigDefinition.topicList.map { definition in
            var row = CreateTopicsResponse.CreatableTopicConfigs()
            row.name = definition.name
            row.value = config.overrides[definition.name] ?? definition.defaultValue
            row.configSource = config.overrides[definition.name] == nil ? ConfigSource.defaultConfig : ConfigSource.topic
            return row
        }
        return result
    }
}

/// Where a setting's value comes from (Kafka's DescribeConfigsResponse.ConfigSource).
enum ConfigSource {
    static let topic: Int8 = 1
    static let staticBroker: Int8 = 4
    static let defaultConfig: Int8 = 5
    static let group: Int8 = 8
}
