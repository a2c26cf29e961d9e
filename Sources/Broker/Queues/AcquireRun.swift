import Model
import NIOCore
import Queues
import Storage

/// One share fetch on one shard, partition after partition, while parts of it wait for the disk. What can be acquired is known only when
/// the bytes are there: a slice is read from the first available message on, and what is available inside it is acquired.
///
/// ```
/// ready 70..<72, settled 72..<500, ready from 500 on; read at 70 gives batches [60, 80) and [80, 120)
/// → acquired 70..<72; the slice is cut to [60, 80)
/// ```
/// Owned by the shard's loop, which is what `@unchecked Sendable` rests on.
final class AcquireRun: @unchecked Sendable {
    let host: CursorHost
    let items: [AcquireItem]
    let member: String
    let minBytes: Int
    /// Batches are given whole, beyond the number of records if need be (KIP-1206's batch-optimised mode).
    let byBatch: Bool
    let waiter: FetchWaiter?
    let reply: @Sendable ([AcquiredPart]) -> Void
    private var records: Int
    private var budget: Int
    private var bytes = 0
    private var parts: [AcquiredPart] = []
    private var index = 0
    /// Reads of the present item that gave nothing.
    private var reads = 0
    /// An error is answered at once: nobody waits behind it.
    private var waitable = true

    init(
        host: CursorHost, items: [AcquireItem], member: String, records: Int, budget: Int, minBytes: Int, byBatch: Bool,
        waiter: FetchWaiter?, reply: @escaping @Sendable ([AcquiredPart]) -> Void
    ) {
        self.host = host
        self.items = items
        self.member = member
        self.records = records
        self.budget = budget
        self.minBytes = minBytes
        self.byBatch = byBatch
        self.waiter = waiter
        self.reply = reply
        parts.reserveCapacity(items.count)
    }

    /// Goes on until a read has to wait for the disk, or all is done.
    func go() {
        while index < items.count {
            guard let part = step(items[index]) else { return }
            parts.append(part)
            index += 1
            reads = 0
        }
        finish()
    }

    private func goOn(_ body: @escaping @Sendable (AcquireRun) -> AcquiredPart?) {
        host.shard.loop.execute {
            guard let part = body(self) else { return }
            self.parts.append(part)
            self.index += 1
            self.reads = 0
            self.go()
        }
    }

    /// The item's part; nil when it comes later.
    private func step(_ item: AcquireItem) -> AcquiredPart? {
        guard let cursor = host.open(item.key) else {
            waitable = false
            return AcquiredPart(slot: item.slot, error: .unknownPartition)
        }
        while reads < host.limits.acquireReads {
            guard records > 0, budget > 0, let first = cursor.firstAvailable(to: member, now: host.now) else { break }
            reads += 1
            let later: @Sendable (Result<Located, LogError>) -> Void = { place in
                self.goOn { $0.located(place, first, item, cursor) ?? nil }
            }
            guard let place = host.shard.log.locate(cursor.partition.stream, .offset(first), later: later) else { return nil }
            switch read(place, first, item, cursor) {
            case .part(let part): return part
            case .later: return nil
            case .nothing: continue
            }
        }
        host.changed(cursor)
        return empty(item, cursor)
    }

    private enum Outcome {
        case part(AcquiredPart)
        case later
        /// What was read had nothing to acquire: look again.
        case nothing
    }

    private func located(
        _ place: Result<Located, LogError>, _ first: Offset, _ item: AcquireItem, _ cursor: HostedCursor
    ) -> AcquiredPart? {
        switch read(place, first, item, cursor) {
        case .part(let part): part
        case .later: nil
        case .nothing: step(item)
        }
    }

    private func read(_ place: Result<Located, LogError>, _ first: Offset, _ item: AcquireItem, _ cursor: HostedCursor) -> Outcome {
        switch place {
        case .failure(.outOfRange(let extent)) where extent.start > first:
            cursor.machine.raiseFloor(to: extent.start)
            return .nothing
        case .failure(let error): return .part(failed(error, item))
        case .success(let place):
            let wanted = max(min(budget, item.maxBytes), bytes == 0 ? place.header.totalBytes : 0)
            let later: @Sendable (Result<LogSlice, LogError>) -> Void = { slice in
                self.goOn { run in
                    switch run.take(slice, first, item, cursor) {
                    case .part(let part): part
                    case .later: nil
                    case .nothing: run.step(item)
                    }
                }
            }
            let slice = host.shard.log.read(
                cursor.partition.stream, at: place.position, maxBytes: wanted, wantsRegion: false, later: later)
            guard let slice else { return .later }
            return take(slice, first, item, cursor)
        }
    }

