import NIOCore

/// The 61 bytes before a record batch's records (Kafka message format v2; KIP-98).
///
/// ```
///  0 baseOffset 8 │ 8 batchLength 4 │ 12 partitionLeaderEpoch 4 │ 16 magic 1 │ 17 crc 4 │ 21 attributes 2
/// 23 lastOffsetDelta 4 │ 27 baseTimestamp 8 │ 35 maxTimestamp 8 │ 43 producerId 8 │ 51 producerEpoch 2
/// 53 baseSequence 4 │ 57 recordCount 4 │ 61 records…
/// ```
/// `batchLength` counts from byte 12. The CRC covers byte 21 to the end, so a broker may patch base offset and leader
/// epoch without touching it.
public struct RecordBatchHeader: Equatable, Sendable {
    public static let size = 61
    /// Bytes before `batchLength` starts to count.
    public static let lengthPrefix = 12
    static let crcStart = 21

    public var baseOffset: Offset
    /// Bytes of the whole batch, header and prefix included.
    public var totalBytes: Int
    public var leaderEpoch: Int32
    public var crc: UInt32
    public var attributes: Attributes
    public var lastOffsetDelta: Int32
    public var baseTimestamp: Timestamp
    public var maxTimestamp: Timestamp
    public var producerID: ProducerID
    public var producerEpoch: Int16
    public var baseSequence: Int32
    public var recordCount: Int32

    public var lastOffset: Offset { baseOffset + Int64(lastOffsetDelta) }
    /// The offset of the first record after this batch.
    public var nextOffset: Offset { lastOffset + 1 }

    /// What is known of a batch without its bytes: enough to judge its producer's sequence.
    public init(
        baseOffset: Offset, lastOffsetDelta: Int32, maxTimestamp: Timestamp, producerID: ProducerID, producerEpoch: Int16,
        baseSequence: Int32
    ) {
        self.init(
            baseOffset: baseOffset, totalBytes: Self.size, leaderEpoch: -1, crc: 0, attributes: Attributes(rawValue: 0),
            lastOffsetDelta: lastOffsetDelta, baseTimestamp: maxTimestamp, maxTimestamp: maxTimestamp, producerID: producerID,
            producerEpoch: producerEpoch, baseSequence: baseSequence, recordCount: lastOffsetDelta + 1)
    }

    init(
        baseOffset: Offset, totalBytes: Int, leaderEpoch: Int32, crc: UInt32, attributes: Attributes, lastOffsetDelta: Int32,
        baseTimestamp: Timestamp, maxTimestamp: Timestamp, producerID: ProducerID, producerEpoch: Int16, baseSequence: Int32,
        recordCount: Int32
    ) {
        self.baseOffset = baseOffset
        self.totalBytes = totalBytes
        self.leaderEpoch = leaderEpoch
        self.crc = crc
        self.attributes = attributes
        self.lastOffsetDelta = lastOffsetDelta
        self.baseTimestamp = baseTimestamp
        self.maxTimestamp = maxTimestamp
        self.producerID = producerID
        self.producerEpoch = producerEpoch
        self.baseSequence = baseSequence
        self.recordCount = recordCount
    }

    /// Writes the header of an uncompressed batch, magic 2, over the first 61 readable bytes of `batch`, and the checksum of what follows.
    public static func seal(
        _ batch: inout ByteBuffer, baseOffset: Offset, leaderEpoch: Int32, recordCount: Int32, baseTimestamp: Timestamp,
        maxTimestamp: Timestamp, producerID: ProducerID, producerEpoch: Int16, baseSequence: Int32
    ) {
        batch.withUnsafeMutableReadableBytes { bytes in
            seal(
                bytes, baseOffset: baseOffset, leaderEpoch: leaderEpoch, recordCount: recordCount, baseTimestamp: baseTimestamp,
                maxTimestamp: maxTimestamp, producerID: producerID, producerEpoch: producerEpoch, baseSequence: baseSequence)
        }
    }

    /// The same over raw bytes, which end where the batch does.
    public static func seal(
        _ batch: UnsafeMutableRawBufferPointer, baseOffset: Offset, leaderEpoch: Int32, recordCount: Int32, baseTimestamp: Timestamp,
        maxTimestamp: Timestamp, producerID: ProducerID = .none, producerEpoch: Int16 = -1, baseSequence: Int32 = -1
    ) {
        precondition(batch.count >= size, "a batch holds at least its header")
        func store<T: FixedWidthInteger>(_ value: T, _ offset: Int) {
            batch.storeBytes(of: value.bigEndian, toByteOffset: offset, as: T.self)
        }
        store(baseOffset.value, 0)
        store(Int32(batch.count - lengthPrefix), 8)
        store(leaderEpoch, 12)
        store(2 as Int8, 16)
        store(0 as Int16, 21)
        store(max(0, recordCount - 1), 23)
        store(baseTimestamp.ms, 27)
        store(maxTimestamp.ms, 35)
        store(producerID.value, 43)
        store(producerEpoch, 51)
        store(baseSequence, 53)
        store(recordCount, 57)
        store(CRC32C.checksum(UnsafeRawBufferPointer(rebasing: batch[crcStart...])), 17)
    }

    public struct Attributes: RawRepresentable, Equatable, Sendable {
        public var rawValue: Int16
        public init(rawValue: Int16) { self.rawValue = rawValue }

