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

    let target: PartitionID
    let number: UInt32
    let arrivedMs: Int64
    let base: Offset
    let leaderEpoch: Int32
    let header: RecordBatchHeader
    /// The ends of the bands' bodies.
    let ends: [Offset]
    /// Where the bodies are put together.
    let pool: BufferPool

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

    /// Which records go to which bands.
    private enum Bands {
        case one(Int)
        /// The band of each record; those that are not delayed are in none.
        case each([Int?])
    }

    /// - Parameter isHalf: what is not delayed is in the target's log already.
    func pack(_ plan: DelayPlan, records: ByteBuffer, isHalf: Bool) -> Packed {
        records.withUnsafeReadableBytes { bytes in
            let cut = chunks(plan)
            let ends = cut.map { band, chunks in
                DelayMeta.Part(band: band, end: chunks.reduce(self.ends[band]) { $0 + Int64($1.count) + 1 })
            }
            let now = plan.delayed == plan.dues.count ? [] : plan.dues.indices.filter { plan.dues[$0] == DelayPlan.now }
            var meta = DelayMeta(
                target: target, arrivedMs: arrivedMs, dues: .each([]), parts: ends, base: base, immediate: Int32(now.count), trace: trace)
            let firstHead = meta.encodedHead()
            meta.trace = nil
            let head = meta.encodedHead()
            var packed = Packed()
            for (band, chunks) in cut {
                var part = Part(band: band, base: self.ends[band], next: self.ends[band], bytes: ByteBuffer(), entries: [])
                part.bytes = pool.take(chunks.reduce(0) { $0 + $1.room(head: firstHead) })
                part.entries.reserveCapacity(chunks.reduce(0) { $0 + $1.count })
                for chunk in chunks {
                    let isFirst = packed.parts.isEmpty && part.entries.isEmpty
                    chunk.write(
                        to: &part.bytes, head: isFirst ? firstHead : head, plan: plan, records: bytes, header: header,
                        arrivedMs: arrivedMs, base: part.next, leaderEpoch: leaderEpoch)
                    chunk.appendEntries(to: &part.entries, plan: plan, base: part.next, band: band, number: number)
                    part.next = part.next + Int64(chunk.count) + 1
                }
                pool.keep(part.bytes)
                packed.parts.append(part)
            }
            if !now.isEmpty, !isHalf { packed.immediate = immediate(now, plan, bytes) }
            return packed
        }
    }

    /// The delayed records by band, in their order.
    private func chunks(_ plan: DelayPlan) -> [(band: Int, chunks: [DelayChunk])] {
        switch bands(plan) {
        case .one(let band) where plan.delayed == plan.dues.count: [(band, DelayChunk.cut(plan) { _ in true })]
        case .one(let band): [(band, DelayChunk.cut(plan) { plan.dues[$0] != DelayPlan.now })]
        case .each(let bands): Set(bands).compactMap(\.self).sorted().map { band in (band, DelayChunk.cut(plan) { bands[$0] == band }) }
        }
    }

    /// Records that wait between ten minutes and half a day stay together in the farther band: their counts are kept by the minute in both,
    /// and one file less is to be synced. Others are kept apart, lest the bytes of those soon due stay as long as the last.
    private func bands(_ plan: DelayPlan) -> Bands {
        var least = Int64.max
        var most = Int64.min
        for due in plan.dues where due != DelayPlan.now {
            least = min(least, due)
            most = max(most, due)
        }
        let near = DelayBand.of(remainingMs: least - arrivedMs)
        let far = DelayBand.of(remainingMs: most - arrivedMs)
        if near == far || near == 1 && far == 2 { return .one(far) }
        return .each(plan.dues.map { $0 == DelayPlan.now ? nil : DelayBand.of(remainingMs: $0 - arrivedMs) })
    }

    /// The records that are not delayed, as a batch of the same producer with the same first sequence.
    private func immediate(
        _ indices: [Int], _ plan: DelayPlan, _ bytes: UnsafeRawBufferPointer
    ) -> (header: RecordBatchHeader, batch: ByteBuffer)? {
        let size = indices.reduce(0) { $0 + plan.bytes(of: $1).count + 8 }
        var packer = RecordPacker(capacity: size)
        for index in indices {
            guard let record = RawRecord.read(bytes, at: Int(plan.starts[index])),
                packer.append(record, of: bytes, baseTimestamp: header.baseTimestamp, handle: nil)
            else { preconditionFailure("the plan has looked at every record") }
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
