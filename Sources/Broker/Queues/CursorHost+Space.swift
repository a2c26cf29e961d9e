import Model
import Queues
import Storage

/// Gives back the space of settled messages, wherever in the log they lie.
extension CursorHost {
    /// Applies a queue's retention: what is not settled stays; what is settled goes when it has been for `retention.settled.ms`, and the
    /// oldest of it above `retention.settled.bytes`, or above what the whole broker has room for. How long something has been settled is
    /// forgotten at a restart: then it stays longer.
    /// ```
    /// log 0..<900, message 0 stuck, 300..<310 ready, settled for long enough: 1..<300, 310..<800 → these are freed
    /// ```
    /// - Parameter shareBytes: what of the broker's limit is the queue's; nil while there is enough for all.
    func retain(_ partition: Partition, shareBytes: Int64?) {
        guard let own = partition.own, !own.isFreeing else { return }
        let policy = own.machine.policy
        let now = shard.clock.now
        let bytes = max(0, partition.bytes - own.openBytes)
        shard.space?.note(settledBytes: bytes, of: partition.id)
        var settled: OffsetRanges?
        if own.aging.wantsNote(at: now, keepMs: policy.settledRetentionMs) {
            let found = own.machine.settledRanges(limit: limits.settledRanges)
            own.aging.note(found, at: now)
            settled = found
        }
        var freed = own.aging.aged(at: now, keepMs: policy.settledRetentionMs)
        let allowed = min(policy.settledRetentionBytes, shareBytes ?? .max)
        if bytes > allowed {
            let found = settled ?? own.machine.settledRanges(limit: limits.settledRanges)
            let count = Int64((Double(bytes - allowed) / own.averageBytes).rounded(.up))
            freed = freed.union(Self.oldest(count, of: found.subtracting(partition.holes)))
        }
        let isAllSettled = own.machine.openCount == 0
        freed = freed.intersection(partition.start..<max(partition.start, freeable(partition, wanted: freed.ranges.last?.upperBound)))
        // The last batch is kept unless nothing else is: there is no hurry to look at it again.
        guard freed.subtracting(partition.holes).count > (isAllSettled ? 0 : 1) else { return }
        own.isFreeing = true
        let id = partition.id
        shard.log.free(partition.stream, freed) { [shard] result in
            shard.run {
                own.isFreeing = false
                shard.took(result, id)
            }
        }
    }

    /// The first `count` offsets.
    static func oldest(_ count: Int64, of ranges: OffsetRanges) -> OffsetRanges {
        var left = count
        var oldest = OffsetRanges()
        for range in ranges.ranges where left > 0 {
            let part = range.lowerBound..<min(range.upperBound, range.lowerBound + left)
            oldest.append(part)
            left -= part.upperBound - part.lowerBound
        }
        return oldest
    }

    /// Up to where a start needs nothing of the log: producers and leader epochs are in the snapshot, no move or release that a crash might
    /// cut off lies below. Has the snapshot written where it is in the way.
    private func freeable(_ partition: Partition, wanted: Offset?) -> Offset {
        var limit = partition.highWatermark
        if let first = shard.space?.firstMoved(to: partition.id) { limit = min(limit, first) }
        if let store = shard.delays?.store, let number = store.numbers[partition.id], let from = store.openTargets[number] {
            limit = min(limit, from)
        }
        guard let wanted, min(wanted, limit) > partition.savedEnd else { return limit }
        if partition.memory.isLoaded { shard.snapshotIfDue(isWanted: true) } else { shard.loadMemory(of: partition) }
        return partition.savedEnd
    }
}