    /// Acquires what is available in a slice, and cuts the slice to it.
    private func take(_ slice: Result<LogSlice, LogError>, _ first: Offset, _ item: AcquireItem, _ cursor: HostedCursor) -> Outcome {
        let content: ByteBuffer
        switch slice {
        // Freed or rewritten since it was found: look again.
        case .failure(.outOfRange(let extent)) where first < extent.end: return .nothing
        case .failure(let error): return .part(failed(error, item))
        case .success(let found):
            guard case .bytes(let bytes) = found.content else {
                return .part(failed(.corrupt("a region where bytes were asked for"), item))
            }
            content = bytes
        }
        let batches = SliceBatches(content)
        // Offsets that a damaged batch seems to leave out must not be taken for removed ones, and settled.
        if let place = batches.damaged(below: cursor.partition.end) {
            let problem = "\(cursor.partition.stream): the batch that says it begins at \(place) can't stand where it does"
            if cursor.damagedAt != place {
                cursor.damagedAt = place
                host.shard.logger.error("shard \(host.shard.id): \(problem); restore its segment from a copy")
            }
            return .part(failed(.corrupt(problem), item))
        }
        guard let span = batches.span else {
            // No room for a whole batch beside what others gave.
            return .part(empty(item, cursor))
        }
        settleGaps(batches, from: first, cursor)
        let now = host.now
        var deliveries: [Delivery] = []
        for window in byBatch ? batches.single : batches.windows where records > 0 {
            let count = byBatch ? Int(window.upperBound - window.lowerBound) : records
            let acquired = cursor.machine.acquire(for: member, in: window, count: count, isWhole: byBatch, now: now)
            for delivery in acquired { records -= Int(delivery.range.upperBound - delivery.range.lowerBound) }
            deliveries += acquired
        }
        guard let lowest = deliveries.map(\.range.lowerBound).min(), let highest = deliveries.map(\.range.upperBound).max() else {
            // Somebody else was faster, or the slice ends before the first available message.
            return span.upperBound > first ? .nothing : .part(empty(item, cursor))
        }
        deliveries.sort { $0.range.lowerBound < $1.range.lowerBound }
        let bytes = batches.slice(of: content, lowest..<highest)
        host.delivered(
            cursor, messages: count(deliveries), bytes: bytes.readableBytes)
        cursor.answers.took(member, all: cursor.machine.held(by: member), of: count(deliveries), now: now.monotonic)
        host.changed(cursor)
        self.bytes += bytes.readableBytes
        budget -= bytes.readableBytes
        var part = empty(item, cursor)
        part.acquired = deliveries.map {
            AcquiredRange(
                first: $0.range.lowerBound, last: $0.range.upperBound + -1, deliveryCount: Int16(clamping: $0.attempts))
        }
        part.slice = LogSlice(content: .bytes(bytes), count: bytes.readableBytes)
        return .part(part)
    }

    private func count(_ deliveries: [Delivery]) -> Int64 {
        deliveries.reduce(0) { $0 + ($1.range.upperBound - $1.range.lowerBound) }
    }

    /// Offsets that no batch has were removed, or belong to markers that nobody reads: nothing can be delivered there.
    private func settleGaps(_ batches: SliceBatches, from first: Offset, _ cursor: HostedCursor) {
        var step = CursorStep()
        for gap in batches.gaps(from: first) {
            _ = cursor.machine.settle([gap], as: .missing, onlyMovable: true, &step)
        }
        if !step.isEmpty { host.log(step, of: cursor) { _ in } }
    }

    private func empty(_ item: AcquireItem, _ cursor: HostedCursor) -> AcquiredPart {
        var part = AcquiredPart(slot: item.slot)
        part.lockMs = cursor.machine.policy.lockMs
        return part
    }

    private func failed(_ error: LogError, _ item: AcquireItem) -> AcquiredPart {
        waitable = false
        return AcquiredPart(slot: item.slot, error: .storage("\(error)"))
    }

    private func finish() {
        if bytes < minBytes, waitable, let waiter {
            var isLate = false
            for item in items {
                guard let cursor = host[item.key] else { continue }
                cursor.wait(waiter)
                // What came while others were read.
                if cursor.firstAvailable(to: member, now: host.now) != nil { isLate = true }
                host.changed(cursor)
            }
            if isLate, bytes == 0 { waiter.wake() }
        }
        reply(parts)
    }
}
