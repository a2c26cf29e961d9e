import Compression
import Model
import NIOCore
import Queues
import Storage

/// A part of a publish on its way to a bodies stream.
final class DelayedPart {
    let partition: Partition
    let entries: [DelayEntry]
    /// The producer's batch, with the first part of it.
    let producer: RecordBatchHeader?
    /// With the last part of a publish of which nothing goes to the log at once.
    let ticket: ProduceTicket?
    let answer: ProduceResult
    /// It says when the producer's batch behind it is due, and is nothing without that.
    let bodyFollows: Bool
    /// A commit whose fate had to be asked for may tell twice.
    var isWritten = false

    init(
        partition: Partition, entries: [DelayEntry], producer: RecordBatchHeader?, ticket: ProduceTicket?, answer: ProduceResult,
        bodyFollows: Bool
    ) {
        self.bodyFollows = bodyFollows
        self.partition = partition
        self.entries = entries
        self.producer = producer
        self.ticket = ticket
        self.answer = answer
    }
}

/// Taking delayed messages in.
extension DelayHost {
    /// A producer's batch, looked through.
    enum Decision {
        /// Nothing in it is delayed.
        case passes
        case refused(PartitionError)
        /// All of it is due at once.
        case whole(dueMs: Int64)
        case split(DelayPlan, records: ByteBuffer)
    }

    /// What a topic's rule makes of a batch.
    func decide(_ item: ProduceItem, rule: DelayRule, nowMs: Int64, isHalf: Bool) -> Decision {
        let floorMs = store.floorMs
        if !rule.isPerRecord, let fixed = rule.fixedMs {
            guard fixed <= limits.delayMs else {
                return .refused(.invalidRecord("a delay of \(fixed) ms is longer than \(limits.delayMs)"))
            }
            return .whole(dueMs: max(nowMs + fixed, floorMs))
        }
        let records: ByteBuffer
        do throws(UnpackError) {
            records = try Records.body(header: item.header, batch: item.batch)
        } catch { return .refused(.invalidRecord("the batch can't be unpacked: \(error)")) }
        let plan = records.withUnsafeReadableBytes {
            DelayPlan.make(
                $0, count: Int(item.header.recordCount), rule: rule, nowMs: nowMs, floorMs: floorMs, limitMs: limits.delayMs)
        }
        switch plan {
        case .failure(.malformed): return .refused(.invalidRecord("the batch's records are malformed"))
        case .failure(.badDelay(let text)):
            return .refused(.invalidRecord("'\(text)' is not a delay in ms, or one of more than \(limits.delayMs) ms"))
        case .success(let plan):
            if isHalf { return .split(plan, records: records) }
            guard plan.delayed > 0 else { return .passes }
            let first = plan.dues[0]
            if plan.delayed == plan.dues.count, plan.dues.allSatisfy({ $0 == first }) { return .whole(dueMs: first) }
            return .split(plan, records: records)
        }
    }

    /// Appends a batch of which something is delayed. It has been admitted by its producer's sequence, unless `half` says that a crash has
    /// left the part of it in the log that was not delayed.
    func publish(
        _ item: ProduceItem, _ decision: Decision, to partition: Partition, nowMs: Int64, half: Offset?, wants: Acknowledge,
        ticket: ProduceTicket?
    ) {
        let base = half ?? partition.end
        let writer = DelayWriter(
            target: partition.id, number: number(of: partition.id), arrivedMs: nowMs, base: base, leaderEpoch: shard.epoch.value,
            header: item.header, ends: bodyEnds, pool: pool)
        let packed: DelayWriter.Packed
        var isWhole = false
        switch decision {
        case .whole(let dueMs):
            packed = writer.pack(whole: item.batch, dueMs: dueMs)
            isWhole = true
        case .split(let plan, let records): packed = writer.pack(plan, records: records, isHalf: half != nil)
        case .passes, .refused: preconditionFailure("only delayed batches come here")
        }
        let isLast = packed.immediate == nil
        let producer = item.header.producerID == .none ? nil : item.header
        for (index, part) in packed.parts.enumerated() {
            let isEnd = isLast && index == packed.parts.count - 1
            let owner = DelayedPart(
                partition: partition, entries: part.entries, producer: index == 0 ? producer : nil, ticket: isEnd ? ticket : nil,
                answer: ProduceResult(slot: item.slot, baseOffset: base, appendTime: .none, logStart: partition.start),
                bodyFollows: isWhole && index == 0)
            unwritten.append(part.entries.reduce(Int64.max) { min($0, $1.dueMs) })
            bodyEnds[part.band] = part.next
            shard.bytesSinceSnapshot += part.bytes.readableBytes
            shard.enqueue(
                .init(
                    append: Append(
                        stream: bodiesStream(part.band), base: part.base, next: part.next, maxTimestamp: Timestamp(ms: nowMs),
                        bytes: part.bytes), owner: .delayed(owner), wants: wants))
        }
        if let immediate = packed.immediate {
            shard.place(
                ProduceItem(slot: item.slot, partition: partition.id, header: immediate.header, batch: immediate.batch),
                in: partition, wants: wants, ticket: ticket)
        }
    }

    /// The bodies can be read: they count from now on.
    func written(_ part: DelayedPart, _ append: Append, now time: Timestamp) {
        guard case .delay(_, .bodies(let band)) = append.stream, !part.isWritten else { return }
        part.isWritten = true
        writtenEnds[band] = append.next
        unwrittenStart += 1
        if unwrittenStart == unwritten.count || unwrittenStart > 1_024 {
            unwritten.removeFirst(unwrittenStart)
            unwrittenStart = 0
        }
        store.insert(contentsOf: part.entries)
        store.addTail(bytes: append.bytes.readableBytes, band: band)
        if let producer = part.producer {
            var header = producer
            header.baseOffset = part.answer.baseOffset
            part.partition.writtenMemory.learn(delayed: header, now: time)
        }
        if !part.bodyFollows {
            wholeEnds[band] = append.next
            spillIfDue(band)
        }
        if let next = store.nextDueMs() { arm(next) }
    }

    /// A frame failed: what was handed out and not written is void.
    func rolledBack() {
        bodyEnds = writtenEnds
        unwritten = []
        unwrittenStart = 0
        if let next = store.nextDueMs() { arm(next) }
    }

    /// Nothing due at this time or later may be released yet: something may still come in before it.
    var firstUnwrittenMs: Int64 {
        var first = Int64.max
        for index in unwrittenStart..<unwritten.count { first = min(first, unwritten[index]) }
        return first
    }
}
