import Compression
import Model
import NIOCore
import Wire

/// One record batch as the broker sent it.
public struct FetchedBatch: Sendable {
    public var source: TopicPartition
    public var header: RecordBatchHeader
    /// Header and records; shares the answer's storage.
    public var bytes: ByteBuffer
    /// Records below it lie before the position that was asked for: brokers send whole batches.
    public var from: Offset

    /// The records at or after ``from``, unpacked where they are compressed. None for a control batch.
    public func records() throws(ClientError) -> [Record] {
        if header.attributes.isControl { return [] }
        do {
            let records = try Records.open(header: header, batch: bytes)
            return header.baseOffset >= from ? records : records.filter { $0.offset >= from }
        } catch {
            throw .unreadable(error, topic: source.topic, partition: source.partition, offset: header.baseOffset, next: header.nextOffset)
        }
    }

    /// Splits a fetch answer into batches. A batch that is cut off at the end is left out: it comes again with the next fetch.
    static func split(
        _ records: ByteBuffer, source: TopicPartition, from: Offset, verify: Bool
    ) throws(ClientError) -> [FetchedBatch] {
        var rest = records
        var batches: [FetchedBatch] = []
        while rest.readableBytes >= RecordBatchHeader.size {
            let header: RecordBatchHeader
            do {
                header = try RecordBatchHeader.parse(rest)
            } catch {
                throw .corrupt(topic: source.topic, partition: source.partition, offset: from)
            }
            guard let bytes = rest.readSlice(length: header.totalBytes) else { break }
            guard header.nextOffset > from else { continue }
            if verify, !bytes.withUnsafeReadableBytes({ header.checksumMatches($0) }) {
                throw .corrupt(topic: source.topic, partition: source.partition, offset: header.baseOffset)
            }
            batches.append(FetchedBatch(source: source, header: header, bytes: bytes, from: from))
        }
        return batches
    }
}
