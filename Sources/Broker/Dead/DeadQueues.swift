import Control
import Logging
import Model
import NIOCore
import Queues
import Storage
import Synchronization

/// What a dead-letter queue's index said last: enough for one line about why its messages died.
struct DeadCause: Sendable, Equatable {
    /// The most frequent reason among those that are known, and its share of all messages, 0 to 1: of those not read yet none has it.
    var reason: String
    var share: Double
    /// When the first of them died; nil when there are some from before what is indexed.
    var sinceMs: Int64?
    /// All messages were read; else the share is the least it can be.
    var isWhole: Bool

    /// `71%`; `62%+` where it may be more.
    var shareText: String { isWhole ? "\(Int((share * 100).rounded()))%" : "\(Int(share * 100))%+" }
}

/// The broker's dead-letter queues: an index of each, and what it said last. Any thread.
final class DeadQueues: Sendable {
    private struct Known {
        var cause: DeadCause?
        var messages: Int64
        var recordsIn: Int64
        var isWhole: Bool
    }
    private struct State {
        var indexes: [TopicID: DeadIndex] = [:]
        var known: [TopicID: Known] = [:]
        var isFollowing = false
        var lastFollowed = Monotonic(ns: 0)
    }
    private let state = Mutex(State())
    private let log: any Log
    private let limits: Limits

    /// What no screen looks at is read on this often.
    private static let followEveryMs: Int64 = 10_000

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

    /// Whether it is time to read on; the caller then does, and calls ``followed(_:)``.
    func isDue(at now: Monotonic) -> Bool {
        state.withLock { state in
            guard !state.isFollowing, state.lastFollowed.ns == 0 || now.ms(since: state.lastFollowed) >= Self.followEveryMs else {
                return false
            }
            state.isFollowing = true
            state.lastFollowed = now
            return true
        }
    }

    /// All dead-letter queues have been read on; what is known of others is forgotten.
    func followed(_ topics: Set<TopicID>) {
        state.withLock { state in
            state.isFollowing = false
            state.known = state.known.filter { topics.contains($0.key) }
            state.indexes = state.indexes.filter { topics.contains($0.key) }
        }
    }

    /// Whether a queue is not as it was when it was last counted.
    func hasChanged(_ queue: DeadLetterQueue) -> Bool {
        state.withLock { state in
            guard let known = state.known[queue.topic.id], known.isWhole else { return true }
            return known.messages != queue.messages || known.recordsIn != queue.recordsIn
        }
    }

    /// A queue was counted.
    /// - Parameters:
    ///   - cause: nil while too little is known.
    ///   - isWhole: all of its messages were read.
    func note(_ cause: DeadCause?, isWhole: Bool, of queue: DeadLetterQueue) {
        let known = Known(cause: cause, messages: queue.messages, recordsIn: queue.recordsIn, isWhole: isWhole)
        state.withLock { $0.known[queue.topic.id] = known }
    }

    /// Why messages died, by queue, as far as it is known: no more than seconds old.
    var causes: [TopicID: DeadCause] { state.withLock { $0.known.compactMapValues(\.cause) } }
}

/// A dead-letter queue as statistics know it.
struct DeadLetterQueue: Sendable {
    var topic: Topic
    /// Share groups that name it as their target.
    var sources: [String] = []
    /// Messages that are not settled.
    var messages: Int64 = 0
    /// Change per minute, over the last one.
    var perMinute = 0.0
    /// Records appended since the broker's start.
    var recordsIn: Int64 = 0
}

extension Statistics.State {
    /// One queue as a dead-letter queue; nil when there is no such queue.
    func deadLetterQueue(_ topic: Topic) -> DeadLetterQueue? {
        guard let place = queues.place(of: topic.name) else { return nil }
        let figures = queues.figures[place]
        return DeadLetterQueue(
            topic: topic, sources: queues.deadLetterSources[topic.name] ?? [], messages: figures.open,
            perMinute: queues.tracks[place].perMinute(figures, at: queues.lastTick), recordsIn: figures.recordsIn)
    }
}

extension Broker {
    /// All dead-letter queues by name, as of the last look at the shards: the same ones that totals and attention count.
    func deadLetterQueues() -> [DeadLetterQueue] {
        let topics = catalog.current
        return statistics.state.withLock { state in
            state.queues.order.compactMap { place in
                guard state.queues.figures[place].isDeadLetter else { return nil }
                return topics[state.queues.tracks[place].sample.topic].flatMap { state.deadLetterQueue($0) }
            }
        }
    }

    /// By the same rule; what was declared a moment ago counts too.
    func isDeadLetterQueue(_ topic: Topic) -> Bool {
        if topic.config.isQueue, topic.config.isDeadLetterQueue { return true }
        return statistics.state.withLock { state in
            state.queues.place(of: topic.name).map { state.queues.figures[$0].isDeadLetter } ?? false
        }
    }

    /// Every ten seconds: what indexes have not read yet is read, and what has changed is counted.
    func followDeadQueues() {
        guard deadQueues.isDue(at: clock.monotonic) else { return }
        Task {
            let queues = self.deadLetterQueues()
            for queue in queues where self.deadQueues.hasChanged(queue) {
                await self.followDead(queue.topic)
                _ = await self.counted(queue, until: self.clock.monotonic)
            }
            self.deadQueues.followed(Set(queues.map(\.topic.id)))
        }
    }

    /// Reads a queue's index on to the ends of its partitions, in short stretches between which screens get their turn; with `deadline` no
    /// longer than until then.
    func followDead(_ topic: Topic, until deadline: Monotonic? = nil) async {
        let index = deadQueues.index(of: topic.id)
        let clock = clock
        for key in QueueName(group: topic.name, topic: topic).keys {
            guard let range = await range(of: key) else { continue }
            var isThere = false
            while !isThere, deadline.map({ clock.monotonic < $0 }) ?? true {
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
    func openRanges(_ topic: Topic) async -> [(partition: Int32, ranges: [Range<Offset>])] {
        var result: [(partition: Int32, ranges: [Range<Offset>])] = []
        for key in QueueName(group: topic.name, topic: topic).keys {
            guard let range = await range(of: key) else { continue }
            let limit = limits.deadRanges
            let ranges = await shard(of: key.partition).ask { $0.mover?.source?.open(key, in: range, limit: limit) ?? [] }
            result.append((key.partition.index, ranges))
        }
        return result
    }
}
