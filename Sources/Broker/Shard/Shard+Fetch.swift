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
        if item.advanced > 0 {
            let passed = partition.holes.intersection((item.offset + -item.advanced)..<item.offset).count
            partition.counters.recordsOut += item.advanced - passed
        }
        var part = FetchPart(slot: item.slot, highWatermark: partition.highWatermark, logStart: partition.start)
        part.error = check(item, partition)
        if part.error != nil { return run.fail(part) }
        guard item.offset < partition.highWatermark, run.budget > 0 else { return run.parts.append(part) }

        run.open += 1
        let read = FetchRead(
            partition: partition, offset: item.offset, bytes: min(run.budget, item.maxBytes), part: part, wantsRegion: wantsRegion)
        locate(read, run)
    }

    private func locate(_ read: FetchRead, _ run: FetchRun) {
        let later: @Sendable (Result<Located, LogError>) -> Void = { located in
            self.loop.execute { self.located(located, read, run) }
        }
        if let place = log.locate(read.partition.stream, .offset(read.offset), later: later) { located(place, read, run) }
    }

    private func check(_ item: FetchItem, _ partition: Partition) -> PartitionError? {
        if item.leaderEpoch >= 0 && item.leaderEpoch < epoch.value { return .fencedLeaderEpoch }
        if item.leaderEpoch > epoch.value { return .unknownLeaderEpoch }
        if item.offset < partition.start || item.offset > partition.highWatermark { return .offsetOutOfRange }
        return nil
    }

    private func located(_ located: Result<Located, LogError>, _ read: FetchRead, _ run: FetchRun) {
        switch located {
        case .failure(let error): run.end(read, .failure(error))
        case .success(let place):
            let later: @Sendable (Result<LogSlice, LogError>) -> Void = { slice in
                self.loop.execute { self.took(slice, read, run) }
            }
            let wanted = max(read.bytes, run.parts.contains { $0.slice != nil } ? read.bytes : place.header.totalBytes)
            let slice = log.read(
                read.partition.stream, at: place.position, maxBytes: wanted, wantsRegion: read.wantsRegion, later: later)
            if let slice { took(slice, read, run) }
        }
    }

    private func took(_ slice: Result<LogSlice, LogError>, _ read: FetchRead, _ run: FetchRun) {
        // What lay there was freed or rewritten between the look-up and the read; the offset has another place now.
        if case .failure(.outOfRange(let extent)) = slice, read.tries > 0, read.offset >= extent.start, read.offset < extent.end {
            var again = read
            again.tries -= 1
            return locate(again, run)
        }
        run.end(read, slice)
    }
}

/// One partition's read within a fetch.
struct FetchRead: Sendable {
    let partition: Partition
    let offset: Offset
    let bytes: Int
    var part: FetchPart
    let wantsRegion: Bool
    /// Look-ups that may still be made where what was found was gone when it was read.
    var tries = 3
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

    func end(_ read: FetchRead, _ slice: Result<LogSlice, LogError>) {
        var part = read.part
        switch slice {
        case .success(let slice):
            part.slice = slice
            bytes += slice.count
            budget -= slice.count
            read.partition.counters.bytesOut += Int64(slice.count)
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
