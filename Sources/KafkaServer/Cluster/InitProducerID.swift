import KafkaWire

/// InitProducerId, key 22: a producer id for an idempotent producer (KIP-98, KIP-360). Transactional ids are refused until transactions
/// exist.
enum InitProducerID {
    static func handle(_ request: InitProducerIdRequest, _ context: RequestContext) {
        var response = InitProducerIdResponse()
        response.producerId = -1
        response.producerEpoch = -1
        guard request.transactionalId == nil else {
            response.errorCode = .transactionalIdAuthorizationFailed
            return context.answer(response)
        }
        let broker = context.door.broker
        let prepared = response
        context.answer {
            var response = prepared
            do {
                response.producerId = try await broker.newProducerID().value
                response.producerEpoch = 0
            } catch {
                broker.logger.error("no producer id could be given: \(error)")
                response.errorCode = .coordinatorNotAvailable
            }
            return response
        }
    }
}
