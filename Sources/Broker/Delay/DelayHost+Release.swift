import Model
import NIOCore
import Queues
import Storage

/// Messages that are being released together. Touched on its shard's loop only, which is what `@unchecked Sendable` rests on.
final class ReleaseRound: @unchecked Sendable {
    /// One append to one target.
    struct Batch {
        var number: UInt32
        var packer: RecordPacker
        var messages: [DelayEntry] = []
        var error: PartitionError?
    }

    /// All that was taken up to here is in this round or was passed over.
    var through: DelayKey
    var entries: [DelayEntry]
    var batches: [Batch] = []
    /// Appends that are not answered yet; nil while the round is being prepared.
    var open: Int?

    init(through: DelayKey, entries: [DelayEntry]) {
        self.through = through
        self.entries = entries
    }

    var hasFailed: Bool { batches.contains { $0.error != nil } }
}

/// Releasing what is due.
extension DelayHost {
    // MARK: Time

    /// Makes sure that the loop wakes up at a wall time.
    func arm(_ dueMs: Int64) {
        guard !isStopped, wakeAt.map({ dueMs < $0 }) ?? true else { return }
        wakeAt = dueMs
        // The loop's timers are exact to a fraction of a millisecond; a due time far off is looked at again, for clocks are set.
        let delay = min(max(0, dueMs - now), 60_000)
        shard.loop.scheduleTask(in: .milliseconds(delay)) {
            guard self.wakeAt == dueMs else { return }
            self.wakeAt = nil
            self.tick()
        }
    }

    /// Releases all that is due, as far as limits allow, and sets the alarm for the rest.
    func tick() {
        guard !isStopped, !isTicking, shard.broken == nil else { return }
        isTicking = true
        defer { isTicking = false }
        while !isPreparing, !isFailing, rounds.count < limits.releasesInFlight {
            if let retryAt, retryAt > shard.clock.monotonic { return }
            retryAt = nil
            let available = pace.available(now: shard.clock.monotonic)
            let nowMs = now
            let dueMs = min(nowMs, firstUnwrittenMs - 1)
            guard let next = store.nextDueMs(), next <= dueMs else { break }
            guard available > 0 else { return arm(nowMs + pace.waitMs(for: limits.releaseRecords / 8)) }
            let take = store.take(dueMs: dueMs, limit: min(limits.releaseRecords, available))
            if let through = take.through {
                pace.use(take.records)
                begin(ReleaseRound(through: through, entries: take.entries))
            }
            if let needs = take.needs { load(needs) }
            if take.through == nil, take.needs == nil { break }
        }
        // The clock may have reached the next one since it was asked: then the alarm is a ms away, never none.
        if !isPreparing, rounds.count < limits.releasesInFlight, let next = store.nextDueMs(), next < firstUnwrittenMs {
            arm(max(next, now + 1))
        }
    }

    /// Reads a block of a run; the next round waits for it.
    private func load(_ request: DelayStore.BlockRequest) {
        // A round that is being prepared goes on and calls again.
        guard !isPreparing else { return }
        isPreparing = true
        Task {
            let block = await self.block(request)
            self.shard.run {
                self.isPreparing = false
                switch block {
                case .success(let entries): self.store.load(request, entries)
                case .failure(let error):
                    self.logger.error("delay store of shard \(self.shard.id): index block \(request.offset) can't be read: \(error)")
                    self.retrySoon()
                }
                self.tick()
            }
        }
    }

    func block(_ request: DelayStore.BlockRequest) async -> Result<[DelayEntry], LogError> {
        await DelayReader(log: shard.log, shard: shard.id).block(request)
    }

    func retrySoon() {
        retryAt = shard.clock.monotonic.advanced(byMs: 1_000)
        shard.loop.scheduleTask(in: .milliseconds(1_001)) { self.tick() }
    }

    // MARK: One round

    private func begin(_ round: ReleaseRound) {
        rounds.append(round)
        guard !round.entries.isEmpty else {
            round.open = 0
            return settle()
        }
        isPreparing = true
        let shard = shard
        bodies.read(round.entries, byteLimit: limits.releaseBytes, hop: { body in shard.run(body) }) { result in
            guard self.rounds.contains(where: { $0 === round }) else { return self.prepared() }
            switch result {
            case .failure(let error):
                self.logger.error("delay store of shard \(shard.id): messages that are due can't be read: \(error)")
                self.failed()
            case .success(let read):
                self.dropped += Int64(read.lost)
                if read.lost > 0 { self.logger.error("delay store of shard \(shard.id): \(read.lost) messages that are due are lost") }
                self.keepWhatFits(round, read)
                self.openTargets(round, read)
            }
        }
    }

    private func prepared() {
        isPreparing = false
        tick()
    }

    /// The round that is being prepared can't go on.
    private func failed() {
        isPreparing = false
        isFailing = true
        rounds.filter { $0.open == nil }.forEach { round in
            store.giveBack(round.entries)
            rounds.removeAll { $0 === round }
        }
        settle()
    }

    /// What was not read goes back.
    private func keepWhatFits(_ round: ReleaseRound, _ read: BodyReader.Result) {
        guard read.entries < round.entries.count else { return }
        store.giveBack(Array(round.entries[read.entries...]))
        round.entries.removeSubrange(read.entries...)
        if let last = round.entries.last { round.through = last.lastKey }
    }

