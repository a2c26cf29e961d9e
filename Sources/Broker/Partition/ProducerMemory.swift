import Groups
import Model
import Wire

/// What a partition remembers of its log besides the records: idempotent producers and leader epochs, up to an offset.
/// Kept in the shard's snapshot; what the log holds behind the snapshot is read again before the first publish.
struct ProducerMemory: Sendable {
    var producers: ProducerState
    var epochs: LeaderEpochs
    /// Batches below this are known.
    var upTo: Offset
    /// Whether everything up to the log's end is known.
    var isLoaded: Bool
    var isLoading = false

    /// For a partition with an empty log.
    static func fresh(_ limits: Limits) -> ProducerMemory {
        ProducerMemory(producers: ProducerState(limits: limits), epochs: LeaderEpochs(), upTo: .zero, isLoaded: true)
    }

    /// For a partition whose log must be read from the start.
    static func unread(_ limits: Limits) -> ProducerMemory {
        ProducerMemory(producers: ProducerState(limits: limits), epochs: LeaderEpochs(), upTo: .zero, isLoaded: false)
    }

    /// Takes in a batch that was delayed, or a part of it.
    mutating func learn(delayed header: RecordBatchHeader, now: Timestamp) {
        producers.replay(header, now: now)
    }

    /// Takes in a batch at `header.baseOffset`.
    mutating func learn(_ header: RecordBatchHeader, now: Timestamp) {
        epochs.note(header.leaderEpoch, at: header.baseOffset)
        if !header.attributes.isControl { producers.replay(header, now: now) }
        upTo = header.nextOffset
    }
}

/// The snapshot of a shard's producer memories: one blob, checksummed, rewritten as the shard's log grows.
///
/// Layout: version 2 (int8), count (varint), then per partition: topic id 16, index 4, up-to offset 8, epochs, producers (length-prefixed);
/// then (since version 2) how many ends, and per band of the delay store the end 8 of the bodies whose producers are known; last a CRC-32C
/// of all before it.
enum ProducerSnapshot {
    static func key(_ shard: ShardID) -> String { "producers/shard-\(shard)" }

    static func encode(_ partitions: [(PartitionID, ProducerMemory)], delayed: [Offset]) -> WireWriter {
        var writer = WireWriter()
        writer.int8(2)
        writer.count(partitions.count, compact: true)
        for (id, memory) in partitions {
            writer.uuid(id.topic.uuid)
            writer.int32(id.index)
            writer.int64(memory.upTo.value)
            memory.epochs.write(to: &writer)
            writer.bytes(memory.producers.encoded(endOffset: memory.upTo), compact: true)
        }
        writer.count(delayed.count, compact: true)
        for end in delayed { writer.int64(end.value) }
        writer.uint32(CRC32C.checksum(writer.buffer))
        return writer
    }

    /// nil when the snapshot is damaged or of a later version: the logs are read again instead.
    static func decode(_ reader: WireReader, limits: Limits) -> (memories: [PartitionID: ProducerMemory], delayed: [Offset])? {
        var reader = reader
        let bytes = reader.buffer
        guard bytes.readableBytes > 4, let sum = bytes.getInteger(at: bytes.writerIndex - 4, as: UInt32.self),
            let body = bytes.getSlice(at: bytes.readerIndex, length: bytes.readableBytes - 4), CRC32C.checksum(body) == sum
        else { return nil }
        do {
            let version = try reader.int8()
            guard version == 1 || version == 2 else { return nil }
            var result: [PartitionID: ProducerMemory] = [:]
            for _ in 0..<(try reader.count(compact: true, minimumBytes: 30)) {
                let id = PartitionID(topic: TopicID(try reader.uuid()), index: try reader.int32())
                let upTo = Offset(try reader.int64())
                let epochs = try LeaderEpochs(reading: &reader)
                let producers = try reader.bytes(compact: true)
                guard let state = try? ProducerState.decode(producers, limits: limits).state else { return nil }
                result[id] = ProducerMemory(producers: state, epochs: epochs, upTo: upTo, isLoaded: false)
            }
            var delayed: [Offset] = []
            if version == 2 {
                for _ in 0..<(try reader.count(compact: true, minimumBytes: 8)) { delayed.append(Offset(try reader.int64())) }
            }
            return (result, delayed)
        } catch { return nil }
    }
}
