import KafkaWire
import NIOCore
import Storage
import Wire

/// Writes a fetch response whose records stay where they are: the fields go into buffers, file regions between them.
/// The generated codec would have to copy the records; a test holds this writer against it, byte for byte, at every version.
enum FetchAnswer {
    struct Partition {
        var topic: FetchTopicName
        var data: FetchResponse.PartitionData
        var slice: LogSlice?
    }

    static func encode(_ context: RequestContext, sessionID: Int32, _ partitions: [Partition]) -> Answer {
        var parts = Parts(writer: context.responseWriter(capacity: 128 + partitions.count * 64))
        encode(&parts, version: context.version, sessionID: sessionID, partitions)
        return .parts(parts.finish())
    }

    /// Buffers and slices in turn.
    struct Parts {
        var writer: WireWriter
        var done: [Answer.Part] = []
        /// Bytes that went before `writer`'s, the first four (the length) included.
        var before = 0

        mutating func add(_ slice: LogSlice) {
            before += writer.buffer.readableBytes + slice.count
            done.append(.bytes(writer.buffer))
            done.append(.slice(slice))
            writer = WireWriter(ByteBufferAllocator().buffer(capacity: 64))
        }

        /// The parts, with the frame's length set in the first.
        mutating func finish() -> [Answer.Part] {
            let total = before + writer.buffer.readableBytes
            if writer.buffer.readableBytes > 0 { done.append(.bytes(writer.buffer)) }
            if case .bytes(var first) = done[0] {
                done[0] = .first(&first, total: total)
            }
            return done
        }
    }

    static func encode(_ parts: inout Parts, version: Int16, sessionID: Int32, _ partitions: [Partition]) {
        let compact = version >= 12
        parts.writer.int32(0)  // throttle time
        if version >= 7 {
            parts.writer.int16(ErrorCode.none.rawValue)
            parts.writer.int32(sessionID)
        }
        let topics = partitions.runs { $0.topic }
        parts.writer.count(topics.count, compact: compact)
        for topic in topics {
            let name = partitions[topic.lowerBound].topic
            if version >= 13 { parts.writer.uuid(name.id.uuid) } else { parts.writer.string(name.name, compact: compact) }
            parts.writer.count(topic.count, compact: compact)
            for index in topic { encode(&parts, version: version, partitions[index]) }
            if compact { parts.writer.noTaggedFields() }
        }
        if compact { parts.writer.noTaggedFields() }
    }

    private static func encode(_ parts: inout Parts, version: Int16, _ partition: Partition) {
        let compact = version >= 12
        let data = partition.data
        parts.writer.int32(data.partitionIndex)
        parts.writer.int16(data.errorCode.rawValue)
        parts.writer.int64(data.highWatermark)
        parts.writer.int64(data.lastStableOffset)
        if version >= 5 { parts.writer.int64(data.logStartOffset) }
        parts.writer.count(0, compact: compact)  // aborted transactions: none
        if version >= 11 { parts.writer.int32(-1) }  // preferred read replica: the leader
        let bytes = partition.slice?.count ?? 0
        parts.writer.count(bytes, compact: compact)
        if let slice = partition.slice, bytes > 0 { parts.add(slice) }
        if compact { parts.writer.noTaggedFields() }
    }
}

extension Answer.Part {
    /// The first buffer of a frame, its length set to what follows it.
    fileprivate static func first(_ buffer: inout ByteBuffer, total: Int) -> Answer.Part {
        buffer.setInteger(Int32(total - 4), at: buffer.readerIndex)
        return .bytes(buffer)
    }
}
