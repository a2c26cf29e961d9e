import Broker
import Groups
import KafkaWire

/// LeaveGroup, key 13, versions 0–5: one member up to version 2, several from 3, by instance id too (KIP-345).
enum LeaveGroup {
    static func handle(_ request: LeaveGroupRequest, _ context: RequestContext) {
        context.connection.carries(nil, of: request.groupId)
        let isBatched = context.version >= 3
        let leaving =
            isBatched
            ? request.members.map { LeavingMember(memberID: $0.memberId, instanceID: $0.groupInstanceId) }
            : [LeavingMember(memberID: request.memberId)]
        context.door.broker.coordinator(of: request.groupId).leave(request.groupId, leaving) { result in
            var response = LeaveGroupResponse()
            switch result {
            case .failure(let error): response.errorCode = error.code
            case .success(let results) where isBatched:
                response.members = zip(leaving, results).map { member, error in
                    var left = LeaveGroupResponse.MemberResponse()
                    left.memberId = member.memberID
                    left.groupInstanceId = member.instanceID
                    left.errorCode = error.code
                    return left
                }
            case .success(let results): response.errorCode = (results.first ?? nil).code
            }
            context.answer(response)
        }
    }
}
