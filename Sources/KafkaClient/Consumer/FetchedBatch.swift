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

    /// The records at or after ``from``. None for a control batch. Only uncompressed ones can be read.
    public func records() throws(ClientError) -> [Record] {
        if header.attributes.isControl { return [] }
        guard header.attributes.compression == RecordBatchHeader.Compression.none else {
            throw .compressed(header.attributes.compression, topic: source.topic, partition: source.partition, offset: header.baseOffset)
        }
        var body = bytes
        body.moveReaderIndex(forwardBy: RecordBatchHeader.size)
        do {
            let records = try Record.readAll(header: header, records: body)
            return header.baseOffset >= from ? records : records.filter { $0.offset >= from }
        } catch {
            throw .corrupt(topic: source.topic, partition: source.partition, offset: header.baseOffset)
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
