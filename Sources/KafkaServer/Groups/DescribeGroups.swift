import Broker
import Groups
import KafkaWire

/// DescribeGroups, key 15, versions 0–6: a group that does not exist is Dead without error up to version 5, and an error from 6 (KIP-1043).
enum DescribeGroups {
    static func handle(_ request: DescribeGroupsRequest, _ context: RequestContext) {
        let broker = context.door.broker
        context.answer {
            var response = DescribeGroupsResponse()
            for id in request.groups {
                let found = await withCheckedContinuation { continuation in
                    broker.coordinator(of: id).describe([id]) { continuation.resume(returning: $0) }
                }
                response.groups.append(describe(id, found[0], version: context.version))
            }
            return response
        }
    }

    private static func describe(
        _ id: String, _ description: GroupDescription?, version: Int16
    ) -> DescribeGroupsResponse.DescribedGroup {
        var group = DescribeGroupsResponse.DescribedGroup()
        group.groupId = id
        group.authorizedOperations = Int32.min
        guard let description else {
            group.groupState = GroupState.dead.rawValue
            if version >= 6 {
                group.errorCode = .groupIdNotFound
                group.errorMessage = "Group \(id) not found."
            }
            return group
        }
        group.groupState = description.state.rawValue
        group.protocolType = description.protocolType
        group.protocolData = description.protocolName
        group.members = description.members.map { member in
            var described = DescribeGroupsResponse.DescribedGroupMember()
            described.memberId = member.id
            described.groupInstanceId = member.instanceID
            described.clientId = member.clientID
            described.clientHost = member.clientHost
            described.memberMetadata = member.metadata
            described.memberAssignment = member.assignment
            return described
        }
        return group
    }
}
