import Model
import Queues
import Storage

/// What leaves a queue by itself: expired messages, and those for which there is no room.
extension CursorHost {
    /// What a queue held before its ages were noted counts as old as the newest record of its stretch, or as the first whose time is known,
    /// or as its newest record: it expires late rather than early.
    func noteBacklog(_ cursor: HostedCursor) {
        guard let ttl = cursor.machine.policy.ttlMs, cursor.ages.isEmpty, cursor.machine.openCount > 0 else { return }
        let first = cursor.machine.firstOpen
        let known = cursor.partition.times.stretches(from: first)
        if let oldest = known.first {
            if oldest.first > first { cursor.ages.note(first, at: oldest.oldest, ttlMs: ttl) }
            for stretch in known { cursor.ages.note(max(first, stretch.first), at: stretch.newest, ttlMs: ttl) }
        } else {
            let newest = cursor.partition.maxTimestamp
            let now = shard.clock.now
            cursor.ages.note(first, at: newest == .none ? now : min(newest, now), ttlMs: ttl)
        }
    }

    /// Expires what is older than `ttl.ms` and ready.
    func expire(_ cursor: HostedCursor, now: CursorTime) {
        guard let ttl = cursor.machine.policy.ttlMs else { return }
        let end = cursor.partition.highWatermark
        if let limit = cursor.ages.expired(at: now.wall, ttlMs: ttl, end: end) {
            cursor.expiredBelow = max(cursor.expiredBelow, limit)
        }
        // What failed meanwhile may lie below what has expired already.
        guard let first = cursor.machine.nextReady(from: .zero), first < cursor.expiredBelow else { return }
        let step = cursor.machine.expire(before: cursor.expiredBelow, limit: limits.expiriesPerTick, now: now)
        guard !step.isEmpty else { return }
        log(step, of: cursor) { error in
            // There may be more than one look takes.
            if error == nil, self[cursor.key] === cursor { self.expire(cursor, now: self.now) }
        }
    }

    /// Drops the oldest ready messages of a queue that is over its limits, where it is told to.
    func shedOverflow(_ cursor: HostedCursor) {
        guard cursor.isOwn, cursor.partition.own === cursor, cursor.machine.policy.overflow == .dropHead else { return }
        let over = cursor.excess
        guard over > 0 else { return }
        let step = cursor.machine.dropHead(min(over, cursor.machine.readyCount, Int64(limits.expiriesPerTick)))
        guard !step.isEmpty else { return }
        log(step, of: cursor) { error in
            // A limit that was set on a long queue: there may be more than one look takes.
            if error == nil, self[cursor.key] === cursor { self.shedOverflow(cursor) }
        }
    }
}

/// Admission: what a queue refuses, and what it slows down.
extension HostedCursor {
    /// How many messages are ready beyond `max.depth`, or make up what is beyond `max.bytes`.
    var excess: Int64 { excess(over: machine.policy) }

    func excess(over policy: QueuePolicy) -> Int64 {
        var excess: Int64 = 0
        if let depth = policy.maxDepth { excess = machine.readyCount - depth }
        if let most = policy.maxBytes {
            let bytes = openBytes
            if bytes > most { excess = max(excess, Int64((Double(bytes - most) / averageBytes).rounded(.up))) }
        }
        return max(0, excess)
    }

    /// Bytes of messages that are not settled, by the average of the log.
    var openBytes: Int64 { Int64(Double(machine.openCount) * averageBytes) }

    var averageBytes: Double {
        let records = partition.recordCount
        return records > 0 ? max(1, Double(partition.bytes) / Double(records)) : 1
    }

    /// The share of its nearest limit that the queue has used up; nil without a limit.
    var limitShare: Double? {
        let shares = [
            machine.policy.maxDepth.map { Double(machine.readyCount) / Double(max(1, $0)) },
            machine.policy.maxBytes.map { Double(openBytes) / Double(max(1, $0)) },
        ].compactMap { $0 }
        return shares.max()
    }

    /// Why a publish is not taken; nil admits it. What is on its way to the log counts.
    func refusal(of item: ProduceItem, now: Monotonic, limits: Limits) -> PartitionError? {
        let count = Int64(item.header.lastOffsetDelta) + 1
        if machine.holdsPublishing {
            refused += count
            return .publishingHeld
        }
        if let overflow = overflow(of: item) {
            refused += count
            return overflow
        }
        if let rate = machine.policy.rateIn, rateIn.debtMs(rate: rate, now: now) > limits.throttleMs {
            refused += count
            return .overLimit("\(key.group) takes \(rate) messages a second and is \(limits.throttleMs / 1_000) s behind")
        }
        return nil
    }

    /// Why there is no room for a publish, in a queue that refuses what is beyond its limits; also for one that it has refused and passed
    /// on before.
    func overflow(of item: ProduceItem) -> PartitionError? {
        let policy = machine.policy
        guard policy.overflow != .dropHead else { return nil }
        if rejected.knows(item.header) { return .overLimit("\(key.group) was full; the messages are in its dead-letter target") }
        let count = Int64(item.header.lastOffsetDelta) + 1
        let coming = partition.end - partition.highWatermark
        if let depth = policy.maxDepth, machine.readyCount + coming + count > depth {
            return .overLimit(fullText("max.depth", depth))
        }
        if let most = policy.maxBytes, openBytes + Int64(item.batch.readableBytes) > most {
            return .overLimit(fullText("max.bytes", most))
        }
        return nil
    }

    private func fullText(_ name: String, _ share: Int64) -> String {
        guard partition.siblings > 1 else { return "\(key.group) is full: \(name) is \(share)" }
        return "partition \(key.partition.index) of \(key.group) is full: its share of \(name) is \(share)"
    }

    /// Takes a publish's tokens: how long its answer is to be held back.
    func throttle(_ count: Int64, now: Monotonic) -> Int64 {
        guard let rate = machine.policy.rateIn else { return 0 }
        return rateIn.charge(Int(count), rate: rate, now: now)
    }
}
