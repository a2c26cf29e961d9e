import Broker
import KafkaWire
import Model
import Wire

/// Metadata, key 3: the one broker, and topics by name or id; creates the ones that are missing where both sides allow it.
enum Metadata {
    static func handle(_ request: MetadataRequest, _ context: RequestContext) {
        let broker = context.door.broker
        let topics = broker.catalog.current
        // Version 0 says "all" with an empty list, later ones with null.
        guard let wanted = request.topics, !(context.version == 0 && wanted.isEmpty) else {
            return context.answer(response(context, topics.sorted.map { describe($0, context) }))
        }
        let mayCreate =
            broker.options.autoCreateTopics && !broker.options.readOnly
            && (context.version < 4 || request.allowAutoTopicCreation)
        let missing = wanted.compactMap(\.name).filter { topics[$0] == nil && Topic.problem(withName: $0, limits: broker.limits) == nil }
        guard mayCreate, !missing.isEmpty else {
            return context.answer(response(context, wanted.map { lookUp($0, topics, context) }))
        }
        context.answer {
            var failures: [String: Catalog.Failure] = [:]
            for name in missing {
                do throws(Catalog.Failure) {
                    try await broker.createTopic(name, partitions: broker.options.defaultPartitions, config: .defaults)
                } catch {
                    if error != .exists { failures[name] = error }
                }
            }
            let now = broker.catalog.current
            return response(
                context,
                wanted.map { topic in
                    var found = lookUp(topic, now, context)
                    if let name = topic.name, let failure = failures[name] { found.errorCode = failure.code }
                    return found
                })
        }
    }

    private static func lookUp(
        _ wanted: MetadataRequest.MetadataRequestTopic, _ topics: Catalog.View, _ context: RequestContext
    ) -> MetadataResponse.MetadataResponseTopic {
        let byID = wanted.name == nil
        if let topic = byID ? topics[TopicID(wanted.topicId)] : topics[wanted.name ?? ""] { return describe(topic, context) }
        var missing = MetadataResponse.MetadataResponseTopic()
        missing.name = wanted.name
        missing.topicId = wanted.topicId
        let isLegal = Topic.problem(withName: wanted.name ?? "", limits: context.door.broker.limits) == nil
        missing.errorCode = byID ? .unknownTopicId : isLegal ? .unknownTopicOrPartition : .invalidTopic
        return missing
    }

    private static func describe(_ topic: Topic, _ context: RequestContext) -> MetadataResponse.MetadataResponseTopic {
        var described = MetadataResponse.MetadataResponseTopic()
        described.name = topic.name
        described.topicId = topic.id.uuid
        described.partitions = (0..<topic.partitions).map { index in
            var partition = MetadataResponse.MetadataResponsePartition()
            partition.partitionIndex = index
            partition.leaderId = KafkaDoor.nodeID
            partition.leaderEpoch = context.door.broker.epoch.value
            partition.replicaNodes = [KafkaDoor.nodeID]
            partition.isrNodes = [KafkaDoor.nodeID]
            return partition
        }
        return described
    }

    private static func response(_ context: RequestContext, _ topics: [MetadataResponse.MetadataResponseTopic]) -> MetadataResponse {
        var response = MetadataResponse()
        var node = MetadataResponse.MetadataResponseBroker()
        node.nodeId = KafkaDoor.nodeID
        node.host = context.door.advertised.host
        node.port = Int32(context.door.advertised.port)
        response.brokers = [node]
        response.clusterId = context.door.broker.clusterID
        response.controllerId = KafkaDoor.nodeID
        response.topics = topics
        return response
    }
}
