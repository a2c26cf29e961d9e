import Control
import Logging
import Model
import NIOCore
import Queues
import Storage
import Synchronization

/// The broker's dead-letter queues: which there are, an index of each, and how many messages they had a minute ago. Any thread.
final class DeadQueues: Sendable {
    struct Sample: Sendable {
        var at: Monotonic
        var messages: Int64
    }
    private struct State {
        var indexes: [TopicID: DeadIndex] = [:]
        var samples: [TopicID: [Sample]] = [:]
        var isSampling = false
        var lastSampled = Monotonic(ns: 0)
    }
    private let state = Mutex(State())
    private let log: any Log
    private let limits: Limits

    /// Samples are this far apart, and reach back a minute.
    private static let sampleMs: Int64 = 10_000
    private static let sampleCount = 7

    init(log: any Log, limits: Limits) {
        self.log = log
        self.limits = limits
    }

    /// The index of a queue; made when it is first asked for.
    func index(of topic: TopicID) -> DeadIndex {
        state.withLock { state in
            if let index = state.indexes[topic] { return index }
            let index = DeadIndex(log: log, limit: limits.deadIndexMessages)
            state.indexes[topic] = index
            return index
        }
    }

    func forget(_ topic: TopicID) {
        state.withLock {
            $0.indexes[topic] = nil
            $0.samples[topic] = nil
        }
    }

    /// Whether it is time for the next sample; the caller then takes one and calls ``sampled(_:at:)``.
    func isDue(at now: Monotonic) -> Bool {
        state.withLock { state in
            guard !state.isSampling, state.lastSampled.ns == 0 || now.ms(since: state.lastSampled) >= Self.sampleMs else { return false }
            state.isSampling = true
            state.lastSampled = now
            return true
        }
    }

    func sampled(_ messages: [TopicID: Int64], at now: Monotonic) {
        state.withLock { state in
            state.isSampling = false
            state.samples = state.samples.filter { messages[$0.key] != nil }
            state.indexes = state.indexes.filter { messages[$0.key] != nil }
            for (topic, count) in messages {
                var samples = state.samples[topic] ?? []
                samples.append(Sample(at: now, messages: count))
                if samples.count > Self.sampleCount { samples.removeFirst() }
                state.samples[topic] = samples
            }
        }
    }

    /// Change per minute, from what was there up to a minute ago.
    func perMinute(_ topic: TopicID, messages: Int64, at now: Monotonic) -> Double {
        guard let first = state.withLock({ $0.samples[topic]?.first }) else { return 0 }
        let ms = now.ms(since: first.at)
        return ms >= 1_000 ? Double(messages - first.messages) * 60_000 / Double(ms) : 0
    }
}

extension Broker {
    /// Dead-letter queues: topics declared or made as such, and targets that queues and share groups name; with who names them.
    func deadLetterTopics() -> [(topic: Topic, sources: [String])] {
        let topics = catalog.current
        var sources: [String: Set<String>] = [:]
        func note(_ setting: String?, group: String) {
            guard let setting, !setting.isEmpty else { return }
            let target: QueuePolicy.DeadLetter = setting == "auto" ? .auto : .topic(setting)
            if let name = Self.deadLetterName(target, group: group) { sources[name, default: []].insert(group) }
        }
        for topic in topics.byName.values where topic.config.isQueue { note(topic.config.overrides["dead.letter"], group: topic.name) }
        for group in groupConfigs.groups {
            let settings = groupConfigs.settings(of: group)
            note(settings["dead.letter"], group: group)
            note(settings["errors.deadletterqueue.topic.name"], group: group)
        }
        return topics.byName.values.compactMap { topic in
            let named = sources[topic.name]
            guard named != nil || topic.config.isDeadLetterQueue else { return nil }
            return (topic, (named ?? []).sorted())
        }.sorted { $0.topic.name < $1.topic.name }
    }

    /// Every ten seconds: how many messages each has; and what indexes have not read yet is read.
    func sampleDeadQueues() {
        let now = clock.monotonic
        guard deadQueues.isDue(at: now) else { return }
        Task {
            var messages: [TopicID: Int64] = [:]
            for (topic, _) in self.deadLetterTopics() {
                messages[topic.id] = 0
                for key in QueueName(group: topic.name, topic: topic).keys { messages[topic.id]! += await self.counts(of: key)?.open ?? 0 }
                await self.followDead(topic)
            }
            self.deadQueues.sampled(messages, at: now)
        }
    }

    /// Reads a queue's index on to the ends of its partitions, in short stretches between which screens get their turn; with `forMs` for
    /// about so long only.
    private func followDead(_ topic: Topic, forMs: Int64? = nil) async {
        let index = deadQueues.index(of: topic.id)
        let clock = clock
        let started = clock.monotonic
        for key in QueueName(group: topic.name, topic: topic).keys {
            guard let range = await range(of: key) else { continue }
            var isThere = false
            while !isThere, forMs.map({ clock.monotonic.ms(since: started) < $0 }) ?? true {
                let stretch = clock.monotonic
                do throws(LogError) {
                    isThere = try await index.follow(key.partition, from: range.lowerBound, to: range.upperBound) {
                        clock.monotonic.ms(since: stretch) >= Self.stretchMs
                    }
                } catch {
                    logger.warning("the index of \(topic.name) stays behind: \(error)")
                    break
                }
            }
        }
    }

