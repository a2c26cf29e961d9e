import Broker
import Groups
import KafkaWire

/// Heartbeat, key 12, versions 0–4: 3 knows static members (KIP-345).
enum Heartbeat {
    static func handle(_ request: HeartbeatRequest, _ context: RequestContext) {
        context.connection.carries(request.memberId, of: request.groupId)
        context.door.broker.coordinator(of: request.groupId).heartbeat(
            request.groupId, member: request.memberId, instance: request.groupInstanceId, generation: request.generationId
        ) { error in
            var response = HeartbeatResponse()
            response.errorCode = error.code
            context.answer(response)
        }
    }
}
