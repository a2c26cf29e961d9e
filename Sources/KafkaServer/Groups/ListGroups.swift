import Broker
import Groups
import KafkaWire

/// ListGroups, key 16, versions 0–5: by state from 4 (KIP-518), by type from 5 (KIP-848). Types here are
/// `classic` and `share` (KIP-932).
enum ListGroups {
    private static let classic = "classic"
    private static let share = "share"

    static func handle(_ request: ListGroupsRequest, _ context: RequestContext) {
        let broker = context.door.broker
        let states = Set(request.statesFilter.map { $0.lowercased() })
        let types = Set(request.typesFilter.map { $0.lowercased() })
        context.answer {
            var response = ListGroupsResponse()
            if types.isEmpty || types.contains(classic) { response.groups += await classicGroups(broker) }
            if types.isEmpty || types.contains(share) { response.groups += await shareGroups(broker) }
            if !states.isEmpty { response.groups.removeAll { !states.contains($0.groupState.lowercased()) } }
            return response
        }
    }

    private static func classicGroups(_ broker: Broker) async -> [ListGroupsResponse.ListedGroup] {
        var listed: [ListGroupsResponse.ListedGroup] = []
        for coordinator in broker.groupCoordinators {
            let groups = await withCheckedContinuation { continuation in
                coordinator.list { continuation.resume(returning: $0) }
            }
            listed += groups.map { line($0.id, $0.protocolType, $0.state.rawValue, classic) }
        }
        return listed
    }

    private static func shareGroups(_ broker: Broker) async -> [ListGroupsResponse.ListedGroup] {
        await broker.shareGroups().map { line($0.id, share, $0.state, share) }
    }

    private static func line(_ id: String, _ protocolType: String, _ state: String, _ type: String) -> ListGroupsResponse.ListedGroup {
        var group = ListGroupsResponse.ListedGroup()
        group.groupId = id
        group.protocolType = protocolType
        group.groupState = state
        group.groupType = type
        return group
    }
}