    private static let stretchMs: Int64 = 30

    /// From a cursor's first message that is not settled to the partition's end.
    private func range(of key: ShareKey) async -> Range<Offset>? {
        let first = await counts(of: key)?.firstOpen
        return await shard(of: key.partition).ask { shard in
            shard.partitions[key.partition].map { max($0.start, min(first ?? $0.start, $0.highWatermark))..<$0.highWatermark }
        }
    }

    /// Ranges of messages that are not settled, by partition.
    private func openRanges(_ topic: Topic) async -> [(partition: Int32, ranges: [Range<Offset>])] {
        var result: [(partition: Int32, ranges: [Range<Offset>])] = []
        for key in QueueName(group: topic.name, topic: topic).keys {
            guard let range = await range(of: key) else { continue }
            let limit = limits.deadRanges
            let ranges = await shard(of: key.partition).ask { $0.mover?.source?.open(key, in: range, limit: limit) ?? [] }
            result.append((key.partition.index, ranges))
        }
        return result
    }

    // MARK: Views

    func deadQueuePage(_ query: ListQuery) async throws(ControlError) -> Page<DeadQueueRow> {
        let all = deadLetterTopics()
        let matcher = try NameMatcher(query.filter)
        let matching = all.filter { matcher.matches($0.topic.name) }
        var rows: [(row: DeadQueueRow, topic: Topic)] = []
        for (topic, sources) in matching {
            var row = DeadQueueRow()
            row.name = topic.name
            row.sources = sources
            for key in QueueName(group: topic.name, topic: topic).keys { row.messages += await counts(of: key)?.open ?? 0 }
            row.perMinute = deadQueues.perMinute(topic.id, messages: row.messages, at: clock.monotonic)
            rows.append((row, topic))
        }
        rows.sort { left, right in
            let isBefore: Bool? =
                switch query.sort {
                case "messages": left.row.messages == right.row.messages ? nil : left.row.messages < right.row.messages
                case "perMinute": left.row.perMinute == right.row.perMinute ? nil : left.row.perMinute < right.row.perMinute
                default: nil
                }
            guard let isBefore else {
                return query.sort == "name" && query.descending ? left.row.name > right.row.name : left.row.name < right.row.name
            }
            return query.descending ? !isBefore : isBefore
        }
        let start = max(0, min(query.start, rows.count))
        var window: [DeadQueueRow] = []
        for (row, topic) in rows[start...].prefix(max(0, min(query.count, limits.listRows))) {
            window.append(await withReasons(row, topic, following: false).row)
        }
        return Page(rows: window, start: start, matched: rows.count, total: all.count)
    }

    /// How long a screen waits for an index that has fallen behind; it is followed further in the background.
    private static let followMs: Int64 = 100

    private func withReasons(_ row: DeadQueueRow, _ topic: Topic, following: Bool) async -> (
        row: DeadQueueRow, groups: [DeadIndex.Counted], others: Int64, open: [(partition: Int32, ranges: [Range<Offset>])]
    ) {
        var row = row
        if following { await followDead(topic, forMs: Self.followMs) }
        let open = await openRanges(topic)
        let (groups, others, unread) = deadQueues.index(of: topic.id).count(open)
        row.unread = unread
        guard unread == 0 else { return (row, groups, others, open) }
        let known = groups.reduce(0) { $0 + $1.count }
        if let top = groups.first, known + others > 0 {
            row.topReason = top.group.reason
            row.topShare = Double(top.count) / Double(known + others)
        }
        let now = clock.now.ms
        row.oldestMs = groups.map(\.firstMs).min().map { max(0, now - $0) }
        row.newestMs = groups.map(\.lastMs).max().map { max(0, now - $0) }
        return (row, groups, others, open)
    }

    /// A dead-letter queue, or any other queue, whole: why messages died, and a window of them, newest first.
    func deadDetail(_ query: MessageQuery) async throws(ControlError) -> DeadDetail {
        let queue = try queue(query.queue)
        let topic = queue.topic
        var row = DeadQueueRow()
        row.name = topic.name
        row.sources = deadLetterTopics().first { $0.topic.id == topic.id }?.sources ?? []
        for key in queue.keys { row.messages += await counts(of: key)?.open ?? 0 }
        row.perMinute = deadQueues.perMinute(topic.id, messages: row.messages, at: clock.monotonic)
        var detail = DeadDetail()
        let (full, groups, others, open) = await withReasons(row, topic, following: true)
        detail.row = full
        detail.watermark = await ends(of: queue)
        // Groups are told apart by origin too; the screen shows one row per reason.
        var byReason: [String: DeadReasonRow] = [:]
        for counted in groups {
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
        detail.otherReasons = others + reasons.dropFirst(100).reduce(0) { $0 + $1.count }
        detail.messages = try await newest(queue, query, open, total: Int(clamping: row.messages))
        return detail
    }
}

extension CursorCounts {
    /// Messages that are not settled.
    var open: Int64 { ready + acquired + waiting + moving }
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
