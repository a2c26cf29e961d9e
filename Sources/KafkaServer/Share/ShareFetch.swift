import Broker
import KafkaWire
import Model
import Wire

/// ShareFetch, key 78, versions 1–2: answers to records acquired before go to their cursors, then new records are acquired from the
/// session's partitions; when there are none the answer waits for them, up to `maxWaitMs`. Records leave as file regions.
enum ShareFetch {
    static func handle(_ request: ShareFetchRequest, _ context: RequestContext) {
        guard var share = ShareRequest(group: request.groupId, member: request.memberId, epoch: request.shareSessionEpoch) else {
            return refuse(.invalidRequest, "a group, a member and a session epoch are needed", context)
        }
        for topic in request.topics {
            for partition in topic.partitions where !partition.acknowledgementBatches.isEmpty {
                share.acknowledge(
                    topic.topicId, partition.partitionIndex,
                    partition.acknowledgementBatches.map { .init(first: $0.firstOffset, last: $0.lastOffset, types: $0.acknowledgeTypes) },
                    renewals: context.version >= 2)
            }
        }
        let connection = context.connection
        if let group = request.groupId { connection.carries(request.memberId, of: group) }
        switch resolveSession(request, share, connection) {
        case .failure(let code): refuse(code, nil, context)
        case .success(let wanted):
            let operation = ShareFetchOperation(context, request, share, wanted)
            operation.begin()
        }
    }

    /// A partition to fetch from; nil in `id` where there is none of that name.
    struct Wanted {
        var topic: WireUUID
        var index: Int32
        var id: PartitionID?
        /// It is asked after those before it, also where they lie on other shards.
        var isPrioritised = false
    }

    /// The partitions to fetch from, after the session has taken in what the request changes.
    private static func resolveSession(
        _ request: ShareFetchRequest, _ share: ShareRequest, _ connection: Connection
    ) -> Result<[Wanted], ErrorCode> {
        let door = connection.door
        let key = share.key
        if share.epoch == ShareRequest.opens {
            // Nothing can have been acquired in a session that is only now opened.
            guard share.acknowledged.isEmpty else { return .failure(.invalidRequest) }
            guard door.shareSessions.begin(key, connection: connection.number) else { return .failure(.shareSessionLimitReached) }
            // What was open under this name is over; its records stay the member's until they are answered or their time is up.
            let touched = connection.shareState.sessions[key]?.touched ?? []
            connection.shareState.sessions[key] = ShareSession(touched: touched)
        } else {
            guard let session = connection.shareState.sessions[key], door.shareSessions.owns(key, connection: connection.number) else {
                return .failure(.shareSessionNotFound)
            }
            if share.epoch == ShareRequest.closes { return .success([]) }
            guard share.epoch == session.epoch else { return .failure(.invalidShareSessionEpoch) }
            connection.shareState.sessions[key]?.advance()
        }
        return .success(update(request, key, connection))
    }

    private static func update(_ request: ShareFetchRequest, _ key: ShareSessionKey, _ connection: Connection) -> [Wanted] {
        let topics = connection.door.broker.catalog.current
        let limit = connection.door.broker.limits.shareSessionPartitions
        var missing: [Wanted] = []
        for topic in request.topics {
            let known = topics[TopicID(topic.topicId)]
            for partition in topic.partitions {
                guard let id = known?.partition(partition.partitionIndex) else {
                    missing.append(Wanted(topic: topic.topicId, index: partition.partitionIndex, id: nil))
                    continue
                }
                if connection.shareState.sessions[key]?.touched.count ?? 0 < limit { connection.shareState.sessions[key]?.add(id) }
            }
        }
        var forgotten: Set<PartitionID> = []
        for topic in request.forgottenTopicsData {
            for index in topic.partitions { forgotten.insert(PartitionID(topic: TopicID(topic.topicId), index: index)) }
        }
        connection.shareState.sessions[key]?.forget(forgotten)
        let wanted = inOrder(connection.shareState.sessions[key]?.rotated() ?? [], topics)
        return missing + wanted.map { Wanted(topic: $0.id.topic.uuid, index: $0.id.index, id: $0.id, isPrioritised: $0.isPrioritised) }
    }

    /// Brings the partitions of each topic whose partitions are priorities into their order, on the places that they have.
    ///
    /// ```
    /// jobs has 3 priorities:   jobs-1 clicks-0 jobs-2 jobs-0  →  jobs-2 clicks-0 jobs-1 jobs-0
    /// ```
    static func inOrder(_ ids: [PartitionID], _ topics: Catalog.View) -> [(id: PartitionID, isPrioritised: Bool)] {
        var places: [TopicID: [Int]] = [:]
        for (place, id) in ids.enumerated() where places[id.topic] != nil || topics[id.topic]?.config.priorities != nil {
            places[id.topic, default: []].append(place)
        }
        var ordered = ids.map { (id: $0, isPrioritised: false) }
        for places in places.values {
            for (place, id) in zip(places, places.map { ids[$0] }.sorted { $0.index > $1.index }) { ordered[place] = (id, true) }
        }
        return ordered
    }

    private static func refuse(_ code: ErrorCode, _ message: String?, _ context: RequestContext) {
        var response = ShareFetchResponse()
        response.errorCode = code
        response.errorMessage = message
        context.door.broker.noteError()
        context.answer(response)
    }
}
