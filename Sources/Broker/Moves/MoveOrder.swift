import Model
import NIOCore
import Queues

/// A batch of messages, read and rewritten, ready to be moved.
struct MoveOrder: Sendable {
    struct Part: Sendable {
        var target: PartitionID
        var ranges: [Range<Offset>]
        var batch: ByteBuffer
        var count: Int64
    }
    var number: UInt64
    /// The cursor the messages leave; its group may be empty for a copy.
    var key: ShareKey
    /// How the source settles what has landed; nil for a copy.
    var end: Settlement?
    var job: Int64 = 0
    var window: Range<Offset>?
    var parts: [Part]

    /// What is logged before anything is appended.
    func intent(ends: [Offset]) -> MoveIntent {
        MoveIntent(
            number: number, group: key.group, source: key.partition, end: end?.rawValue ?? 0, job: job, window: window,
            parts: zip(parts, ends).map { part, end in .init(target: part.target, targetEnd: end, ranges: part.ranges) })
    }
}

/// What became of an order.
struct MoveResult: Sendable {
    /// Per part where its batch begins in the target; nil: it did not land.
    var bases: [Offset?] = []
    /// Parts that were not appended, and why; their messages are still claimed.
    var refused: [(part: Int, error: PartitionError)] = []
    /// Nobody knows whether the rest landed: the next start finds out.
    var isStuck = false
}

/// Rewrites records into one or more batches per target.
struct MoveBatcher {
    private let identity: MoveIdentity
    private let limits: Limits
    private let now: Timestamp
    private var open: [PartitionID: Int] = [:]
    private var building: [Building] = []
    private(set) var count = 0

    private struct Building {
        var target: PartitionID
        var ranges: [Range<Offset>] = []
        var builder = RecordBatchBuilder(capacity: 4_096)
    }

    init(identity: MoveIdentity, limits: Limits, now: Timestamp) {
        self.identity = identity
        self.limits = limits
        self.now = now
    }

    /// Adds a copy of `record` for `target` with these headers in place of its own. The copy's timestamp is now; the first publisher's
    /// goes along in a header.
    mutating func add(_ record: Record, to target: PartitionID, headers: [Record.Header]) {
        let bytes = Self.bytes(record, headers)
        let index: Int
        if let known = open[target], building[known].builder.byteCount + bytes <= limits.batchBytes,
            Int(building[known].builder.recordCount) < limits.moveRecords
        {
            index = known
        } else {
            index = building.count
            building.append(Building(target: target))
            open[target] = index
        }
        var headers = headers
        // Nor does a copy carry the handle its message was once released by: a start would take it for the release of whatever message
        // has that handle now (a power failure that takes bodies lets handles be given again).
        headers.removeAll { $0.isNamed(DeadLetterHeader.move) || $0.isNamed(RecordPacker.handleHeader) }
        if !headers.contains(where: { $0.isNamed(DeadLetterHeader.timestamp) }) {
            headers.append(.init(name: DeadLetterHeader.timestamp, value: ByteBuffer(string: record.timestamp.description)))
        }
        headers.append(identity.header(record.offset))
        building[index].builder.append(timestamp: now, key: record.key, value: record.value, headers: headers)
        let next = record.offset + 1
        if let last = building[index].ranges.last, last.upperBound == record.offset {
            building[index].ranges[building[index].ranges.count - 1] = last.lowerBound..<next
        } else {
            building[index].ranges.append(record.offset..<next)
        }
        count += 1
    }

    /// One part per batch, in the order in which they were begun.
    mutating func finish() -> [MoveOrder.Part] {
        let parts = building.indices.map { index in
            let count = Int64(building[index].builder.recordCount)
            let batch = building[index].builder.finish()
            return MoveOrder.Part(target: building[index].target, ranges: building[index].ranges, batch: batch, count: count)
        }
        building = []
        open = [:]
        return parts
    }

    /// Bytes of a record at most.
    private static func bytes(_ record: Record, _ headers: [Record.Header]) -> Int {
        (record.key?.readableBytes ?? 0) + (record.value?.readableBytes ?? 0) + 200
            + headers.reduce(0) { $0 + $1.name.utf8.count + ($1.value?.readableBytes ?? 0) + 10 }
    }
}
