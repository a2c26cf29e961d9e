import Model
import NIOCore

/// Records of one publish that share a batch of a bodies stream: see ``DelayMeta``.
public struct DelayChunk: Equatable, Sendable {
    /// Bodies with times of their own share a batch up to this size, so that reading one of them back reads little else.
    public static let byteLimit = 8 << 10

    /// Which records of the publish, ascending, neighbours together.
    public var indices: [Range<Int>]
    public private(set) var count: Int
    private var bytes: Int

    private init(first: Int, bytes: Int) {
        indices = [first..<(first + 1)]
        count = 1
        self.bytes = bytes
    }

    private mutating func add(_ index: Int, bytes: Int) {
        if indices[indices.count - 1].upperBound == index {
            indices[indices.count - 1] = indices[indices.count - 1].lowerBound..<(index + 1)
        } else {
            indices.append(index..<(index + 1))
        }
        count += 1
        self.bytes += bytes
    }

    /// Cuts the records that `isIn` names into chunks.
    @inline(__always)
    public static func cut(_ plan: DelayPlan, _ isIn: (Int) -> Bool) -> [DelayChunk] {
        var chunks: [DelayChunk] = []
        var open: DelayChunk?
        for index in plan.dues.indices where isIn(index) {
            let length = Int(plan.starts[index + 1] - plan.starts[index])
            if let known = open, known.bytes + length > byteLimit {
                chunks.append(known)
                open = nil
            }
            if open == nil { open = DelayChunk(first: index, bytes: length) } else { open?.add(index, bytes: length) }
        }
        if let open { chunks.append(open) }
        return chunks
    }

    /// Most bytes that ``write(to:head:plan:records:header:arrivedMs:base:leaderEpoch:)`` adds.
    public func room(head: ByteBuffer) -> Int { RecordBatchHeader.size + 32 + head.readableBytes + 10 * count + bytes }

    /// Appends the batch: the meta record, whose value is `head` and when each body is due, then the bodies as they are. Their offset deltas
    /// stay the producer's, which only the delay store tolerates.
    /// - Parameters:
    ///   - records: what the plan was made of.
    ///   - header: of the producer's batch: the bodies' times count from its.
    public func write(
        to buffer: inout ByteBuffer, head: ByteBuffer, plan: DelayPlan, records: UnsafeRawBufferPointer, header: RecordBatchHeader,
        arrivedMs: Int64, base: Offset, leaderEpoch: Int32
    ) {
        buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: room(head: head)) { out in
            let end = withUnsafeTemporaryAllocation(byteCount: 10 * count + 16, alignment: 1) { times -> Int in
                let timeBytes = encodeTimes(plan, arrivedMs, times)
                var cursor = ByteCursor(out, at: RecordBatchHeader.size)
                let valueBytes = head.readableBytes + timeBytes
                // Attributes, two deltas, no key, the value, no headers.
                cursor.varint(Int64(4 + ByteCursor.varintBytes(Int64(valueBytes)) + valueBytes + 1))
                cursor.byte(0)
                cursor.varint(0)
                cursor.varint(0)
                cursor.varint(-1)
                cursor.varint(Int64(valueBytes))
                head.withUnsafeReadableBytes { cursor.bytes($0) }
                cursor.bytes(UnsafeRawBufferPointer(rebasing: times[..<timeBytes]))
                cursor.varint(0)
                for range in indices { cursor.bytes(UnsafeRawBufferPointer(rebasing: records[plan.bytes(of: range)])) }
                return cursor.at
            }
            RecordBatchHeader.seal(
                UnsafeMutableRawBufferPointer(rebasing: out[..<end]), baseOffset: base, leaderEpoch: leaderEpoch,
                recordCount: Int32(count + 1), baseTimestamp: header.baseTimestamp, maxTimestamp: header.maxTimestamp)
            return end
        }
    }

    /// The second of ``DelayMeta/Dues``, as the meta record has it; how many bytes that are.
    private func encodeTimes(_ plan: DelayPlan, _ arrivedMs: Int64, _ out: UnsafeMutableRawBufferPointer) -> Int {
        var cursor = ByteCursor(out, at: 0)
        cursor.byte(1)
        cursor.unsignedVarint(UInt64(count + 1))
        plan.dues.withUnsafeBufferPointer { dues in
            for range in indices {
                for index in range { cursor.varint(dues[index] - arrivedMs) }
            }
        }
        return cursor.at
    }

    /// The index entries of the chunk at `base`; neighbours due together are one.
    public func appendEntries(to entries: inout [DelayEntry], plan: DelayPlan, base: Offset, band: Int, number: UInt32) {
        var ref = DelayRef(band: band, offset: base + 1)
        let first = entries.count
        for range in indices {
            for index in range {
                let dueMs = plan.dues[index]
                if entries.count > first, entries[entries.count - 1].dueMs == dueMs {
                    entries[entries.count - 1].count += 1
                } else {
                    entries.append(DelayEntry(dueMs: dueMs, ref: ref, count: 1, target: number))
                }
                ref = ref.advanced(by: 1)
            }
        }
    }
}

/// Writes varints and bytes one after the other into memory that is known to be large enough.
private struct ByteCursor {
    let out: UnsafeMutableRawBufferPointer
    private(set) var at: Int

    init(_ out: UnsafeMutableRawBufferPointer, at: Int) {
        self.out = out
        self.at = at
    }

    @inline(__always)
    mutating func byte(_ value: UInt8) {
        precondition(at < out.count)
        out[at] = value
        at += 1
    }

    @inline(__always)
    mutating func unsignedVarint(_ value: UInt64) {
        var rest = value
        while rest > 0x7F {
            byte(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        byte(UInt8(truncatingIfNeeded: rest))
    }

    @inline(__always)
    mutating func varint(_ value: Int64) { unsignedVarint(UInt64(bitPattern: (value << 1) ^ (value >> 63))) }

    static func varintBytes(_ value: Int64) -> Int {
        let coded = UInt64(bitPattern: (value << 1) ^ (value >> 63))
        return max(1, (UInt64.bitWidth - coded.leadingZeroBitCount + 6) / 7)
    }

    @inline(__always)
    mutating func bytes(_ source: UnsafeRawBufferPointer) {
        guard let from = source.baseAddress else { return }
        precondition(source.count <= out.count - at)
        (out.baseAddress! + at).copyMemory(from: from, byteCount: source.count)
        at += source.count
    }
}
