import Broker
import Groups
import KafkaWire
import NIOCore

/// JoinGroup, key 11, versions 0–9: 1 has a rebalance timeout of its own, 4 asks a new member to come back with its id (KIP-394), 5 knows
/// static members (KIP-345), 9 tells a returning static leader not to assign (KIP-814). Answered when the generation is complete.
enum JoinGroup {
    static func handle(_ request: JoinGroupRequest, _ context: RequestContext) {
        let version = context.version
        let join = JoinRequest(
            memberID: request.memberId, instanceID: request.groupInstanceId, clientID: context.clientID ?? "",
            clientHost: "/\(context.connection.clientHost)", sessionTimeoutMs: request.sessionTimeoutMs,
            rebalanceTimeoutMs: version == 0 ? request.sessionTimeoutMs : request.rebalanceTimeoutMs,
            protocolType: request.protocolType,
            protocols: request.protocols.map { GroupProtocol(name: $0.name, metadata: $0.metadata.detached) },
            requiresMemberID: version >= 4, supportsSkippingAssignment: version >= 9)
        context.door.broker.coordinator(of: request.groupId).join(request.groupId, join) { answer in
            context.answer(response(answer, version: version))
        }
    }

    private static func response(_ answer: JoinAnswer, version: Int16) -> JoinGroupResponse {
        var response = JoinGroupResponse()
        response.errorCode = answer.error.code
        response.generationId = answer.generation
        response.protocolType = answer.protocolType
        // Nullable since version 7.
        response.protocolName = answer.protocolName ?? (version >= 7 ? nil : "")
        response.leader = answer.leader
        response.skipAssignment = answer.skipAssignment
        response.memberId = answer.memberID
        response.members = answer.members.map { member in
            var listed = JoinGroupResponse.JoinGroupResponseMember()
            listed.memberId = member.id
            listed.groupInstanceId = member.instanceID
            listed.metadata = member.metadata
            return listed
        }
        return response
    }
}
