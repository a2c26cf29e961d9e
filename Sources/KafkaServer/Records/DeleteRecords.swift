import Broker
import KafkaWire
import Model

/// DeleteRecords, key 21: raises a partition's first offset (KIP-107).
enum DeleteRecords {
    static func handle(_ request: DeleteRecordsRequest, _ context: RequestContext) {
        let broker = context.door.broker
        let topics = broker.catalog.current
        context.answer {
            var response = DeleteRecordsResponse()
            var audit = AdminAudit(context)
            for wanted in request.topics {
                var answer = DeleteRecordsResponse.DeleteRecordsTopicResult()
                answer.name = wanted.name
                for partition in wanted.partitions {
                    var result = DeleteRecordsResponse.DeleteRecordsPartitionResult()
                    result.partitionIndex = partition.partitionIndex
                    result.lowWatermark = -1
                    if broker.options.readOnly {
                        result.errorCode = .policyViolation
                    } else if let id = topics[wanted.name]?.partition(partition.partitionIndex) {
                        let outcome = await broker.deleteRecords(of: id, before: Offset(partition.offset))
                        switch outcome {
                        case .success(let start): result.lowWatermark = start.value
                        case .failure(let error): result.errorCode = error.code
                        }
                    } else {
                        result.errorCode = .unknownTopicOrPartition
                    }
                    answer.partitions.append(result)
                    audit.add(
                        .deleteRecords(topic: wanted.name, partition: partition.partitionIndex, before: partition.offset), result.errorCode)
                }
                response.topics.append(answer)
            }
            await audit.write()
            return response
        }
    }
}
