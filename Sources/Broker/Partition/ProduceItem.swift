import Model
import NIOCore

/// One record batch on its way to a partition. The batch's length, magic and checksum have been verified.
public struct ProduceItem: Sendable {
    /// Where the answer goes in the request.
    public var slot: Int
    public var partition: PartitionID
    public var header: RecordBatchHeader
    public var batch: ByteBuffer
    /// The broker moves these records itself: they are not delayed again, and a topic's `max.message.bytes` does not refuse them.
    public var isMove: Bool
    /// A queue's limits, rates and gates are for it too. Dead letters come in whatever they say: they have nowhere else to go.
    public var obeysAdmission: Bool

    public init(
        slot: Int, partition: PartitionID, header: RecordBatchHeader, batch: ByteBuffer, isMove: Bool = false, obeysAdmission: Bool = true
    ) {
        self.slot = slot
        self.partition = partition
        self.header = header
        self.batch = batch
        self.isMove = isMove
        self.obeysAdmission = obeysAdmission
    }
}

public struct ProduceResult: Sendable {
    public var slot: Int
    public var error: PartitionError?
    public var baseOffset: Offset
    /// Set when the topic stamps records itself.
    public var appendTime: Timestamp
    public var logStart: Offset
    /// How long the whole request was held back for a queue's `rate.in`.
    public var throttleMs: Int64 = 0

    init(slot: Int, error: PartitionError) {
        self.slot = slot
        self.error = error
        baseOffset = Offset(-1)
        appendTime = .none
        logStart = Offset(-1)
    }

    init(slot: Int, baseOffset: Offset, appendTime: Timestamp = .none, logStart: Offset) {
        self.slot = slot
        self.baseOffset = baseOffset
        self.appendTime = appendTime
        self.logStart = logStart
    }
}

/// When a publish is answered.
public enum Acknowledge: Sendable {
    /// When every batch is in the page cache (`acks=0` and `acks=1`).
    case written
    /// When every batch would survive power loss, as far as the flush setting promises it (`acks=all`).
    case durable
}

/// The batches of one request for one shard, and what has been answered of them. Owned by the shard's loop until `reply`.
final class ProduceTicket {
    private(set) var results: [ProduceResult] = []
    private var missing: Int
    /// How long the answer is held back for a queue's `rate.in`; told to the client as its throttle time.
    var holdMs: Int64 = 0
    /// The loop on which `reply` runs.
    let loop: any EventLoop
    let reply: @Sendable ([ProduceResult]) -> Void

    init(count: Int, loop: any EventLoop, reply: @escaping @Sendable ([ProduceResult]) -> Void) {
        missing = count
        results.reserveCapacity(count)
        self.loop = loop
        self.reply = reply
    }

    /// Takes one batch's answer; true when it was the last.
    func answer(_ result: ProduceResult) -> Bool {
        results.append(result)
        missing -= 1
        return missing == 0
    }
}
