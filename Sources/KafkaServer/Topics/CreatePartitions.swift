import Broker
import KafkaWire
import Model

/// CreatePartitions, key 37: a topic's number of partitions can grow (KIP-195).
enum CreatePartitions {
    static func handle(_ request: CreatePartitionsRequest, _ context: RequestContext) {
        let broker = context.door.broker
        context.answer {
            var response = CreatePartitionsResponse()
            var audit = AdminAudit(context)
            for wanted in request.topics {
                var result = CreatePartitionsResponse.CreatePartitionsTopicResult()
                result.name = wanted.name
                if let (code, message) = await grow(wanted, validateOnly: request.validateOnly, broker) {
                    result.errorCode = code
                    result.errorMessage = message
                    broker.noteError()
                }
                response.results.append(result)
                audit.add(
                    .addPartitions(topic: wanted.name, count: wanted.count), result.errorCode, result.errorMessage,
                    isDry: request.validateOnly)
            }
            await audit.write()
            return response
        }
    }

    /// What is wrong with the request; nil when it is done.
    private static func grow(
        _ wanted: CreatePartitionsRequest.CreatePartitionsTopic, validateOnly: Bool, _ broker: Broker
    ) async -> (ErrorCode, String)? {
        guard let topic = broker.catalog.current[wanted.name] else {
            return (.unknownTopicOrPartition, Catalog.Failure.unknown.message(wanted.name))
        }
        if broker.options.readOnly { return (.policyViolation, "the broker is read-only") }
        guard wanted.count > topic.partitions, Int(wanted.count) <= broker.limits.partitionsPerTopic else {
            return (
                .invalidPartitions,
                "topic '\(topic.name)' has \(topic.partitions) partitions; ask for more, up to \(broker.limits.partitionsPerTopic)"
            )
        }
        if let problem = topic.config.problem(partitions: wanted.count) { return (.invalidPartitions, problem) }
        if let assignments = wanted.assignments {
            let added = wanted.count - topic.partitions
            guard assignments.count == Int(added), assignments.allSatisfy({ $0.brokerIds == [KafkaDoor.nodeID] }) else {
                return (.invalidReplicaAssignment, "\(added) assignments to broker \(KafkaDoor.nodeID), which is the only one, are needed")
            }
        }
        if validateOnly { return nil }
        do throws(Catalog.Failure) { try await broker.growTopic(wanted.name, to: wanted.count) } catch {
            return (error.code, error.message(wanted.name))
        }
        return nil
    }
}
