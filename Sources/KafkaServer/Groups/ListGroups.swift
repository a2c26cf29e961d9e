import Broker
import Groups
import KafkaWire

/// ListGroups, key 16, versions 0–5: by state from 4 (KIP-518), by type from 5 (KIP-848). All groups here are of type `classic`.
enum ListGroups {
    private static let type = "classic"

    static func handle(_ request: ListGroupsRequest, _ context: RequestContext) {
        let shards = context.door.broker.groupCoordinators
        let states = Set(request.statesFilter.map { $0.lowercased() })
        let types = Set(request.typesFilter.map { $0.lowercased() })
        context.answer {
            var response = ListGroupsResponse()
            guard types.isEmpty || types.contains(type) else { return response }
            for coordinator in shards {
                let groups = await withCheckedContinuation { continuation in
                    coordinator.list { continuation.resume(returning: $0) }
                }
                for group in groups where states.isEmpty || states.contains(group.state.rawValue.lowercased()) {
                    var listed = ListGroupsResponse.ListedGroup()
                    listed.groupId = group.id
                    listed.protocolType = group.protocolType
                    listed.groupState = group.state.rawValue
                    listed.groupType = type
                    response.groups.append(listed)
                }
            }
            return response
        }
    }
}
