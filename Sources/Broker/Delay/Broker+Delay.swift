import Control
import Model
import NIOCore
import Queues
import Storage

/// What operators see of delayed messages and do to them, over all shards. Retries before their next attempt are not in here: they wait on
/// their queue's cursor.
extension Broker {
    // MARK: Counts

    /// Delayed messages of one queue or topic (nil: of all) by how far off they are, and how many come due in the next five minutes. The
    /// retries and attempts are left for the cursors to fill in.
    public func delayOverview(queue: String?) async -> DelayOverview {
        var overview = DelayOverview()
        overview.queue = queue
        let topic = queue.flatMap { catalog.current[$0] }
        if queue != nil, topic == nil { return overview }
        let nowMs = clock.now.ms
        var buckets = DelayBuckets.ranges.map { range in
            var row = DelayBucketRow()
            row.label = range.label
            row.fromMs = range.fromMs
            row.toMs = range.toMs
            return row
        }
        var sums = Array(repeating: 0.0, count: buckets.count)
        var forecast = Array(repeating: 0.0, count: DelayBuckets.forecastPoints)
        for shard in shards {
            guard let seen = await shard.ask({ shard in shard.delays.map { ($0.store.counts, $0.store.targets, $0.store.nextDueMs()) } })
            else { continue }
            let (counts, targets, nextMs) = seen
            let numbers = topic.map { topic in Set(targets.filter { $0.value.topic == topic.id }.map(\.key)) }
            overview.delayed += counts.totals.reduce(0) { numbers?.contains($1.key) ?? true ? $0 + $1.value : $0 }
            for (index, range) in DelayBuckets.ranges.enumerated() {
                let from = range.fromMs < 0 ? Int64.min / 2 : nowMs + range.fromMs
                let to = range.toMs.map { nowMs + $0 } ?? Int64.max / 2
                sums[index] += counts.count(fromMs: from, toMs: to, nowMs: nowMs, targets: numbers)
            }
            for index in forecast.indices {
                let from = nowMs + Int64(index) * overview.forecastStepMs
                forecast[index] += counts.count(fromMs: from, toMs: from + overview.forecastStepMs, nowMs: nowMs, targets: numbers)
            }
            // A bound of the index: with a queue asked for, another's message may be the next.
            if let nextMs, counts.totals.contains(where: { numbers?.contains($0.key) ?? true }) {
                let until = topic == nil ? max(0, nextMs - nowMs) : counts.firstMs(targets: numbers).map { max(0, $0 - nowMs) }
                if let until { overview.nextDueMs = min(overview.nextDueMs ?? .max, until) }
            }
        }
        for (index, sum) in sums.enumerated() {
            buckets[index].delayed = Int64(sum.rounded())
            if let to = buckets[index].toMs, to > buckets[index].fromMs, buckets[index].fromMs >= 0 {
                buckets[index].releaseRate = sum / (Double(to - buckets[index].fromMs) / 1_000)
            }
        }
        overview.overdue = buckets[0].delayed
        overview.buckets = buckets
        overview.drainLimit = Double(limits.releasesPerSecond * shards.count)
        overview.forecast = forecast.map { $0 / (Double(overview.forecastStepMs) / 1_000) }
        return overview
    }

    // MARK: Messages

