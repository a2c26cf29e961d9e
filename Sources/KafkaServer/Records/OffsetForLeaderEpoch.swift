import Broker
import KafkaWire
import Model

/// OffsetForLeaderEpoch, key 23: where an epoch's records ended, so that a client sees whether its position still exists (KIP-320).
enum OffsetForLeaderEpoch {
    static func handle(_ request: OffsetForLeaderEpochRequest, _ context: RequestContext) {
        let broker = context.door.broker
        let topics = broker.catalog.current
        context.answer {
            var response = OffsetForLeaderEpochResponse()
            for wanted in request.topics {
                var answer = OffsetForLeaderEpochResponse.OffsetForLeaderTopicResult()
                answer.topic = wanted.topic
                for partition in wanted.partitions {
                    answer.partitions.append(await look(up: partition, in: topics[wanted.topic], broker))
                }
                response.topics.append(answer)
            }
            return response
        }
    }

    private static func look(
        up wanted: OffsetForLeaderEpochRequest.OffsetForLeaderPartition, in topic: Topic?, _ broker: Broker
    ) async -> OffsetForLeaderEpochResponse.EpochEndOffset {
        var answer = OffsetForLeaderEpochResponse.EpochEndOffset()
        answer.partition = wanted.partition
        answer.leaderEpoch = -1
        answer.endOffset = -1
        guard let id = topic?.partition(wanted.partition) else {
            answer.errorCode = .unknownTopicOrPartition
            return answer
        }
        let (error, epoch, end) = await withCheckedContinuation { continuation in
            broker.shard(of: id).endOfEpoch(of: id, epoch: wanted.leaderEpoch, currentEpoch: wanted.currentLeaderEpoch) {
                continuation.resume(returning: ($0, $1, $2))
            }
        }
        answer.errorCode = error?.code ?? .none
        answer.leaderEpoch = epoch
        answer.endOffset = end.value
        return answer
    }
}
