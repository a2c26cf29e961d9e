import Broker
import Groups
import KafkaWire
import Model

/// OffsetFetch, key 9, versions 0–10: all topics with null from 2, several groups from 8 (KIP-709), topic ids from 10. `requireStable`
/// (7) changes nothing while there are no transactions. A group or partition without offsets is answered with −1, not with an error.
enum OffsetFetch {
    static func handle(_ request: OffsetFetchRequest, _ context: RequestContext) {
        if context.version >= 8 { groups(request, context) } else { oneGroup(request, context) }
    }

    // MARK: Versions 0 to 7

    private static func oneGroup(_ request: OffsetFetchRequest, _ context: RequestContext) {
        context.door.broker.coordinator(of: request.groupId).offsets(of: [request.groupId]) { found in
            let offsets = found[0] ?? CommittedOffsets()
            var response = OffsetFetchResponse()
            let wanted = request.topics?.map { ($0.name, $0.partitionIndexes) }
            for (name, partitions) in wanted ?? all(offsets) {
                var topic = OffsetFetchResponse.OffsetFetchResponseTopic()
                topic.name = name
                topic.partitions = partitions.map { index in
                    var partition = OffsetFetchResponse.OffsetFetchResponsePartition()
                    let committed = offsets[name, index]
                    partition.partitionIndex = index
                    partition.committedOffset = committed?.offset.value ?? -1
                    partition.committedLeaderEpoch = committed?.leaderEpoch ?? -1
                    partition.metadata = committed?.metadata ?? ""
                    return partition
                }
                response.topics.append(topic)
            }
            context.answer(response)
        }
    }

    private static func all(_ offsets: CommittedOffsets) -> [(String, [Int32])] {
        offsets.topicNames.map { name in (name, offsets.partitions(of: name).map(\.partition)) }
    }

    // MARK: From version 8

    /// Asks each group's shard once per group and answers when the last has come in.
    private static func groups(_ request: OffsetFetchRequest, _ context: RequestContext) {
        let broker = context.door.broker
        if request.groups.count == 1 {
            let wanted = request.groups[0]
            return broker.coordinator(of: wanted.groupId).offsets(of: [wanted.groupId]) { found in
                var response = OffsetFetchResponse()
                response.groups = [answer(wanted, found[0] ?? CommittedOffsets(), broker.catalog.current, version: context.version)]
                context.answer(response)
            }
        }
        context.answer {
            var response = OffsetFetchResponse()
            for wanted in request.groups {
                let found = await withCheckedContinuation { continuation in
                    broker.coordinator(of: wanted.groupId).offsets(of: [wanted.groupId]) { continuation.resume(returning: $0) }
                }
                response.groups.append(
                    answer(wanted, found[0] ?? CommittedOffsets(), broker.catalog.current, version: context.version))
            }
            return response
        }
    }

    private static func answer(
        _ wanted: OffsetFetchRequest.OffsetFetchRequestGroup, _ offsets: CommittedOffsets, _ catalog: Catalog.View, version: Int16
    ) -> OffsetFetchResponse.OffsetFetchResponseGroup {
        var group = OffsetFetchResponse.OffsetFetchResponseGroup()
        group.groupId = wanted.groupId
        guard let topics = wanted.topics else {
            for (name, partitions) in all(offsets) {
                var topic = OffsetFetchResponse.OffsetFetchResponseTopics()
                topic.name = name
                if version >= 10 {
                    guard let known = catalog[name] else { continue }
                    topic.topicId = known.id.uuid
                }
                topic.partitions = partitions.map { partition($0, offsets[name, $0]) }
                group.topics.append(topic)
            }
            return group
        }
        for requested in topics {
            var topic = OffsetFetchResponse.OffsetFetchResponseTopics()
            topic.name = requested.name
            topic.topicId = requested.topicId
            let name = version >= 10 ? catalog[TopicID(requested.topicId)]?.name : requested.name
            topic.partitions = requested.partitionIndexes.map { index in
                var answer = partition(index, name.flatMap { offsets[$0, index] })
                if name == nil { answer.errorCode = .unknownTopicId }
                return answer
            }
            group.topics.append(topic)
        }
        return group
    }

    private static func partition(
        _ index: Int32, _ committed: CommittedOffset?
    ) -> OffsetFetchResponse.OffsetFetchResponsePartitions {
        var partition = OffsetFetchResponse.OffsetFetchResponsePartitions()
        partition.partitionIndex = index
        partition.committedOffset = committed?.offset.value ?? -1
        partition.committedLeaderEpoch = committed?.leaderEpoch ?? -1
        partition.metadata = committed?.metadata ?? ""
        return partition
    }
}
