import Model
import NIOCore

/// How a ``Producer`` batches and what it waits for.
public struct ProducerOptions: Sendable {
    public enum Acks: Int16, Sendable, CaseIterable {
        /// Nothing is waited for; loss goes unnoticed.
        case none = 0
        /// The leader has written the batch.
        case leader = 1
        /// The batch is as durable as the broker makes it.
        case all = -1
    }

    public var acks = Acks.all
    /// How long a batch waits for more records. 0 sends at once, and still gathers what comes while requests are on their way.
    public var lingerMs: Int64 = 5
    /// A batch is sent when it has this many bytes.
    public var batchBytes = 1 << 20
    /// How batches are packed; one that packing makes no smaller goes as it is.
    public var compression = RecordBatchHeader.Compression.none
    /// Batches of one partition on their way at once; at most 5 with idempotence.
    public var inFlight = 5
    /// Bytes of one partition that may wait, those on their way included; past it `send` suspends.
    public var bufferBytes = 32 << 20
    /// Number batches, so that a repeated one is written once (KIP-98). Needs `acks = .all`.
    public var idempotent = false
    /// How long the broker may take to write.
    public var timeoutMs: Int32 = 30_000
    /// Ask the broker to create topics that are missing.
    public var createTopics = true

    public init() {}
}

/// One record to send.
public struct OutgoingRecord: Sendable {
    public var key: ByteBuffer?
    public var value: ByteBuffer?
    public var headers: [Record.Header]
    /// Nil for now.
    public var timestamp: Timestamp?

    @inlinable
    public init(key: ByteBuffer? = nil, value: ByteBuffer?, headers: [Record.Header] = [], timestamp: Timestamp? = nil) {
        self.key = key
        self.value = value
        self.headers = headers
        self.timestamp = timestamp
    }
}

/// What became of one batch.
public struct Delivery: Sendable {
    public var topic: String
    public var partition: Int32
    public var records: Int
    public var bytes: Int
    /// Offset of the first record; nil with acks=0, and for a repeated batch whose place the broker no longer knows.
    public var baseOffset: Offset?
    /// When the batch got its first record, and when it was answered.
    public var started: Monotonic
    public var finished: Monotonic
    public var error: ClientError?
}
