import NIOCore
import Wire

/// Makes one uncompressed record batch v2. Append records, then ``finish()``; the builder can be used again.
///
/// Offsets are relative to `baseOffset`: the first record gets delta 0, the next 1, and so on.
public struct RecordBatchBuilder: Sendable {
    public var baseOffset: Offset
    public var producerID: ProducerID
    public var producerEpoch: Int16
    public var baseSequence: Int32

    public private(set) var recordCount: Int32 = 0
    private var buffer: ByteBuffer
    private var baseTimestamp = Timestamp.none
    private var maxTimestamp = Timestamp.none

    public init(
        baseOffset: Offset = .zero, producerID: ProducerID = .none, producerEpoch: Int16 = -1, baseSequence: Int32 = -1,
        capacity: Int = 1024
    ) {
        self.baseOffset = baseOffset
        self.producerID = producerID
        self.producerEpoch = producerEpoch
        self.baseSequence = baseSequence
        buffer = ByteBufferAllocator().buffer(capacity: max(capacity, RecordBatchHeader.size))
        buffer.moveWriterIndex(to: RecordBatchHeader.size)
    }

    /// Bytes of the batch as it stands.
    public var byteCount: Int { buffer.readableBytes }

    public mutating func append(
        timestamp: Timestamp, key: ByteBuffer? = nil, value: ByteBuffer?, headers: [Record.Header] = []
    ) {
        if recordCount == 0 {
            baseTimestamp = timestamp
            maxTimestamp = timestamp
        }
        maxTimestamp = max(maxTimestamp, timestamp)
        let timestampDelta = timestamp - baseTimestamp
        var length = 1 + Self.width(timestampDelta) + Self.width(Int64(recordCount))
        length += Self.width(key) + Self.width(value) + Self.width(Int64(headers.count))
        for header in headers {
            let name = header.name.utf8.count
            length += Self.width(Int64(name)) + name + Self.width(header.value)
        }
        var writer = WireWriter(buffer)
        buffer = ByteBuffer()  // keeps the writer's storage unique
        writer.varint(Int32(length))
        writer.int8(0)
        writer.varlong(timestampDelta)
        writer.varint(recordCount)
        Self.write(key, to: &writer)
        Self.write(value, to: &writer)
        writer.varint(Int32(headers.count))
        for header in headers {
            writer.varint(Int32(header.name.utf8.count))
            writer.buffer.writeString(header.name)
            Self.write(header.value, to: &writer)
        }
        buffer = writer.buffer
        recordCount += 1
    }

    /// The finished batch; the builder is empty again and keeps its identity fields.
    public mutating func finish() -> ByteBuffer {
        var batch = buffer
        buffer = ByteBuffer()
        let start = batch.readerIndex
        batch.setInteger(baseOffset.value, at: start)
        batch.setInteger(Int32(batch.readableBytes - RecordBatchHeader.lengthPrefix), at: start + 8)
        batch.setInteger(-1 as Int32, at: start + 12)
        batch.setInteger(2 as Int8, at: start + 16)
        batch.setInteger(0 as Int16, at: start + 21)
        batch.setInteger(max(0, recordCount - 1), at: start + 23)
        batch.setInteger(baseTimestamp.ms, at: start + 27)
        batch.setInteger(maxTimestamp.ms, at: start + 35)
        batch.setInteger(producerID.value, at: start + 43)
        batch.setInteger(producerEpoch, at: start + 51)
        batch.setInteger(baseSequence, at: start + 53)
        batch.setInteger(recordCount, at: start + 57)
        batch.setInteger(CRC32C.checksum(batch, from: RecordBatchHeader.crcStart), at: start + 17)
        self = RecordBatchBuilder(
            baseOffset: baseOffset, producerID: producerID, producerEpoch: producerEpoch, baseSequence: baseSequence,
            capacity: batch.readableBytes)
        return batch
    }

    private static func write(_ bytes: ByteBuffer?, to writer: inout WireWriter) {
        guard let bytes else { return writer.varint(-1) }
        writer.varint(Int32(bytes.readableBytes))
        writer.buffer.writeImmutableBuffer(bytes)
    }

    private static func width(_ bytes: ByteBuffer?) -> Int {
        guard let bytes else { return 1 }
        return width(Int64(bytes.readableBytes)) + bytes.readableBytes
    }

    /// Bytes of a zigzag varint.
    private static func width(_ value: Int64) -> Int {
        let zigzag = UInt64(bitPattern: (value << 1) ^ (value >> 63))
        return max(1, (64 - zigzag.leadingZeroBitCount + 6) / 7)
    }
}
