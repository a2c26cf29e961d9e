import Broker
import Groups
import KafkaWire

/// SyncGroup, key 14, versions 0–5: 3 knows static members (KIP-345), 5 names the protocol (KIP-559). Answered when the leader has assigned
/// and the assignment is logged.
enum SyncGroup {
    static func handle(_ request: SyncGroupRequest, _ context: RequestContext) {
        if context.version >= 5, request.protocolType == nil || request.protocolName == nil {
            var response = SyncGroupResponse()
            response.errorCode = .inconsistentGroupProtocol
            return context.answer(response)
        }
        context.connection.carries(request.memberId, of: request.groupId)
        let sync = SyncRequest(
            memberID: request.memberId, instanceID: request.groupInstanceId, generation: request.generationId,
            protocolType: request.protocolType, protocolName: request.protocolName,
            assignments: request.assignments.map { ($0.memberId, $0.assignment.detached) })
        context.door.broker.coordinator(of: request.groupId).sync(request.groupId, sync) { answer in
            var response = SyncGroupResponse()
            response.errorCode = answer.error.code
            response.protocolType = answer.protocolType
            response.protocolName = answer.protocolName
            response.assignment = answer.assignment
            context.answer(response)
        }
    }
}
