import Broker
import KafkaWire
import Model

/// ShareAcknowledge, key 79, versions 1–2: a member's answers without a fetch; epoch −1 closes its session afterwards.
enum ShareAcknowledge {
    static func handle(_ request: ShareAcknowledgeRequest, _ context: RequestContext) {
        guard var share = ShareRequest(group: request.groupId, member: request.memberId, epoch: request.shareSessionEpoch) else {
            return refuse(.invalidRequest, "a group, a member and a session epoch are needed", context)
        }
        let connection = context.connection
        if let code = check(share, connection) { return refuse(code, nil, context) }
        for topic in request.topics {
            for partition in topic.partitions {
                share.acknowledge(
                    topic.topicId, partition.partitionIndex,
                    partition.acknowledgementBatches.map { .init(first: $0.firstOffset, last: $0.lastOffset, types: $0.acknowledgeTypes) },
                    renewals: context.version >= 2)
            }
        }
        connection.shareState.sessions[share.key]?.advance()
        let closes = share.epoch == ShareRequest.closes
        let key = share.key
        share.settle(context) { acknowledged in
            if closes { connection.endShareSession(key, wasLost: false) }
            context.answer(response(acknowledged, lockMs: lockMs(of: key.group, acknowledged, context)))
        }
    }

    private static func check(_ share: ShareRequest, _ connection: Connection) -> ErrorCode? {
        // A session is opened by a fetch: before it there is nothing to acknowledge.
        if share.epoch == ShareRequest.opens { return .invalidShareSessionEpoch }
        guard let session = connection.shareState.sessions[share.key],
            connection.door.shareSessions.owns(share.key, connection: connection.number)
        else { return .shareSessionNotFound }
        return share.epoch == ShareRequest.closes || share.epoch == session.epoch ? nil : .invalidShareSessionEpoch
    }

    private static func refuse(_ code: ErrorCode, _ message: String?, _ context: RequestContext) {
        var response = ShareAcknowledgeResponse()
        response.errorCode = code
        response.errorMessage = message
        context.door.broker.noteError()
        context.answer(response)
    }

    private static func lockMs(of group: String, _ acknowledged: [ShareRequest.Acknowledged], _ context: RequestContext) -> Int64 {
        guard context.version >= 2, let first = acknowledged.first else { return 0 }
        let broker = context.door.broker
        return broker.catalog.current[TopicID(first.topic)].flatMap { broker.policy(group: group, topic: $0.name) }?.lockMs ?? 0
    }

    private static func response(_ acknowledged: [ShareRequest.Acknowledged], lockMs: Int64) -> ShareAcknowledgeResponse {
        var response = ShareAcknowledgeResponse()
        response.acquisitionLockTimeoutMs = Int32(clamping: lockMs)
        for entry in acknowledged {
            var partition = ShareAcknowledgeResponse.PartitionData()
            partition.partitionIndex = entry.index
            partition.errorCode = entry.result.code
            partition.errorMessage = entry.result.message
            if response.responses.last?.topicId != entry.topic {
                var topic = ShareAcknowledgeResponse.ShareAcknowledgeTopicResponse()
                topic.topicId = entry.topic
                response.responses.append(topic)
            }
            response.responses[response.responses.count - 1].partitions.append(partition)
        }
        return response
    }
}
