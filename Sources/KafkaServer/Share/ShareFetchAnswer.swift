import Broker
import KafkaWire
import NIOCore
import Storage
import Wire

/// Writes a share-fetch response whose records stay where they are: the fields go into buffers, file regions between them. A test holds
/// this writer against the generated codec, byte for byte.
enum ShareFetchAnswer {
    struct Partition {
        var topic: WireUUID
        /// Index and errors; records and acquired ranges are beside it.
        var data: ShareFetchResponse.PartitionData
        var acquired: [AcquiredRange] = []
        var slice: LogSlice?
    }

    /// - Parameter partitions: those of one topic together.
    static func encode(_ context: RequestContext, lockMs: Int64, _ partitions: [Partition]) -> Answer {
        var parts = FetchAnswer.Parts(writer: context.responseWriter(capacity: 128 + partitions.count * 128))
        encode(&parts, lockMs: lockMs, partitions)
        return .parts(parts.finish())
    }

    static func encode(_ parts: inout FetchAnswer.Parts, lockMs: Int64, _ partitions: [Partition]) {
        parts.writer.int32(0)  // throttle time
        parts.writer.int16(ErrorCode.none.rawValue)
        parts.writer.nullableString(nil, compact: true)
        parts.writer.int32(Int32(clamping: lockMs))
        let topics = partitions.runs { $0.topic }
        parts.writer.count(topics.count, compact: true)
        for topic in topics {
            parts.writer.uuid(partitions[topic.lowerBound].topic)
            parts.writer.count(topic.count, compact: true)
            for index in topic { encode(&parts, partitions[index]) }
            parts.writer.noTaggedFields()
        }
        parts.writer.count(0, compact: true)  // node endpoints: nobody asked the wrong broker
        parts.writer.noTaggedFields()
    }

    private static func encode(_ parts: inout FetchAnswer.Parts, _ partition: Partition) {
        let data = partition.data
        parts.writer.int32(data.partitionIndex)
        parts.writer.int16(data.errorCode.rawValue)
        parts.writer.nullableString(data.errorMessage, compact: true)
        parts.writer.int16(data.acknowledgeErrorCode.rawValue)
        parts.writer.nullableString(data.acknowledgeErrorMessage, compact: true)
        parts.writer.int32(data.currentLeader.leaderId)
        parts.writer.int32(data.currentLeader.leaderEpoch)
        parts.writer.noTaggedFields()
        let bytes = partition.slice?.count ?? 0
        parts.writer.count(bytes, compact: true)
        if let slice = partition.slice, bytes > 0 { parts.add(slice) }
        parts.writer.count(partition.acquired.count, compact: true)
        for range in partition.acquired {
            parts.writer.int64(range.first.value)
            parts.writer.int64(range.last.value)
            parts.writer.int16(range.deliveryCount)
            parts.writer.noTaggedFields()
        }
        parts.writer.noTaggedFields()
    }
}