    /// Delayed messages of a queue or topic by due time, due in [fromMs, toMs) wall time; `limit` of them, from the `start`-th on.
    public func delayedMessages(
        queue: String, fromMs: Int64?, toMs: Int64?, start: Int = 0, limit: Int
    ) async throws -> Page<MessageRow> {
        guard let topic = catalog.current[queue] else { return Page() }
        let targets = Set(topic.partitionIDs)
        let wanted = min(max(0, start), DelayList.scanLimit) + min(max(0, limit), limits.listRows)
        var found: [(list: DelayList, ref: DelayRef, dueMs: Int64)] = []
        var total: Int64 = 0
        for shard in shards {
            let list = DelayList(shard: shard)
            let entries = try await list.entries(
                targets: targets, fromMs: fromMs ?? 0, toMs: toMs ?? DelayBuckets.farMs, limit: wanted)
            found += entries.map { (list, $0.ref, $0.dueMs) }
            total += await shard.ask { shard in
                guard let store = shard.delays?.store else { return 0 }
                return targets.reduce(0) { sum, id in sum + (store.numbers[id].flatMap { store.counts.totals[$0] } ?? 0) }
            }
        }
        found.sort { ($0.dueMs, $0.ref) < ($1.dueMs, $1.ref) }
        var rows: [MessageRow] = []
        for item in found.dropFirst(max(0, start)).prefix(max(0, limit)) {
            var row = MessageRow()
            row.id = item.ref.handle(shard: item.list.shard.id)
            row.queue = queue
            row.state = .delayed
            row.dueMs = item.dueMs
            if let message = await item.list.message(item.ref) {
                row.atMs = message.arrivedMs
                row.key = message.record?.key.map { DelayText.shown($0) }
                row.value = message.record?.value.map { DelayText.shown($0) } ?? ""
                row.bytes = (message.record?.key?.readableBytes ?? 0) + (message.record?.value?.readableBytes ?? 0)
            }
            rows.append(row)
        }
        let matched = fromMs == nil && toMs == nil ? Int(total) : found.count
        return Page(rows: rows, start: start, matched: matched, total: Int(total))
    }

    /// One delayed message, whole; nil when it does not wait (any more).
    public func delayedMessage(_ id: String) async -> MessageDetail? {
        guard let (list, message) = await find(id), let dueMs = await list.dueMs(message),
            let topic = catalog.current[message.target.topic]
        else { return nil }
        var detail = MessageDetail()
        detail.row.id = id
        detail.row.queue = topic.name
        detail.row.state = .delayed
        detail.row.dueMs = dueMs
        detail.row.atMs = message.arrivedMs
        detail.topic = topic.name
        detail.partition = message.target.index
        if let record = message.record {
            detail.row.key = record.key.map { DelayText.shown($0) }
            detail.row.value = record.value.map { DelayText.shown($0) } ?? ""
            detail.row.bytes = (record.key?.readableBytes ?? 0) + (record.value?.readableBytes ?? 0)
            detail.timestampMs = record.timestamp.ms
            detail.headers = record.headers.map { MessageHeader(name: $0.name, value: $0.value.map { DelayText.shown($0) }) }
            detail.key = record.key.map { MessageText.base64($0) }
            detail.value = record.value.map { MessageText.base64($0) }
        }
        detail.timeline = [TimelineRow(atMs: message.arrivedMs, text: "published with a delay")]
        if dueMs != message.indexedMs { detail.timeline.append(TimelineRow(atMs: nil, text: "rescheduled")) }
        return detail
    }

    private func find(_ id: String) async -> (DelayList, DelayedMessage)? {
        guard let (shard, ref) = DelayRef.parse(handle: id), shards.indices.contains(shard.value) else { return nil }
        let list = DelayList(shard: shards[shard.value])
        return await list.message(ref).map { (list, $0) }
    }

    // MARK: Operations

    /// Cancels delayed messages of a queue by id; others than its own are left.
    public func cancelDelayed(queue: String, ids: [String]) async throws(LogError) -> DelayOutcome {
        try await changeDelayed(queue: queue, ids: ids) { _ in nil }.outcome
    }

    /// Makes delayed messages due now.
    public func runDelayed(queue: String, ids: [String]) async throws(LogError) -> DelayOutcome {
        let nowMs = clock.now.ms
        return try await changeDelayed(queue: queue, ids: ids) { _ in nowMs }.outcome
    }

    /// Makes delayed messages due at another time.
    public func rescheduleDelayed(queue: String, ids: [String], dueMs: Int64) async throws(LogError) -> DelayOutcome {
        let dueMs = delayedDue(dueMs)
        return try await changeDelayed(queue: queue, ids: ids) { _ in dueMs }.outcome
    }

    /// A due time that an operator asks for, as far away as one can be.
    func delayedDue(_ dueMs: Int64) -> Int64 { min(max(0, dueMs), clock.now.ms + limits.delayMs) }

