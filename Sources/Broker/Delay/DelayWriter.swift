import Model
import NIOCore
import Queues

/// Makes the batches of one publish for the bodies streams, and what of it goes to the target at once. A value: offsets are given to it.
struct DelayWriter {
    struct Part {
        var band: Int
        var base: Offset
        var next: Offset
        var bytes: ByteBuffer
        var entries: [DelayEntry]
    }

    struct Packed {
        var parts: [Part] = []
        var immediate: (header: RecordBatchHeader, batch: ByteBuffer)?
    }

    /// Bodies with times of their own share a batch up to this size, so that reading one of them back reads little else.
    static let chunkBytes = 8 << 10

    let target: PartitionID
    let number: UInt32
    let arrivedMs: Int64
    let base: Offset
    let leaderEpoch: Int32
    let header: RecordBatchHeader
    /// The ends of the bands' bodies.
    let ends: [Offset]

    private var trace: DelayMeta.Trace? { header.producerID == .none ? nil : DelayMeta.Trace(header) }

    // MARK: As it came

    /// The producer's batch, untouched, behind a batch that says when it is due.
    func pack(whole batch: ByteBuffer, dueMs: Int64) -> Packed {
        let band = DelayBand.of(remainingMs: dueMs - arrivedMs)
        let start = ends[band]
        let count = header.lastOffsetDelta + 1
        let next = start + 1 + Int64(count)
        let meta = DelayMeta(
            target: target, arrivedMs: arrivedMs, dues: .next(ms: dueMs, count: count), parts: [.init(band: band, end: next)], base: base,
            immediate: 0, trace: trace)
        var packer = RecordPacker(capacity: 128)
        packer.begin(meta: meta.encoded(), baseTimestamp: Timestamp(ms: arrivedMs), maxTimestamp: Timestamp(ms: arrivedMs))
        let head = packer.finish(base: start, leaderEpoch: leaderEpoch)
        RecordBatchHeader.patchOwned(batch, baseOffset: start + 1, leaderEpoch: leaderEpoch)
        return Packed(parts: [
            Part(band: band, base: start, next: start + 1, bytes: head, entries: []),
            Part(band: band, base: start + 1, next: next, bytes: batch, entries: meta.entries(at: start, band: band, number: number)),
        ])
    }

    // MARK: Split

    private struct Chunk {
        var band: Int
        var range: [Int] = []
        var bytes = 0
    }

    /// - Parameter isHalf: what is not delayed is in the target's log already.
    func pack(_ plan: DelayPlan, records: ByteBuffer, isHalf: Bool) -> Packed {
        records.withUnsafeReadableBytes { bytes in
            let chunks = chunks(plan)
            var ends = ends
            for chunk in chunks { ends[chunk.band] = ends[chunk.band] + Int64(chunk.range.count) + 1 }
            let bands = Set(chunks.map(\.band)).sorted()
            let parts = bands.map { DelayMeta.Part(band: $0, end: ends[$0]) }
            let now = plan.dues.indices.filter { plan.dues[$0] == DelayPlan.now }
            var packed = Packed()
            var next = self.ends
            for band in bands {
                var part = Part(band: band, base: next[band], next: next[band], bytes: ByteBuffer(), entries: [])
                part.bytes.reserveCapacity(chunks.reduce(0) { $0 + ($1.band == band ? $1.bytes + 256 + 10 * $1.range.count : 0) })
                for chunk in chunks where chunk.band == band {
                    let isFirst = packed.parts.isEmpty && part.entries.isEmpty
                    let meta = DelayMeta(
                        target: target, arrivedMs: arrivedMs, dues: .each(chunk.range.map { plan.dues[$0] }), parts: parts, base: base,
                        immediate: Int32(now.count), trace: isFirst ? trace : nil)
                    part.bytes.writeImmutableBuffer(pack(chunk, meta, plan, bytes, at: part.next))
                    part.entries += meta.entries(at: part.next, band: band, number: number)
                    part.next = part.next + Int64(chunk.range.count) + 1
                }
                next[band] = part.next
                packed.parts.append(part)
            }
            if !now.isEmpty, !isHalf { packed.immediate = immediate(now, plan, bytes) }
            return packed
        }
    }

    /// Records of one band together, in their order, up to ``chunkBytes``.
    private func chunks(_ plan: DelayPlan) -> [Chunk] {
        var open: [Int: Int] = [:]
        var chunks: [Chunk] = []
        for (index, due) in plan.dues.enumerated() where due != DelayPlan.now {
            let band = DelayBand.of(remainingMs: due - arrivedMs)
            let length = plan.records[index].end - plan.records[index].start
            if let at = open[band], chunks[at].bytes + length <= Self.chunkBytes {
                chunks[at].range.append(index)
                chunks[at].bytes += length
            } else {
                open[band] = chunks.count
                chunks.append(Chunk(band: band, range: [index], bytes: length))
            }
        }
        return chunks
    }

    private func pack(
        _ chunk: Chunk, _ meta: DelayMeta, _ plan: DelayPlan, _ bytes: UnsafeRawBufferPointer, at start: Offset
    ) -> ByteBuffer {
        let head = meta.encoded()
        var packer = RecordPacker(capacity: chunk.bytes + head.readableBytes + 32)
        packer.begin(meta: head, baseTimestamp: header.baseTimestamp, maxTimestamp: header.maxTimestamp)
        // Neighbours go in one copy.
        var first = 0
        while first < chunk.range.count {
            var last = first
            while last + 1 < chunk.range.count, chunk.range[last + 1] == chunk.range[last] + 1 { last += 1 }
            let span = plan.records[chunk.range[first]].start..<plan.records[chunk.range[last]].end
            packer.appendAsIs(UnsafeRawBufferPointer(rebasing: bytes[span]), count: Int32(last - first + 1))
            first = last + 1
        }
        return packer.finish(base: start, leaderEpoch: leaderEpoch)
    }

    /// The records that are not delayed, as a batch of the same producer with the same first sequence.
    private func immediate(
        _ indices: [Int], _ plan: DelayPlan, _ bytes: UnsafeRawBufferPointer
    ) -> (header: RecordBatchHeader, batch: ByteBuffer)? {
        let size = indices.reduce(0) { $0 + plan.records[$1].end - plan.records[$1].start + 8 }
        var packer = RecordPacker(capacity: size)
        for index in indices {
            let isWhole = packer.append(plan.records[index], of: bytes, baseTimestamp: header.baseTimestamp, handle: nil)
            precondition(isWhole, "the plan has looked at every header")
        }
        let batch = packer.finish(
            base: base, leaderEpoch: leaderEpoch, producerID: header.producerID, producerEpoch: header.producerEpoch,
            baseSequence: header.baseSequence)
        guard case .success(let made) = batch.withUnsafeReadableBytes({ RecordBatchHeader.parse($0) }) else {
            preconditionFailure("a batch that was built here is a batch")
        }
        return (made, batch)
    }
}
