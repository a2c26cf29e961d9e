import Broker
import Groups
import KafkaWire
import Model

/// ShareGroupHeartbeat, key 76, version 1: join, stay and leave (KIP-932).
enum ShareGroupHeartbeat {
    static func handle(_ request: ShareGroupHeartbeatRequest, _ context: RequestContext) {
        context.connection.carries(request.memberEpoch < 0 ? nil : request.memberId, of: request.groupId)
        let coordinator = context.door.broker.shareCoordinator(of: request.groupId)
        let heartbeat = ShareHeartbeat(
            memberID: request.memberId, epoch: request.memberEpoch, rackID: request.rackId, topics: request.subscribedTopicNames,
            clientID: context.clientID ?? "", clientHost: "/\(context.connection.clientHost)")
        let intervalMs = coordinator.times(of: request.groupId).heartbeatIntervalMs
        coordinator.heartbeat(request.groupId, heartbeat) { answer in
            var response = ShareGroupHeartbeatResponse()
            response.errorCode = answer.error?.code ?? .none
            response.errorMessage = answer.message
            response.memberId = answer.memberID
            response.memberEpoch = answer.epoch
            response.heartbeatIntervalMs = Int32(clamping: intervalMs)
            response.assignment = answer.assignment.map { assigned in
                var assignment = ShareGroupHeartbeatResponse.Assignment()
                assignment.topicPartitions = assigned.map { topic in
                    var partitions = ShareGroupHeartbeatResponse.TopicPartitions()
                    partitions.topicId = topic.id.uuid
                    partitions.partitions = topic.partitions
                    return partitions
                }
                return assignment
            }
            context.answer(response)
        }
    }
}