        /// 0 none, 1 gzip, 2 snappy, 3 lz4, 4 zstd; nil for 5 to 7, which nobody has given a meaning.
        public var compression: Compression? { Compression(rawValue: Int(rawValue & 0x07)) }
        public var isLogAppendTime: Bool { rawValue & 0x08 != 0 }
        public var isTransactional: Bool { rawValue & 0x10 != 0 }
        public var isControl: Bool { rawValue & 0x20 != 0 }
    }

    /// How a batch's records are packed.
    public enum Compression: Int, Sendable, CaseIterable {
        case none, gzip, snappy, lz4, zstd
    }

    /// Why bytes are not a record batch v2.
    public enum Malformed: Error, Equatable, Sendable {
        /// Fewer bytes than a header, or than the batch's own length.
        case truncated
        /// An older format (0 or 1) or an unknown one.
        case magic(Int8)
        /// A length smaller than the header, or counts that contradict each other.
        case inconsistent
        /// The checksum does not match.
        case checksum
    }

    /// Reads the header at `start` (relative to the reader index). Checks the magic and that length and counts agree; does not need
    /// the records to be there and does not verify the checksum.
    public static func parse(_ buffer: ByteBuffer, at start: Int = 0) throws(Malformed) -> RecordBatchHeader {
        let result: Result<RecordBatchHeader, Malformed> = buffer.withUnsafeReadableBytes { bytes in
            guard start >= 0, start <= bytes.count else { return .failure(.truncated) }
            return parse(UnsafeRawBufferPointer(rebasing: bytes[start...]))
        }
        return try result.get()
    }

    /// The same over raw bytes; for loops that walk a file's bytes.
    public static func parse(_ bytes: UnsafeRawBufferPointer) -> Result<RecordBatchHeader, Malformed> {
        guard bytes.count >= 17 else { return .failure(.truncated) }
        func load<T: FixedWidthInteger>(_ offset: Int, as type: T.Type) -> T {
            T(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: type))
        }
        let magic = load(16, as: Int8.self)
        guard magic == 2 else { return .failure(.magic(magic)) }
        guard bytes.count >= size else { return .failure(.truncated) }
        let header = RecordBatchHeader(
            baseOffset: Offset(load(0, as: Int64.self)),
            totalBytes: Int(load(8, as: Int32.self)) + lengthPrefix,
            leaderEpoch: load(12, as: Int32.self),
            crc: load(17, as: UInt32.self),
            attributes: Attributes(rawValue: load(21, as: Int16.self)),
            lastOffsetDelta: load(23, as: Int32.self),
            baseTimestamp: Timestamp(ms: load(27, as: Int64.self)),
            maxTimestamp: Timestamp(ms: load(35, as: Int64.self)),
            producerID: ProducerID(load(43, as: Int64.self)),
            producerEpoch: load(51, as: Int16.self),
            baseSequence: load(53, as: Int32.self),
            recordCount: load(57, as: Int32.self))
        guard header.totalBytes >= size, header.lastOffsetDelta >= 0, header.recordCount >= 0,
            header.recordCount <= Int64(header.lastOffsetDelta) + 1
        else { return .failure(.inconsistent) }
        return .success(header)
    }

    /// Whether the batch's bytes, which begin with this header, match its checksum. Pass exactly `totalBytes` bytes.
    public func checksumMatches(_ batch: UnsafeRawBufferPointer) -> Bool {
        batch.count == totalBytes
            && CRC32C.checksum(UnsafeRawBufferPointer(rebasing: batch[Self.crcStart...])) == crc
    }

    /// Writes the two fields that a broker sets, at `start` (relative to the reader index). Neither is under the checksum.
    public static func patch(_ buffer: inout ByteBuffer, at start: Int = 0, baseOffset: Offset, leaderEpoch: Int32) {
        let index = buffer.readerIndex + start
        buffer.setInteger(baseOffset.value, at: index)
        buffer.setInteger(leaderEpoch, at: index + 12)
    }
}

extension RecordBatchHeader {
    /// ``patch(_:at:baseOffset:leaderEpoch:)`` without copying what the buffer shares: a request's batches are slices of one frame that
    /// nobody else reads, and a copy of up to 1 MiB per batch would be the largest cost of a publish.
    /// - Precondition: the caller owns the bytes under `batch`; no other slice overlaps them.
    public static func patchOwned(_ batch: ByteBuffer, baseOffset: Offset, leaderEpoch: Int32) {
        batch.withUnsafeReadableBytes { bytes in
            precondition(bytes.count >= size, "a batch holds at least its header")
            let start = UnsafeMutableRawPointer(mutating: bytes.baseAddress!)
            start.storeBytes(of: baseOffset.value.bigEndian, as: Int64.self)
            (start + 12).storeBytes(of: leaderEpoch.bigEndian, as: Int32.self)
        }
    }

    /// Gives the batch the broker's time (`message.timestamp.type=LogAppendTime`) and a new checksum.
    public static func stamp(_ batch: inout ByteBuffer, appendTime: Timestamp) {
        let start = batch.readerIndex
        let attributes = batch.getInteger(at: start + 21, as: Int16.self) ?? 0
        batch.setInteger(attributes | 0x08, at: start + 21)
        batch.setInteger(appendTime.ms, at: start + 35)
        batch.setInteger(CRC32C.checksum(batch, from: crcStart), at: start + 17)
    }

    /// Makes the batch cover `offsets` offsets, more than it has records, and gives it a new checksum: those without a record are a gap.
    public static func widen(_ batch: inout ByteBuffer, to offsets: Int32) {
        let start = batch.readerIndex
        batch.setInteger(offsets - 1, at: start + 23)
        batch.setInteger(CRC32C.checksum(batch, from: crcStart), at: start + 17)
    }
}
