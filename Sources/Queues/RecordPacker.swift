import Model
import NIOCore

/// Puts encoded records into a new uncompressed batch for a target's log without decoding them: renumbered, without the delay headers and
/// with a stamp. The delay store keeps them as they are (``DelayChunk``).
public struct RecordPacker: Sendable {
    /// Headers that ask for a delay; a released message does not carry them any more.
    public static let delayHeader = "x-delay"
    public static let deliverAtHeader = "x-deliver-at"
    /// The stamp that tells, after a crash, what was released already.
    public static let handleHeader = "weir.delay.handle"

    private var buffer: ByteBuffer
    public private(set) var count: Int32 = 0
    private var baseTimestamp = Timestamp.none
    public private(set) var maxTimestamp = Timestamp.none

    public init(capacity: Int) {
        buffer = ByteBufferAllocator().buffer(capacity: capacity + RecordBatchHeader.size)
        buffer.moveWriterIndex(to: RecordBatchHeader.size)
    }

    public var byteCount: Int { buffer.readableBytes }
    public var isEmpty: Bool { count == 0 }

    /// Begins a batch of the delay store: its first record is `meta`, and its records' times count from `baseTimestamp`.
    public mutating func begin(meta: ByteBuffer, baseTimestamp: Timestamp, maxTimestamp: Timestamp) {
        precondition(count == 0)
        self.baseTimestamp = baseTimestamp
        self.maxTimestamp = maxTimestamp
        var out = PackedBytes()
        out.byte(0)
        out.varint(0)
        out.varint(0)
        out.varint(-1)
        out.varint(Int64(meta.readableBytes))
        var length = PackedBytes()
        length.varint(Int64(out.count + meta.readableBytes + 1))
        length.write(to: &buffer)
        out.write(to: &buffer)
        buffer.writeImmutableBuffer(meta)
        buffer.writeInteger(0 as UInt8)
        count = 1
    }

    /// Appends a record for a target's log.
    /// - Parameters:
    ///   - baseTimestamp: what the record's timestamp delta counts from.
    ///   - handle: the stamp to add.
    /// - Returns: false when the record's headers are malformed; then nothing is appended.
    public mutating func append(
        _ record: RawRecord, of bytes: UnsafeRawBufferPointer, baseTimestamp base: Timestamp, handle: String?
    ) -> Bool {
        let timestamp = base + record.timestampDelta
        var kept = 0
        var keptBytes = 0
        var keepsAll = true
        let isWhole = record.headers(bytes) { whole, name, _ in
            if Self.isDelayHeader(UnsafeRawBufferPointer(rebasing: bytes[name])) {
                keepsAll = false
            } else {
                kept += 1
                keptBytes += whole.count
            }
        }
        guard isWhole else { return false }
        if count == 0 {
            baseTimestamp = timestamp
            maxTimestamp = timestamp
        }
        maxTimestamp = max(maxTimestamp, timestamp)
        var head = PackedBytes()
        head.byte(0)
        head.varint(timestamp - baseTimestamp)
        head.varint(Int64(count))
        var tail = PackedBytes()
        tail.varint(Int64(kept + (handle == nil ? 0 : 1)))
        var stampBytes = 0
        if let handle { stampBytes = 2 + Self.handleHeader.utf8.count + handle.utf8.count }
        var length = PackedBytes()
        length.varint(Int64(head.count + record.valueEnd - record.keyStart + tail.count + keptBytes + stampBytes))
        length.write(to: &buffer)
        head.write(to: &buffer)
        buffer.writeBytes(UnsafeRawBufferPointer(rebasing: bytes[record.keyStart..<record.valueEnd]))
        tail.write(to: &buffer)
        if keepsAll {
            buffer.writeBytes(UnsafeRawBufferPointer(rebasing: bytes[record.headersStart..<(record.headersStart + keptBytes)]))
        } else {
            _ = record.headers(bytes) { whole, name, _ in
                if !Self.isDelayHeader(UnsafeRawBufferPointer(rebasing: bytes[name])) {
                    buffer.writeBytes(UnsafeRawBufferPointer(rebasing: bytes[whole]))
                }
            }
        }
        if let handle { stamp(handle) }
        count += 1
        return true
    }

    private mutating func stamp(_ handle: String) {
        precondition(handle.utf8.count < 64, "a handle's length takes one byte")
        buffer.writeInteger(UInt8(Self.handleHeader.utf8.count << 1))
        buffer.writeString(Self.handleHeader)
        buffer.writeInteger(UInt8(handle.utf8.count << 1))
        buffer.writeString(handle)
    }

    @inline(__always)
    private static func load<T: FixedWidthInteger>(_ bytes: UnsafeRawBufferPointer, _ offset: Int, _ type: T.Type) -> T {
        T(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: type))
    }

    /// Whether a header's name is ``delayHeader`` or ``deliverAtHeader``.
    @inline(__always)
    static func isDelayHeader(_ name: UnsafeRawBufferPointer) -> Bool {
        // The names in words, for every header of every record comes by here.
        switch name.count {
        case 7: load(name, 0, UInt32.self) == 0x782D_6465 && load(name, 3, UInt32.self) == 0x656C_6179
        case 12: load(name, 0, UInt64.self) == 0x782D_6465_6C69_7665 && load(name, 8, UInt32.self) == 0x722D_6174
        default: false
        }
    }

    /// The batch at `base`, with its checksum. The packer is spent.
    public mutating func finish(
        base: Offset, leaderEpoch: Int32, producerID: ProducerID = .none, producerEpoch: Int16 = -1, baseSequence: Int32 = -1
    ) -> ByteBuffer {
        precondition(count > 0, "a batch holds at least one record")
        var batch = buffer
        buffer = ByteBuffer()
        RecordBatchHeader.seal(
            &batch, baseOffset: base, leaderEpoch: leaderEpoch, recordCount: count, baseTimestamp: baseTimestamp,
            maxTimestamp: maxTimestamp,
            producerID: producerID, producerEpoch: producerEpoch, baseSequence: baseSequence)
        return batch
    }
}

/// A few bytes on the stack: the varints around a record's body.
struct PackedBytes {
    private var storage: [40 of UInt8] = .init(repeating: 0)
    private(set) var count = 0

    @inline(__always)
    mutating func byte(_ value: UInt8) {
        storage[count] = value
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
    func write(to buffer: inout ByteBuffer) {
        withUnsafeBytes(of: storage) { _ = buffer.writeBytes(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
    }
}
