import Broker
import KafkaWire
import Model

/// ListOffsets, key 2: first, last, by time (−1 latest, −2 earliest, −3 largest timestamp, −4 earliest local; KIP-734, KIP-405).
enum ListOffsets {
    static func handle(_ request: ListOffsetsRequest, _ context: RequestContext) {
        let broker = context.door.broker
        let topics = broker.catalog.current
        context.answer {
            var response = ListOffsetsResponse()
            for wanted in request.topics {
                var answer = ListOffsetsResponse.ListOffsetsTopicResponse()
                answer.name = wanted.name
                for partition in wanted.partitions {
                    answer.partitions.append(await look(up: partition, in: topics[wanted.name], broker))
                }
                response.topics.append(answer)
            }
            return response
        }
    }

    private static func look(
        up wanted: ListOffsetsRequest.ListOffsetsPartition, in topic: Topic?, _ broker: Broker
    ) async -> ListOffsetsResponse.ListOffsetsPartitionResponse {
        var answer = ListOffsetsResponse.ListOffsetsPartitionResponse()
        answer.partitionIndex = wanted.partitionIndex
        answer.offset = -1
        answer.timestamp = -1
        guard let id = topic?.partition(wanted.partitionIndex) else {
            answer.errorCode = .unknownTopicOrPartition
            return answer
        }
        let target: Shard.OffsetTarget
        switch wanted.timestamp {
        case -1: target = .latest
        case -2, -4: target = .earliest
        case -3: target = .maxTimestamp
        case -5: return answer  // latest tiered offset: there is no tier
        case 0...: target = .timestamp(Timestamp(ms: wanted.timestamp))
        default:
            answer.errorCode = .unsupportedVersion
            return answer
        }
        let found = await withCheckedContinuation { continuation in
            broker.shard(of: id).offset(of: id, target, leaderEpoch: wanted.currentLeaderEpoch) { continuation.resume(returning: $0) }
        }
        answer.errorCode = found.error?.code ?? .none
        answer.offset = found.offset.value
        answer.timestamp = found.timestamp.ms
        answer.leaderEpoch = found.leaderEpoch
        return answer
    }
}
