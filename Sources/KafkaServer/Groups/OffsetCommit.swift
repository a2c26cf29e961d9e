import Broker
import Groups
import KafkaWire
import Model

/// OffsetCommit, key 8, versions 2–10: 5 leaves the retention to the broker, 6 carries the leader epoch, 7 the instance id (KIP-345), 9
/// tells a group that does not exist from one with another generation, 10 names topics by id. Answered when the offsets are logged.
enum OffsetCommit {
    static func handle(_ request: OffsetCommitRequest, _ context: RequestContext) {
        let broker = context.door.broker
        let topics = broker.catalog.current
        var response = OffsetCommitResponse()
        var items: [OffsetCommitItem] = []
        /// Where each item's answer goes.
        var places: [(topic: Int, partition: Int)] = []
        for requested in request.topics {
            let topic = context.version >= 10 ? topics[TopicID(requested.topicId)] : topics[requested.name]
            var answer = OffsetCommitResponse.OffsetCommitResponseTopic()
            answer.name = requested.name
            answer.topicId = requested.topicId
            for wanted in requested.partitions {
                var partition = OffsetCommitResponse.OffsetCommitResponsePartition()
                partition.partitionIndex = wanted.partitionIndex
                if let topic, topic.partition(wanted.partitionIndex) != nil {
                    places.append((response.topics.count, answer.partitions.count))
                    items.append(
                        OffsetCommitItem(
                            topic: topic.name, partition: wanted.partitionIndex, offset: Offset(wanted.committedOffset),
                            leaderEpoch: wanted.committedLeaderEpoch, metadata: wanted.committedMetadata))
                } else {
                    partition.errorCode = topic == nil && context.version >= 10 ? .unknownTopicId : .unknownTopicOrPartition
                }
                answer.partitions.append(partition)
            }
            response.topics.append(answer)
        }
        guard !items.isEmpty else { return context.answer(response) }
        let committer = GroupCoordinator.Committer(
            member: request.memberId, instance: request.groupInstanceId, generation: request.generationIdOrMemberEpoch,
            knowsGroupNotFound: context.version >= 9)
        let prepared = response
        let waiting = places
        broker.coordinator(of: request.groupId).commit(request.groupId, by: committer, items) { results in
            var response = prepared
            for (place, error) in zip(waiting, results) {
                response.topics[place.topic].partitions[place.partition].errorCode = error.code
            }
            context.answer(response)
        }
    }
}
