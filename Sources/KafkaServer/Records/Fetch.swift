import Broker
import KafkaWire
import Model
import NIOCore
import Storage

/// Fetch, key 1: see `Messages/Fetch.kafka` for the versions.
///
/// The wanted partitions go shard by shard, each with what is left of the byte budget; when all together have less than `minBytes`
/// the operation waits until a write wakes it or `maxWaitMs` is over. Records leave as file regions.
enum Fetch {
    static func handle(_ request: FetchRequest, _ context: RequestContext) {
        let connection = context.connection
        // One at a time per connection, as in Kafka: a fetch sent behind one that waits has its turn when that is answered.
        if connection.fetchState.active != nil { return connection.fetchState.queued.append((request, context)) }
        begin(request, context)
    }

    /// The next fetch of the connection, if one has queued.
    static func next(_ connection: Connection) {
        connection.fetchState.active = nil
        guard !connection.isClosed, !connection.fetchState.queued.isEmpty else { return }
        let (request, context) = connection.fetchState.queued.removeFirst()
        begin(request, context)
    }

    private static func begin(_ request: FetchRequest, _ context: RequestContext) {
        switch resolveSession(request, context) {
        case .failure(let code):
            var response = FetchResponse()
            response.errorCode = code
            context.answer(response)
            next(context.connection)
        case .success(let (partitions, isIncremental)):
            let operation = FetchOperation(context, request, partitions, isIncremental: isIncremental)
            context.connection.fetchState.active = operation
            operation.begin()
        }
    }

    /// The partitions wanted, after the session has taken in what the request changes.
    private static func resolveSession(
        _ request: FetchRequest, _ context: RequestContext
    ) -> Result<([FetchedPartition], isIncremental: Bool), ErrorCode> {
        let connection = context.connection
        let sessions = context.door.sessions
        let named = partitions(of: request, version: context.version)
        guard named.count <= context.door.broker.limits.fetchSessionPartitions else { return .failure(.invalidRequest) }
        if request.sessionEpoch == -1 {
            if request.sessionId != 0 { connection.fetchState.endSession(sessions) }
            return .success((named, false))
        }
        if request.sessionEpoch == 0 {
            connection.fetchState.endSession(sessions)
            if let id = sessions.begin() { connection.fetchState.session = FetchSession(id: id, partitions: named) }
            return .success((named, false))
        }
        guard var session = connection.fetchState.session, session.id == request.sessionId else {
            return .failure(.fetchSessionIdNotFound)
        }
        guard session.epoch == request.sessionEpoch else { return .failure(.invalidFetchSessionEpoch) }
        for topic in request.forgottenTopicsData {
            let name = FetchTopicName(name: topic.topic, id: TopicID(topic.topicId))
            for index in topic.partitions { session.forget(name, index) }
        }
        for partition in named { session.update(partition) }
        session.advance()
        connection.fetchState.session = session
        return .success((session.all, true))
    }

    private static func partitions(of request: FetchRequest, version: Int16) -> [FetchedPartition] {
        var result: [FetchedPartition] = []
        for topic in request.topics {
            let name = FetchTopicName(name: topic.topic, id: TopicID(topic.topicId))
            for partition in topic.partitions {
                result.append(
                    FetchedPartition(
                        topic: name, index: partition.partition, offset: Offset(partition.fetchOffset),
                        maxBytes: max(0, Int(partition.partitionMaxBytes)), leaderEpoch: partition.currentLeaderEpoch))
            }
        }
        return result
    }
}
