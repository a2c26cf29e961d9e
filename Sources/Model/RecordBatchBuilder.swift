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
        let whole = Self.width(Int64(length)) + length
        buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: whole) { bytes in
            var out = RecordOutput(bytes: UnsafeMutableRawBufferPointer(rebasing: bytes[..<whole]))
            out.varint(Int64(length))
            out.byte(0)
            out.varint(timestampDelta)
            out.varint(Int64(recordCount))
            out.nullable(key)
            out.nullable(value)
            out.varint(Int64(headers.count))
            for header in headers {
                out.text(header.name)
                out.nullable(header.value)
            }
            return out.count
        }
        recordCount += 1
    }

    /// The finished batch; the builder is empty again and keeps its identity fields.
    public mutating func finish() -> ByteBuffer {
        var batch = buffer
        buffer = ByteBuffer()
        RecordBatchHeader.seal(
            &batch, baseOffset: baseOffset, leaderEpoch: -1, recordCount: recordCount, baseTimestamp: baseTimestamp,
            maxTimestamp: maxTimestamp, producerID: producerID, producerEpoch: producerEpoch, baseSequence: baseSequence)
        self = RecordBatchBuilder(
            baseOffset: baseOffset, producerID: producerID, producerEpoch: producerEpoch, baseSequence: baseSequence,
            capacity: batch.readableBytes)
        return batch
    }

    private static func width(_ bytes: ByteBuffer?) -> Int {
        guard let bytes else { return 1 }
        return width(Int64(bytes.readableBytes)) + bytes.readableBytes
    }

    /// Bytes of a zigzag varint.
    @inline(__always)
    private static func width(_ value: Int64) -> Int {
        let zigzag = UInt64(bitPattern: (value << 1) ^ (value >> 63))
        // 7 bits a byte; `| 1` because 0 takes a byte too.
        return (70 - (zigzag | 1).leadingZeroBitCount) / 7
    }
}

/// Writes one record into room that was measured for it. This is the producer's path for every record, so it works on raw bytes: copies
/// are checked against the room, single bytes in debug builds only.
private struct RecordOutput {
    let bytes: UnsafeMutableRawBufferPointer
    private(set) var count = 0

    init(bytes: UnsafeMutableRawBufferPointer) { self.bytes = bytes }

    @inline(__always)
    mutating func byte(_ value: UInt8) {
        bytes[count] = value
        count += 1
    }

    @inline(__always)
    mutating func varint(_ value: Int64) {
        var rest = UInt64(bitPattern: (value << 1) ^ (value >> 63))
        while rest > 0x7F {
            byte(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        byte(UInt8(truncatingIfNeeded: rest))
    }

    @inline(__always)
    mutating func nullable(_ source: ByteBuffer?) {
        guard let source else { return varint(-1) }
        varint(Int64(source.readableBytes))
        source.withUnsafeReadableBytes { copy($0) }
    }

    mutating func text(_ source: String) {
        varint(Int64(source.utf8.count))
        var source = source
        source.withUTF8 { copy(UnsafeRawBufferPointer($0)) }
    }

    @inline(__always)
    private mutating func copy(_ source: UnsafeRawBufferPointer) {
        precondition(source.count <= bytes.count - count, "a record was measured too small")
        UnsafeMutableRawBufferPointer(rebasing: bytes[count...]).copyMemory(from: source)
        count += source.count
    }
}
