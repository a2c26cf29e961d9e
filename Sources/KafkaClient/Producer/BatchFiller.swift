import Compression
import Model
import NIOCore

/// The open batch of one partition: takes records until it is full and gives each sealed batch the number that follows the last.
struct BatchFiller {
    struct Sealed {
        var bytes: ByteBuffer
        /// Bytes before they were packed, as ``BatchFiller/add(_:now:)`` counted them.
        var filledBytes: Int
        var records: Int
        var started: Monotonic
    }

    /// When the first record came; set by the owner, who has the clock.
    var started = Monotonic(ns: 0)
    private let limit: Int
    private let compression: RecordBatchHeader.Compression
    private var builder: RecordBatchBuilder

    /// - Parameter limit: bytes of a batch before it is packed, header included.
    init(limit: Int, identity: ProducerIdentity?, compression: RecordBatchHeader.Compression = .none) {
        self.limit = limit
        self.compression = compression
        builder = RecordBatchBuilder(
            producerID: identity?.id ?? .none, producerEpoch: identity?.epoch ?? -1, baseSequence: identity == nil ? -1 : 0,
            capacity: min(limit, 64 << 10))
    }

    var isEmpty: Bool { builder.recordCount == 0 }

    /// Whether a record of `size` bytes fits into any batch.
    func canEverHold(_ size: Int) -> Bool { RecordBatchHeader.size + size <= limit }

    /// Whether it fits into this one; an empty batch has room for all that fit at all.
    func hasRoom(_ size: Int) -> Bool { isEmpty || builder.byteCount + size <= limit }

    /// Adds a record; the bytes it took, the header counted with the first.
    mutating func add(_ record: OutgoingRecord, now: Timestamp) -> Int {
        let before = isEmpty ? 0 : builder.byteCount
        builder.append(timestamp: record.timestamp ?? now, key: record.key, value: record.value, headers: record.headers)
        return builder.byteCount - before
    }

    /// The batch, with its checksum and number; the next one is empty.
    mutating func seal() -> Sealed {
        let records = Int(builder.recordCount)
        let filled = builder.finish()
        if builder.baseSequence >= 0 { builder.baseSequence = Self.sequence(builder.baseSequence, after: records) }
        return Sealed(
            bytes: Packing.pack(batch: filled, compression), filledBytes: filled.readableBytes, records: records, started: started)
    }

    /// The most bytes that a record takes in a batch.
    static func sizeBound(_ record: OutgoingRecord) -> Int {
        var size = 36 + (record.key?.readableBytes ?? 0) + (record.value?.readableBytes ?? 0)
        for header in record.headers { size += 10 + header.name.utf8.count + (header.value?.readableBytes ?? 0) }
        return size
    }

    /// Sequence numbers go from 0 to 2³¹ − 1 and start again.
    static func sequence(_ sequence: Int32, after records: Int) -> Int32 {
        Int32((Int64(sequence) + Int64(records)) % (Int64(Int32.max) + 1))
    }
}

/// What the broker gave an idempotent producer (KIP-98).
struct ProducerIdentity: Sendable {
    var id: ProducerID
    var epoch: Int16
}
