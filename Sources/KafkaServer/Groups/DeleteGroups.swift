import Broker
import Groups
import KafkaWire

/// DeleteGroups, key 42, versions 0–2 (KIP-229): groups without members, and their offsets; share groups too.
enum DeleteGroups {
    static func handle(_ request: DeleteGroupsRequest, _ context: RequestContext) {
        let broker = context.door.broker
        context.answer {
            var response = DeleteGroupsResponse()
            var audit = AdminAudit(context)
            for id in request.groupsNames {
                var result = DeleteGroupsResponse.DeletableGroupResult()
                result.groupId = id
                if broker.options.readOnly {
                    result.errorCode = .policyViolation
                } else {
                    let results = await withCheckedContinuation { continuation in
                        broker.coordinator(of: id).delete([id]) { continuation.resume(returning: $0) }
                    }
                    result.errorCode = results[0].code
                    if results[0] == .groupIDNotFound { result.errorCode = await broker.deleteShareGroup(id)?.code ?? .none }
                }
                response.results.append(result)
                audit.add(.deleteGroup(id), result.errorCode)
            }
            await audit.write()
            return response
        }
    }
}
