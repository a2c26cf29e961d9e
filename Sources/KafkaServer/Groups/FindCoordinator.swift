import KafkaWire

/// FindCoordinator, key 10, versions 0–6: this broker coordinates every group, and keeps every share partition's state. Several keys at
/// once from version 4 (KIP-699). Transactional ids have no coordinator yet.
enum FindCoordinator {
    private static let groupKey: Int8 = 0
    /// `group:topic-id:partition` (KIP-932).
    private static let shareKey: Int8 = 2

    static func handle(_ request: FindCoordinatorRequest, _ context: RequestContext) {
        var response = FindCoordinatorResponse()
        let advertised = context.door.advertised
        let isGroup = request.keyType == groupKey || request.keyType == shareKey
        let problem = "this broker coordinates groups only"
        if context.version >= 4 {
            response.coordinators = request.coordinatorKeys.map { key in
                var coordinator = FindCoordinatorResponse.Coordinator()
                coordinator.key = key
                coordinator.nodeId = isGroup ? KafkaDoor.nodeID : -1
                coordinator.host = isGroup ? advertised.host : ""
                coordinator.port = isGroup ? Int32(advertised.port) : -1
                coordinator.errorCode = isGroup ? .none : .coordinatorNotAvailable
                coordinator.errorMessage = isGroup ? nil : problem
                return coordinator
            }
        } else {
            response.nodeId = isGroup ? KafkaDoor.nodeID : -1
            response.host = isGroup ? advertised.host : ""
            response.port = isGroup ? Int32(advertised.port) : -1
            response.errorCode = isGroup ? .none : .coordinatorNotAvailable
            response.errorMessage = isGroup ? nil : problem
        }
        context.answer(response)
    }
}
