import Broker
import Groups
import KafkaWire

/// OffsetDelete, key 47, version 0 (KIP-496): forgets committed offsets of topics that no member subscribes to.
enum OffsetDelete {
    static func handle(_ request: OffsetDeleteRequest, _ context: RequestContext) {
        let broker = context.door.broker
        let topics = broker.catalog.current
        var response = OffsetDeleteResponse()
        var items: [TopicPartition] = []
        var places: [(topic: Int, partition: Int)] = []
        for requested in request.topics {
            var answer = OffsetDeleteResponse.OffsetDeleteResponseTopic()
            answer.name = requested.name
            for wanted in requested.partitions {
                var partition = OffsetDeleteResponse.OffsetDeleteResponsePartition()
                partition.partitionIndex = wanted.partitionIndex
                if topics[requested.name]?.partition(wanted.partitionIndex) == nil {
                    partition.errorCode = .unknownTopicOrPartition
                } else {
                    places.append((response.topics.count, answer.partitions.count))
                    items.append(TopicPartition(topic: requested.name, partition: wanted.partitionIndex))
                }
                answer.partitions.append(partition)
            }
            response.topics.append(answer)
        }
        let prepared = response
        let waiting = places
        broker.coordinator(of: request.groupId).deleteOffsets(request.groupId, items) { result in
            var response = prepared
            switch result {
            case .failure(let error):
                response.errorCode = error.code
                response.topics = []
            case .success(let results):
                for (place, error) in zip(waiting, results) {
                    response.topics[place.topic].partitions[place.partition].errorCode = error.code
                }
            }
            let answer = response
            context.answer {
                var audit = AdminAudit(context)
                for topic in request.topics {
                    let told = answer.topics.first { $0.name == topic.name }?.partitions.first { $0.errorCode != .none }?.errorCode
                    audit.add(
                        .deleteOffsets(group: request.groupId, topic: topic.name, partitions: topic.partitions.map(\.partitionIndex)),
                        answer.errorCode == .none ? told ?? .none : answer.errorCode)
                }
                await audit.write()
                return answer
            }
        }
    }
}