    /// Takes changes back: cancelled messages wait again, others are due when they were. What was released by now stays so.
    func putBackDelayed(queue: String, _ before: [DelayedTime]) async throws(LogError) -> DelayOutcome {
        let times = Dictionary(before.map { ($0.id, $0.dueMs) }, uniquingKeysWith: { $1 })
        var outcome = DelayOutcome()
        for restoring in [true, false] {
            let ids = before.filter { $0.isCancelled == restoring }.map(\.id)
            guard !ids.isEmpty else { continue }
            outcome =
                outcome
                + (try await changeDelayed(queue: queue, ids: ids, restoring: restoring) { times[$0] }).outcome
        }
        return outcome
    }

    /// - Parameter toMs: when a message by this id is to be due; nil cancels it.
    func changeDelayed(
        queue: String, ids: [String], restoring: Bool = false, _ toMs: (String) -> Int64?
    ) async throws(LogError) -> DelayChange {
        var change = DelayChange()
        var byShard: [[(DelayedMessage, Int64?)]] = Array(repeating: [], count: shards.count)
        let topic = catalog.current[queue]
        for id in ids {
            guard let (list, message) = await find(id), message.target.topic == topic?.id else {
                change.outcome.notWaiting += 1
                continue
            }
            byShard[list.shard.id.value].append((message, toMs(id)))
        }
        for (index, messages) in byShard.enumerated() where !messages.isEmpty {
            change = change + (try await apply(messages.map(\.0), toMs: messages.map(\.1), restoring: restoring, on: shards[index]))
        }
        return change
    }

    private func apply(
        _ messages: [DelayedMessage], toMs: [Int64?], restoring: Bool = false, on shard: Shard
    ) async throws(LogError) -> DelayChange {
        let result = await withCheckedContinuation { (continuation: CheckedContinuation<Result<DelayChange, LogError>, Never>) in
            shard.run {
                guard let host = shard.delays else { return continuation.resume(returning: .success(DelayChange())) }
                host.move(messages, toMs: toMs, restoring: restoring) { continuation.resume(returning: $0) }
            }
        }
        return try result.get()
    }

    /// Spreads delayed messages due in [fromMs, toMs) wall time evenly and at random over that span plus `spreadMs`; of one queue or of
    /// all.
    public func jitterDelayed(queue: String?, fromMs: Int64, toMs: Int64, spreadMs: Int64) async throws -> DelayOutcome {
        try await spreadDelayed(queue: queue, fromMs: fromMs, toMs: toMs, spreadMs: spreadMs).outcome
    }

    func spreadDelayed(queue: String?, fromMs: Int64, toMs: Int64, spreadMs: Int64) async throws -> DelayChange {
        let topic = queue.flatMap { catalog.current[$0] }
        if queue != nil, topic == nil { return DelayChange() }
        let targets = topic.map { Set($0.partitionIDs) }
        let span = UInt64(max(1, min(limits.delayMs, (toMs - fromMs) + max(0, spreadMs))))
        var change = DelayChange()
        for shard in shards {
            let list = DelayList(shard: shard)
            let entries = try await list.entries(targets: targets, fromMs: fromMs, toMs: toMs, limit: limits.delayOverrides + 1)
            var messages: [DelayedMessage] = []
            for entry in entries {
                // When the index has it due; what was moved before says so itself.
                let indexed = await shard.ask { $0.delays?.store.overrides[entry.ref]?.fromMs }
                messages.append(
                    DelayedMessage(ref: entry.ref, target: entry.target, indexedMs: indexed ?? entry.dueMs, arrivedMs: 0, record: nil))
            }
            let times = messages.map { _ in Optional(fromMs + Int64(random() % span)) }
            if !messages.isEmpty { change = change + (try await apply(messages, toMs: times, on: shard)) }
        }
        return change
    }

    /// Drops every delayed message of a queue or topic; how many that were.
    public func purgeDelayed(queue: String) async throws(LogError) -> Int64 {
        guard let topic = catalog.current[queue] else { return 0 }
        var count: Int64 = 0
        for id in topic.partitionIDs {
            let shard = shard(of: id)
            let result = await withCheckedContinuation { (continuation: CheckedContinuation<Result<Int64, LogError>, Never>) in
                shard.run {
                    guard let host = shard.delays else { return continuation.resume(returning: .success(0)) }
                    host.purge(id) { continuation.resume(returning: $0) }
                }
            }
            count += try result.get()
        }
        return count
    }
}
