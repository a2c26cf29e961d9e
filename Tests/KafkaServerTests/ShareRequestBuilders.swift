import Broker
import KafkaWire
import Model
import NIOCore

/// Offsets and the acknowledgement types for them, one or one each.
typealias Answered = (first: Int64, last: Int64, types: [Int8])

extension ShareFetchRequest {
    /// A fetch that waits 50 ms for at least one byte; `topic` nil: of what the session has already.
    static func of(
        _ epoch: Int32, topic: Topic? = nil, partitions: [Int32] = [0], acknowledging ranges: [Answered] = [], member: String = "m",
        group: String = "orders", maxRecords: Int32 = 500, mode: Int8 = 0
    ) -> ShareFetchRequest {
        var request = ShareFetchRequest()
        request.groupId = group
        request.memberId = member
        request.shareSessionEpoch = epoch
        request.maxWaitMs = 50
        request.minBytes = 1
        request.maxBytes = 1 << 20
        request.maxRecords = maxRecords
        request.batchSize = maxRecords
        request.shareAcquireMode = mode
        guard let topic else { return request }
        var wanted = FetchTopic()
        wanted.topicId = topic.id.uuid
        wanted.partitions = partitions.map { index in
            var partition = FetchPartition()
            partition.partitionIndex = index
            partition.acknowledgementBatches = ranges.map { range in
                var batch = AcknowledgementBatch()
                batch.firstOffset = range.first
                batch.lastOffset = range.last
                batch.acknowledgeTypes = range.types
                return batch
            }
            return partition
        }
        request.topics = [wanted]
        return request
    }
}

extension ShareAcknowledgeRequest {
    static func of(
        _ epoch: Int32, _ topic: Topic, partition index: Int32 = 0, _ ranges: [Answered], member: String = "m", group: String = "orders"
    ) -> ShareAcknowledgeRequest {
        var request = ShareAcknowledgeRequest()
        request.groupId = group
        request.memberId = member
        request.shareSessionEpoch = epoch
        var wanted = AcknowledgeTopic()
        wanted.topicId = topic.id.uuid
        var partition = AcknowledgePartition()
        partition.partitionIndex = index
        partition.acknowledgementBatches = ranges.map { range in
            var batch = AcknowledgementBatch()
            batch.firstOffset = range.first
            batch.lastOffset = range.last
            batch.acknowledgeTypes = range.types
            return batch
        }
        wanted.partitions = [partition]
        request.topics = [wanted]
        return request
    }
}

extension ProduceRequest {
    /// One batch of `m0`, `m1`, … in one partition, acks=1.
    static func of(_ topic: Topic, partition index: Int32 = 0, count: Int) -> ProduceRequest {
        var builder = RecordBatchBuilder()
        for number in 0..<count {
            builder.append(timestamp: Timestamp(ms: 1_700_000_000_000), key: nil, value: ByteBuffer(string: "m\(number)"))
        }
        var request = ProduceRequest()
        request.acks = 1
        request.timeoutMs = 1_000
        var data = TopicProduceData()
        data.name = topic.name
        var partition = PartitionProduceData()
        partition.index = index
        partition.records = builder.finish()
        data.partitionData = [partition]
        request.topicData = [data]
        return request
    }
}