    /// Logs which targets are about to get messages, unless they are known to; then appends.
    private func openTargets(_ round: ReleaseRound, _ read: BodyReader.Result) {
        var facts: [DelayFact] = []
        var waits = false
        for number in Set(round.entries.map(\.target)).sorted() {
            guard let id = store.targets[number], let partition = shard.partitions[id] else { continue }
            if !partition.memory.isLoaded {
                waits = true
                shard.loadMemory(of: partition)
            }
            // Not from its end: what is on its way there may fail, and then these messages come in its place.
            if targets[number] == nil { facts.append(.open(.init(target: number, from: partition.highWatermark))) }
            // While another target is being logged, a front must not close this one.
            targets[number]?.isUsed = true
        }
        guard !waits else {
            // Appending before a partition knows its producers would make its snapshot claim more than it knows.
            shard.loop.scheduleTask(in: .milliseconds(2)) {
                guard self.rounds.contains(where: { $0 === round }) else { return self.prepared() }
                self.openTargets(round, read)
            }
            return
        }
        guard !facts.isEmpty else { return append(round, read) }
        for case .open(let target) in facts { targets[target.target] = OpenTarget(isUsed: true) }
        log(facts) { error in
            guard self.rounds.contains(where: { $0 === round }) else { return self.prepared() }
            if let error {
                self.logger.error("delay store of shard \(self.shard.id): targets were not logged: \(error)")
                for case .open(let target) in facts { self.targets[target.target] = nil }
                return self.failed()
            }
            for fact in facts { self.store.apply(fact) }
            self.append(round, read)
        }
    }

    private func append(_ round: ReleaseRound, _ read: BodyReader.Result) {
        let limit = limits.batchBytes / 2
        // The batch that is being filled, by target.
        var filling: [UInt32: Int] = [:]
        read.arena.withUnsafeReadableBytes { bytes in
            for body in read.bodies {
                let entry = round.entries[body.entry]
                guard let record = RawRecord.read(bytes, at: body.start) else { preconditionFailure("it was read before") }
                let length = record.end - record.start + 64
                if filling[entry.target].map({ round.batches[$0].packer.byteCount + length > limit }) ?? true {
                    filling[entry.target] = round.batches.count
                    let capacity = min(limit, max(1_024, read.arena.readableBytes))
                    round.batches.append(.init(number: entry.target, packer: RecordPacker(capacity: capacity)))
                }
                guard let index = filling[entry.target] else { continue }
                let isPacked = round.batches[index].packer.append(
                    record, of: bytes, baseTimestamp: body.baseTimestamp, handle: body.ref.handle(shard: shard.id))
                if isPacked {
                    round.batches[index].messages.append(
                        DelayEntry(dueMs: entry.dueMs, ref: body.ref, count: 1, target: entry.target))
                } else {
                    dropped += 1
                }
            }
        }
        round.batches.removeAll { $0.packer.isEmpty }
        send(round)
        prepared()
    }

    private func send(_ round: ReleaseRound) {
        round.open = 1
        for slot in round.batches.indices {
            let number = round.batches[slot].number
            guard let id = store.targets[number], let partition = shard.partitions[id] else {
                // Its topic was deleted.
                dropped += Int64(round.batches[slot].messages.count)
                continue
            }
            let bytes = round.batches[slot].packer.finish(base: partition.end, leaderEpoch: shard.epoch.value)
            guard case .success(let header) = bytes.withUnsafeReadableBytes({ RecordBatchHeader.parse($0) }) else {
                preconditionFailure("a batch that was built here is a batch")
            }
            targets[number, default: OpenTarget()].appended(at: partition.end, through: round.through)
            round.open! += 1
            let ticket = ProduceTicket(count: 1, loop: shard.loop) { results in self.answered(round, results[0]) }
            shard.place(
                ProduceItem(slot: slot, partition: id, header: header, batch: bytes, isMove: true, obeysAdmission: false), in: partition,
                wants: .durable, ticket: ticket)
        }
        shard.startFrame()
        round.open! -= 1
        settle()
    }

    private func answered(_ round: ReleaseRound, _ result: ProduceResult) {
        switch result.error {
        case nil: released += Int64(round.batches[result.slot].messages.count)
        case .unknownPartition: dropped += Int64(round.batches[result.slot].messages.count)
        case .some(let error):
            round.batches[result.slot].error = error
            isFailing = true
        }
        round.open? -= 1
        settle()
    }

    /// Ends rounds that are answered: they end in order, for they are appended in order. After a failure all that is under way is waited
    /// for, and what did not arrive is taken again.
    private func settle() {
        while let first = rounds.first, first.open == 0, !first.hasFailed {
            rounds.removeFirst()
            store.count(released: first.entries)
            doneKey = max(doneKey ?? .zero, first.through)
        }
        if isFailing, !isPreparing, rounds.allSatisfy({ $0.open == 0 }) { abandon() }
        if rounds.isEmpty, !store.hasReturned { doneKey = store.taken }
        scheduleFront()
        tick()
    }

    /// What could not be read, or did not get into its target, goes back.
    private func abandon() {
        let voided = rounds
        rounds = []
        isFailing = false
        for round in voided {
            if round.open == nil {
                store.giveBack(round.entries)
            } else {
                for batch in round.batches where batch.error != nil {
                    logger.error(
                        "delay store of shard \(shard.id): a release failed: \(batch.error.map { "\($0)" } ?? ""); it is tried again")
                    store.giveBack(batch.messages)
                }
                // Those that arrived, or were lost.
                store.count(released: round.entries)
                for batch in round.batches where batch.error != nil { for message in batch.messages { store.count(returned: message) } }
            }
        }
        retrySoon()
    }
}
