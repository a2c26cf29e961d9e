import Broker
import KafkaWire
import Model
import Wire

/// DeleteTopics, key 20: by name, from version 6 also by id.
enum DeleteTopics {
    static func handle(_ request: DeleteTopicsRequest, _ context: RequestContext) {
        let broker = context.door.broker
        let wanted: [(name: String?, id: WireUUID)] =
            context.version >= 6 ? request.topics.map { ($0.name, $0.topicId) } : request.topicNames.map { ($0, .zero) }
        context.answer {
            var response = DeleteTopicsResponse()
            var audit = AdminAudit(context)
            for (name, id) in wanted {
                let result = await delete(name, id, broker)
                response.responses.append(result)
                audit.add(.deleteTopic(result.name ?? "\(TopicID(id))"), result.errorCode, result.errorMessage)
            }
            await audit.write()
            return response
        }
    }

    private static func delete(_ name: String?, _ id: WireUUID, _ broker: Broker) async -> DeleteTopicsResponse.DeletableTopicResult {
        var result = DeleteTopicsResponse.DeletableTopicResult()
        result.name = name
        result.topicId = id
        let topics = broker.catalog.current
        guard let topic = name.map({ topics[$0] }) ?? topics[TopicID(id)] else {
            result.errorCode = name == nil ? .unknownTopicId : .unknownTopicOrPartition
            broker.noteError()
            return result
        }
        result.name = topic.name
        result.topicId = topic.id.uuid
        if broker.options.readOnly {
            result.errorCode = .policyViolation
            result.errorMessage = "the broker is read-only"
            return result
        }
        do throws(Catalog.Failure) { try await broker.deleteTopic(topic.name) } catch {
            result.errorCode = error.code
            result.errorMessage = error.message(topic.name)
        }
        return result
    }
}
