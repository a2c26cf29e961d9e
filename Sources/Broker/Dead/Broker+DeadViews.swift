import Control
import Model
import Queues
import Storage

/// Dead-letter queues as screens show them.
extension Broker {
    /// Only the window's rows are counted by reason.
    func deadQueuePage(_ query: ListQuery) async throws(ControlError) -> Page<DeadQueueRow> {
        let all = deadLetterQueues()
        let matcher = try NameMatcher(query.filter)
        var found = all.filter { matcher.matches($0.topic.name) }
        func order<Value: Comparable>(_ left: Value, _ right: Value) -> Bool? { left == right ? nil : left < right }
        found.sort { left, right in
            let isBefore: Bool? =
                switch query.sort {
                case "messages": order(left.messages, right.messages)
                case "perMinute": order(left.perMinute, right.perMinute)
                default: nil
                }
            guard let isBefore else {
                return (left.topic.name < right.topic.name) != (query.sort == "name" && query.descending)
            }
            return isBefore != query.descending
        }
        let start = max(0, min(query.start, found.count))
        let deadline = clock.monotonic.advanced(byMs: Self.followMs)
        var window: [DeadQueueRow] = []
        for queue in found[start...].prefix(max(0, min(query.count, limits.listRows))) {
            window.append(await row(queue, await counted(queue, until: deadline)))
        }
        return Page(rows: window, start: start, matched: found.count, total: all.count)
    }

    /// How long a screen waits for indexes that have fallen behind, all of its rows together; they are followed further in the background.
    private static let followMs: Int64 = 100

    /// Why the messages of a queue died.
    struct DeadCounts {
        /// By reason and origin, the largest first; those of other reasons, or of none that is known any more; those not read yet.
        var groups: [DeadIndex.Counted] = []
        var others: Int64 = 0
        var unread: Int64 = 0
        /// Ranges of messages that are not settled, by partition.
        var open: [(partition: Int32, ranges: [Range<Offset>])] = []

        /// The most frequent reason; nil while more is unread than read, and when nothing is there.
        var cause: DeadCause? {
            let known = groups.reduce(others) { $0 + $1.count }
            guard unread <= known else { return nil }
            var byReason: [String: (count: Int64, sinceMs: Int64)] = [:]
            for group in groups {
                let sum = byReason[group.group.reason] ?? (0, .max)
                byReason[group.group.reason] = (sum.count + group.count, min(sum.sinceMs, group.firstMs))
            }
            return byReason.max { ($0.value.count, $1.key) < ($1.value.count, $0.key) }.map { reason, sum in
                DeadCause(
                    reason: reason, share: Double(sum.count) / Double(known + unread), sinceMs: others == 0 ? sum.sinceMs : nil,
                    isWhole: unread == 0)
            }
        }
    }

    /// Counts a queue's messages by reason, as far as its index has read, or gets until `deadline`.
    func counted(_ queue: DeadLetterQueue, until deadline: Monotonic) async -> DeadCounts {
        let index = deadQueues.index(of: queue.topic.id)
        var counted = DeadCounts()
        counted.open = await openRanges(queue.topic)
        (counted.groups, counted.others, counted.unread) = index.count(counted.open)
        if counted.unread > 0, clock.monotonic < deadline {
            await followDead(queue.topic, until: deadline)
            (counted.groups, counted.others, counted.unread) = index.count(counted.open)
        }
        deadQueues.note(counted.cause, isWhole: counted.unread == 0, of: queue)
        return counted
    }

    private func row(_ queue: DeadLetterQueue, _ counted: DeadCounts) async -> DeadQueueRow {
        var row = DeadQueueRow()
        row.name = queue.topic.name
        row.sources = queue.sources
        row.messages = queue.messages
        row.perMinute = queue.perMinute
        row.unread = counted.unread
        if row.messages == 0 { row.lastInMs = await lastArrival(queue.topic).map { max(0, clock.now - $0) } }
        if let cause = counted.cause { (row.topReason, row.topShare) = (cause.reason, cause.share) }
        // What is not read yet may be older, and is most likely newer, than what is.
        guard counted.unread == 0 else { return row }
        let now = clock.now.ms
        row.newestMs = counted.groups.map(\.lastMs).max().map { max(0, now - $0) }
        // Of those from before what is indexed nobody knows.
        guard counted.others == 0 else { return row }
        row.oldestMs = counted.groups.map(\.firstMs).min().map { max(0, now - $0) }
        return row
    }

    /// When the last message came into a queue, as far as it is known.
    private func lastArrival(_ topic: Topic) async -> Timestamp? {
        var last: Timestamp?
        for key in QueueName(group: topic.name, topic: topic).keys {
            let newest = await shard(of: key.partition).ask { $0.partitions[key.partition]?.times.stretches.last?.newest }
            last = [last, newest].compactMap { $0 }.max()
        }
        return last
    }

    /// A dead-letter queue, or any other queue, whole: why messages died, and a window of them, newest first.
    func deadDetail(_ query: MessageQuery) async throws(ControlError) -> DeadDetail {
        let queue = try queue(query.queue)
        let topic = queue.topic
        var known = statistics.state.withLock { $0.deadLetterQueue(topic) } ?? DeadLetterQueue(topic: topic)
        known.messages = 0
        for key in queue.keys { known.messages += await counts(of: key)?.open ?? 0 }
        let found = await counted(known, until: clock.monotonic.advanced(byMs: Self.followMs))
        var detail = DeadDetail()
        detail.row = await row(known, found)
        detail.watermark = await ends(of: queue)
        // Groups are told apart by origin too; the screen shows one row per reason.
        var byReason: [String: DeadReasonRow] = [:]
        for counted in found.groups {
            var reason = byReason[counted.group.reason] ?? DeadReasonRow()
            reason.reason = counted.group.reason
            reason.count += counted.count
            reason.firstMs = min(reason.firstMs ?? .max, counted.firstMs)
            reason.lastMs = max(reason.lastMs ?? .min, counted.lastMs)
            if let origin = counted.group.origin { reason.origins = (reason.origins + [origin]).sorted() }
            byReason[counted.group.reason] = reason
        }
        let reasons = byReason.values.sorted { ($1.count, $0.reason) < ($0.count, $1.reason) }
        detail.reasons = Array(reasons.prefix(100))
        detail.otherReasons = found.others + reasons.dropFirst(100).reduce(0) { $0 + $1.count }
        detail.messages = try await newest(queue, query, found.open, total: Int(clamping: known.messages))
        return detail
    }
}

/// Names that contain a text, without regard to case; after `~` a regular expression.
struct NameMatcher {
    private let text: String
    private let pattern: TextPattern?

    init(_ filter: String) throws(ControlError) {
        text = filter.lowercased()
        guard filter.hasPrefix("~") else {
            pattern = nil
            return
        }
        do throws(TextPattern.Problem) { pattern = try TextPattern(String(filter.dropFirst())) } catch {
            throw ControlError(.invalid, "'\(filter.dropFirst())' is not a regular expression: \(error)")
        }
    }

    func matches(_ name: String) -> Bool {
        if let pattern { return pattern.matches(name) }
        return text.isEmpty || name.lowercased().contains(text)
    }
}
