import Model
import NIOCore
import Storage

extension Shard {
    /// Reads from several partitions within `maxBytes`; the first that has data gives at least one whole batch even if that is larger
    /// (KIP-74). Partitions are noted to wake `waiter` on their next write when all together give less than `minBytes`.
    /// Answers on `replyLoop`. Callable from any thread.
    public func fetch(
        _ items: [FetchItem], maxBytes: Int, minBytes: Int, wantsRegion: Bool, waiter: FetchWaiter?, replyLoop: any EventLoop,
        reply: @escaping @Sendable ([FetchPart]) -> Void
    ) {
        run {
            let run = FetchRun(items: items, budget: maxBytes, minBytes: minBytes, waiter: waiter) { parts in
                if replyLoop.inEventLoop { reply(parts) } else { replyLoop.execute { reply(parts) } }
            }
            self.start(run, wantsRegion: wantsRegion)
        }
    }

    /// Takes a waiter back from partitions that have not woken it.
    public func stopWaiting(_ waiter: UInt64, on ids: [PartitionID]) {
        run { for id in ids { self.partitions[id]?.stopWaiting(waiter) } }
    }

    private func start(_ run: FetchRun, wantsRegion: Bool) {
        run.open = 1  // held while partitions are asked
        for item in run.items { read(item, run, wantsRegion: wantsRegion) }
        if run.bytes < run.minBytes, run.open == 1, let waiter = run.waiter, run.waitable {
            for item in run.items { partitions[item.partition]?.wait(waiter) }
        }
        run.close()
    }

    private func read(_ item: FetchItem, _ run: FetchRun, wantsRegion: Bool) {
        guard let partition = partitions[item.partition] else { return run.fail(FetchPart(slot: item.slot, error: .unknownPartition)) }
        partition.counters.recordsOut += item.advanced
        var part = FetchPart(slot: item.slot, highWatermark: partition.highWatermark, logStart: partition.start)
        part.error = check(item, partition)
        if part.error != nil { return run.fail(part) }
        guard item.offset < partition.highWatermark, run.budget > 0 else { return run.parts.append(part) }

        let bytes = min(run.budget, item.maxBytes)
        run.open += 1
        let answered = part
        let later: @Sendable (Result<Located, LogError>) -> Void = { located in
            self.loop.execute { self.read(partition, at: located, bytes, answered, run, wantsRegion: wantsRegion) }
        }
        if let located = log.locate(partition.stream, .offset(item.offset), later: later) {
            read(partition, at: located, bytes, answered, run, wantsRegion: wantsRegion)
        }
    }

    private func check(_ item: FetchItem, _ partition: Partition) -> PartitionError? {
        if item.leaderEpoch >= 0 && item.leaderEpoch < epoch.value { return .fencedLeaderEpoch }
        if item.leaderEpoch > epoch.value { return .unknownLeaderEpoch }
        if item.offset < partition.start || item.offset > partition.highWatermark { return .offsetOutOfRange }
        return nil
    }

    private func read(
        _ partition: Partition, at located: Result<Located, LogError>, _ bytes: Int, _ part: FetchPart, _ run: FetchRun, wantsRegion: Bool
    ) {
        switch located {
        case .failure(let error): run.end(part, partition, .failure(error))
        case .success(let place):
            let later: @Sendable (Result<LogSlice, LogError>) -> Void = { slice in
                self.loop.execute { run.end(part, partition, slice) }
            }
            let wanted = max(bytes, run.parts.contains { $0.slice != nil } ? bytes : place.header.totalBytes)
            if let slice = log.read(partition.stream, at: place.position, maxBytes: wanted, wantsRegion: wantsRegion, later: later) {
                run.end(part, partition, slice)
            }
        }
    }
}

/// One fetch on one shard while parts of it wait for the disk. Owned by the shard's loop, which is what `@unchecked Sendable` rests on.
final class FetchRun: @unchecked Sendable {
    let items: [FetchItem]
    let minBytes: Int
    let waiter: FetchWaiter?
    let reply: @Sendable ([FetchPart]) -> Void
    var budget: Int
    var bytes = 0
    var parts: [FetchPart] = []
    /// Reads under way.
    var open = 0
    /// An error is answered at once: nobody waits behind it.
    var waitable = true

    init(
        items: [FetchItem], budget: Int, minBytes: Int, waiter: FetchWaiter?, reply: @escaping @Sendable ([FetchPart]) -> Void
    ) {
        self.items = items
        self.budget = budget
        self.minBytes = minBytes
        self.waiter = waiter
        self.reply = reply
        parts.reserveCapacity(items.count)
    }

    func fail(_ part: FetchPart) {
        waitable = false
        parts.append(part)
    }

    func end(_ part: FetchPart, _ partition: Partition, _ slice: Result<LogSlice, LogError>) {
        var part = part
        switch slice {
        case .success(let slice):
            part.slice = slice
            bytes += slice.count
            budget -= slice.count
            partition.counters.bytesOut += Int64(slice.count)
            parts.append(part)
        case .failure(.outOfRange):
            part.error = .offsetOutOfRange
            fail(part)
        case .failure(let error):
            part.error = .storage("\(error)")
            fail(part)
        }
        close()
    }

    func close() {
        open -= 1
        if open == 0 { reply(parts) }
    }
}
