import Groups
import Model
import NIOCore
import Storage

extension Shard {
    /// Appends batches in order and answers on `replyLoop` when each has an answer: `.written` when it can be read, `.durable` when the
    /// flush setting's promise is kept. Callable from any thread; one hop each way per call, not per batch.
    public func produce(
        _ items: [ProduceItem], wants: Acknowledge, replyLoop: any EventLoop, reply: @escaping @Sendable ([ProduceResult]) -> Void
    ) {
        run {
            let ticket = ProduceTicket(count: items.count, loop: replyLoop, reply: reply)
            for item in items { self.append(item, wants: wants, ticket: ticket) }
            self.startFrame()
        }
    }

    /// - Parameter isResent: it has waited for the fate of its first copy.
    func append(_ item: ProduceItem, wants: Acknowledge, ticket: ProduceTicket?, isResent: Bool = false) {
        guard let partition = partitions[item.partition] else {
            return finish([(ticket, ProduceResult(slot: item.slot, error: .unknownPartition))])
        }
        guard partition.memory.isLoaded, partition.held.isEmpty else {
            partition.held.append(.init(item: item, wants: wants, ticket: ticket))
            loadMemory(of: partition)
            return
        }
        if !isResent, waitsForFirst(item, in: partition, wants: wants, ticket: ticket) { return }
        if let publishHold, item.obeysAdmission { return hold(item, for: partition, publishHold, ticket: ticket) }
        if !heldFirsts.isEmpty, isTooEarly(item, in: partition) {
            return finish([(ticket, ProduceResult(slot: item.slot, error: .outOfOrderSequence))])
        }
        if partition.config.delay != nil, !item.isMove, delay(item, in: partition, wants: wants, ticket: ticket) { return }
        if let refusal = refusal(of: item, in: partition) { return refuse(item, in: partition, refusal, ticket: ticket) }
        place(item, in: partition, wants: wants, ticket: ticket)
    }

    /// Answers a publish while publishers are held: late, and so that it is tried again; no sequence is used up. What is in the log already
    /// is answered as ever.
    private func hold(_ item: ProduceItem, for partition: Partition, _ hold: Hold, ticket: ProduceTicket?) {
        if item.header.producerID != .none, let first = partition.memory.producers.known(item.header) {
            return finish([(ticket, duplicate(item, of: first, in: partition))])
        }
        if item.header.producerID != .none, !partition.memory.producers.knows(item.header.producerID) {
            heldFirsts.note(item.header, of: partition.id, now: clock.monotonic)
        }
        health?.refused.add(Int64(item.header.lastOffsetDelta) + 1, ordering: .relaxed)
        ticket?.holdMs = max(ticket?.holdMs ?? 0, options.limits.heldAnswerMs)
        finish([(ticket, ProduceResult(slot: item.slot, error: .held(hold.text)))])
    }

    /// Whether something that was refused while publishers were held has to come before this batch.
    private func isTooEarly(_ item: ProduceItem, in partition: Partition) -> Bool {
        guard item.header.producerID != .none else { return false }
        let isKnown = partition.memory.producers.knows(item.header.producerID)
        return heldFirsts.isTooEarly(item.header, of: partition.id, isKnown: isKnown, now: clock.monotonic)
    }

    private func duplicate(_ item: ProduceItem, of first: ProducerState.Batch, in partition: Partition) -> ProduceResult {
        ProduceResult(
            slot: item.slot, baseOffset: first.baseOffset, appendTime: partition.config.isLogAppendTime ? first.timestamp : .none,
            logStart: partition.start)
    }

    /// Appends a batch that has been admitted.
    func place(_ item: ProduceItem, in partition: Partition, wants: Acknowledge, ticket: ProduceTicket?) {
        var batch = item.batch
        let base = partition.end
        var appendTime = Timestamp.none
        RecordBatchHeader.patchOwned(batch, baseOffset: base, leaderEpoch: epoch.value)
        if partition.config.isLogAppendTime {
            appendTime = clock.now
            RecordBatchHeader.stamp(&batch, appendTime: appendTime)
        }
        partition.memory.epochs.note(epoch.value, at: base)
        partition.end = base + Int64(item.header.lastOffsetDelta) + 1
        bytesSinceSnapshot += batch.readableBytes
        if let own = partition.own, item.obeysAdmission, let ticket {
            let count = Int64(item.header.lastOffsetDelta) + 1
            ticket.holdMs = max(ticket.holdMs, own.throttle(count, now: clock.monotonic))
        }
        enqueue(
            .init(
                append: Append(
                    stream: partition.stream, base: base, next: partition.end,
                    maxTimestamp: appendTime == .none ? item.header.maxTimestamp : appendTime, bytes: batch),
                owner: .partition(partition, ticket: ticket, slot: item.slot, appendTime: appendTime), wants: wants))
    }

    /// The answer to a batch that is not appended: an error, or the offset of the first copy of a duplicate. nil admits it, and
    /// an idempotent producer's batch is remembered from then on as appended at the partition's end.
    func refusal(of item: ProduceItem, in partition: Partition) -> ProduceResult? {
        if let broken { return ProduceResult(slot: item.slot, error: .storage("the log is closed after an error: \(broken)")) }
        if !item.isMove, item.batch.readableBytes > Int(partition.config.maxMessageBytes) {
            return ProduceResult(slot: item.slot, error: .batchTooLarge)
        }
        if item.obeysAdmission, let own = partition.own {
            // What is in the queue already is not refused for the queue being full.
            if item.header.producerID != .none, let first = partition.memory.producers.known(item.header) {
                return duplicate(item, of: first, in: partition)
            }
            if let refusal = own.refusal(of: item, now: clock.monotonic, limits: options.limits) {
                return ProduceResult(slot: item.slot, error: refusal)
            }
        }
        guard item.header.producerID != .none else { return nil }
        switch partition.memory.producers.admit(item.header, at: partition.end, now: clock.now) {
        case .accepted: return nil
        case .duplicate(let first): return duplicate(item, of: first, in: partition)
        case .refused(.invalidProducerEpoch): return ProduceResult(slot: item.slot, error: .invalidProducerEpoch)
        case .refused: return ProduceResult(slot: item.slot, error: .outOfOrderSequence)
        }
    }

    /// Appends facts of a machine as one record batch; `done` runs on the shard's loop, durable as the flush setting promises.
    /// `builder` is finished here with the stream's next offset.
    public func appendFacts(_ stream: FactStream, _ builder: inout RecordBatchBuilder, done: @escaping (LogError?) -> Void) {
        loop.preconditionInEventLoop()
        if let broken { return done(broken) }
        let base = factEnds[stream] ?? .zero
        let count = Int64(builder.recordCount)
        precondition(count > 0, "a fact batch holds at least one fact")
        builder.baseOffset = base
        var batch = builder.finish()
        RecordBatchHeader.patch(&batch, baseOffset: base, leaderEpoch: epoch.value)
        factEnds[stream] = base + count
        enqueue(
            .init(
                append: Append(
                    stream: .facts(id, stream), base: base, next: base + count, maxTimestamp: clock.now, bytes: batch),
                owner: .facts(done: done), wants: .durable))
        startFrame()
    }

    func enqueue(_ entry: GroupCommit.Entry) {
        commit.add(entry)
        pendingBytes.store(commit.pendingBytes, ordering: .relaxed)
    }
}
