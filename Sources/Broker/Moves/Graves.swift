import Logging
import Model
import NIOCore
import Queues
import Storage

/// Dead messages of a shard that wait to be carried to their dead-letter targets, by cursor, first come first served. What waits is
/// bounded by what the cursors may have in flight.
struct Graves {
    private var waiting: [ShareKey: [DeadMessage]] = [:]
    private var turns: [ShareKey] = []
    private var running: Set<ShareKey> = []
    /// All that waits or is on its way: a message that is handed over twice, as at a start, is carried once.
    private var known: [ShareKey: Set<Offset>] = [:]

    /// Nothing is on its way.
    var isIdle: Bool { running.isEmpty }

    mutating func add(_ messages: [DeadMessage], of key: ShareKey) {
        let new = messages.filter { known[key, default: []].insert($0.offset).inserted }
        guard !new.isEmpty else { return }
        if waiting[key] == nil { turns.append(key) }
        waiting[key, default: []] += new
    }

    /// The next cursor whose messages can be carried, with up to `count` of them; at most `limit` cursors at a time, each once.
    mutating func next(count: Int, limit: Int) -> (ShareKey, [DeadMessage])? {
        guard running.count < limit, let index = turns.firstIndex(where: { !running.contains($0) }) else { return nil }
        let key = turns.remove(at: index)
        var messages = waiting.removeValue(forKey: key) ?? []
        if messages.count > count {
            waiting[key] = Array(messages[count...])
            turns.append(key)
            messages.removeLast(messages.count - count)
        }
        running.insert(key)
        return (key, messages)
    }

    mutating func finished(_ key: ShareKey, _ messages: [DeadMessage]) {
        running.remove(key)
        known[key]?.subtract(messages.map(\.offset))
        if known[key]?.isEmpty == true { known[key] = nil }
    }
}

extension Mover {
    /// Takes messages that died over from a cursor, which keeps them out of delivery: they are copied to the group's dead-letter target, or
    /// dropped where there is none, and then settled through ``MoveSource/settle(_:_:as:done:)``. Call on the shard's loop.
    func bury(_ key: ShareKey, _ messages: [DeadMessage]) {
        shard.loop.preconditionInEventLoop()
        graves.add(messages, of: key)
        dig()
    }

    /// Carries on with what waits; nothing is carried before moves that a crash cut off have come to an end.
    func dig() {
        while isReady, !isStopped, let (key, messages) = graves.next(count: limits.moveRecords, limit: limits.burials) {
            Task {
                await self.carry(key, messages.sorted { $0.offset < $1.offset })
                self.shard.run {
                    self.graves.finished(key, messages)
                    self.dig()
                }
            }
        }
    }

    /// Carries messages away, trying again until all are settled, their topic is gone or the broker stops.
    private func carry(_ key: ShareKey, _ messages: [DeadMessage]) async {
        var left = messages
        var pauseMs: Int64 = 100
        while !left.isEmpty, let broker {
            do throws(BurialProblem) {
                left = try await Burial(mover: self, broker: broker, key: key).carry(left)
                if left.isEmpty { return }
            } catch {
                if error.isFinal { return shard.logger.error("\(error.text)") }
                if pauseMs == 100 { broker.events.add(.error, error.text, at: shard.clock.now) }
                shard.logger.warning("\(error.text)")
            }
            for _ in 0..<(pauseMs / 100) {
                await shard.pause(100)
                if await shard.ask({ _ in self.isStopped }) { return }
            }
            pauseMs = min(pauseMs * 2, limits.moveRetryMs)
        }
    }
}

/// Why dead messages stay where they are for now.
struct BurialProblem: Error {
    var text: String
    /// Nothing more can be done until the broker starts again.
    var isFinal = false
}

/// One batch of one cursor's dead messages on its way to the dead-letter target.
struct Burial {
    let mover: Mover
    let broker: Broker
    let key: ShareKey

    /// - Returns: messages that are to be tried again.
    func carry(_ messages: [DeadMessage]) async throws(BurialProblem) -> [DeadMessage] {
        guard let topic = broker.catalog.current[key.partition.topic] else { return [] }
        guard let target = try await target(of: topic, areOld: messages.allSatisfy { $0.reason == .expired }) else {
            try await settle(messages.map(\.offset), as: .dropped)
            return []
        }
        let letter = DeadLetter(topic: topic.name, partition: key.partition.index, group: key.group)
        let number = mover.nextNumber()
        let identity = MoveIdentity(shard: mover.shard.id, number: number, source: key.partition)
        var batcher = MoveBatcher(identity: identity, limits: mover.limits, now: mover.shard.clock.now)
        var cycling: [Offset] = []
        let (records, missing) = try await read(messages)
        let now = mover.shard.clock.now
        guard let partition = target.home(of: key.partition.index, from: topic) else { return messages }
        for (record, message) in records {
            if let headers = letter.headers(of: record, dying: message, to: target.name, at: now) {
                batcher.add(record, to: partition, headers: headers)
            } else {
                cycling.append(record.offset)
            }
        }
        try await settle(cycling, as: .dropped)
        try await settle(missing, as: .missing)
        guard batcher.count > 0 else { return [] }
        let order = MoveOrder(number: number, key: key, end: .dead, parts: batcher.finish())
        let result = await mover.perform(order)
        if result.isStuck {
            throw BurialProblem(
                text: "dead letters of \(key.group) are held until the next start: the log failed on their way to \(target.name)",
                isFinal: true)
        }
        guard let refused = result.refused.first else { return [] }
        let ranges = result.refused.flatMap { order.parts[$0.part].ranges }
        mover.shard.logger.warning("dead letters of \(key.group): \(target.name) refused \(ranges.count) ranges: \(refused.error)")
        return messages.filter { message in ranges.contains { $0.contains(message.offset) } }
    }

    private func settle(_ offsets: [Offset], as end: Settlement) async throws(BurialProblem) {
        guard !offsets.isEmpty else { return }
        if let error = await mover.settle(key, Self.ranges(offsets), as: end) {
            throw BurialProblem(text: "dead letters of \(key.group) could not be settled: \(error)")
        }
    }

    /// The records of the messages, and offsets where there is none any more.
    private func read(
        _ messages: [DeadMessage]
    ) async throws(BurialProblem) -> (records: [(Record, DeadMessage)], missing: [Offset]) {
        let reader = StreamReader(log: broker.log)
        var found: [(Record, DeadMessage)] = []
        var missing: [Offset] = []
        var index = 0
        while index < messages.count {
            let from = messages[index].offset
            let chunk: StreamReader.Chunk
            do throws(LogError) {
                chunk = try await reader.read(.partition(key.partition), from: from, to: messages[messages.count - 1].offset + 1)
            } catch {
                throw BurialProblem(text: "dead letters of \(key.group): its log could not be read at \(from): \(error)")
            }
            var at = 0
            while index < messages.count, messages[index].offset < chunk.next {
                while at < chunk.records.count, chunk.records[at].offset < messages[index].offset { at += 1 }
                if at < chunk.records.count, chunk.records[at].offset == messages[index].offset {
                    found.append((chunk.records[at], messages[index]))
                } else {
                    missing.append(messages[index].offset)
                }
                index += 1
            }
        }
        return (found, missing)
    }

    /// The topic dead messages go to; made when it is not there. nil: there is none, they are dropped.
    /// - Parameter areOld: all of them died of their age. In a TTL chain that is used as a delay the next queue is no dead-letter queue, so
    ///   it is not made as one; `<name>.dlq` always is.
    func target(of topic: Topic, areOld: Bool) async throws(BurialProblem) -> Topic? {
        guard let policy = broker.policy(group: key.group, topic: topic.name),
            let name = Broker.deadLetterName(policy.deadLetter, group: key.group)
        else { return nil }
        if let target = broker.catalog.current[name] {
            // KIP-1191: whoever owns a topic decides whether groups may make it their target.
            guard target.config.isDeadLetterQueue || !broker.isKafkaTarget(name, of: key.group) else {
                throw BurialProblem(
                    text: "dead letters of \(key.group) wait: \(name) takes none; set errors.deadletterqueue.group.enable=true on it, "
                        + "or give the group another errors.deadletterqueue.topic.name")
            }
            return target
        }
        do throws(Catalog.Failure) {
            let isNext = areOld && policy.diesByAgeOnly && policy.deadLetter != .auto
            return try await broker.createTopic(name, partitions: 1, config: isNext ? TopicConfig.nextQueue : .deadLetterQueue)
        } catch {
            if case .exists = error, let target = broker.catalog.current[name] { return target }
            throw BurialProblem(text: "dead letters of \(key.group) wait: their target \(name) could not be made: \(error)")
        }
    }

    static func ranges(_ offsets: [Offset]) -> [Range<Offset>] {
        var result: [Range<Offset>] = []
        for offset in offsets.sorted() {
            if let last = result.last, last.upperBound == offset {
                result[result.count - 1] = last.lowerBound..<(offset + 1)
            } else {
                result.append(offset..<(offset + 1))
            }
        }
        return result
    }
}

extension Broker {
    /// The group has the target by Kafka's own setting.
    fileprivate func isKafkaTarget(_ name: String, of group: String) -> Bool {
        groupConfigs.settings(of: group)["errors.deadletterqueue.topic.name"] == name
    }

    /// Where a group's dead messages go by its policy; `auto` is `<group>.dlq`, with `_` for what a topic's name can't hold.
    static func deadLetterName(_ target: QueuePolicy.DeadLetter, group: String) -> String? {
        switch target {
        case .none: return nil
        case .topic(let name): return name
        case .auto:
            let legal = group.utf8.map { byte -> Character in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
                    Character(UnicodeScalar(byte))
                default: "_"
                }
            }
            return String(legal.prefix(Limits().topicNameBytes - 4)) + ".dlq"
        }
    }
}

extension TopicConfig {
    /// A queue that never gives a message up by itself: what lies there waits for its operator.
    static let deadLetterQueue: TopicConfig = {
        do throws(ConfigProblem) {
            return try parse(["queue": "true", deadLetterSetting: "true", "delivery.limit": "0"])
        } catch { preconditionFailure("settings that are written here can be parsed: \(error)") }
    }()

    /// A queue that gets what has become old elsewhere: no dead-letter queue, and it gives nothing up that has no target of its own.
    static let nextQueue: TopicConfig = {
        do throws(ConfigProblem) {
            return try parse(["queue": "true", "delivery.limit": "0"])
        } catch { preconditionFailure("settings that are written here can be parsed: \(error)") }
    }()

    static let deadLetterSetting = "errors.deadletterqueue.group.enable"

    /// The topic was made or declared as a dead-letter queue.
    public var isDeadLetterQueue: Bool { overrides[Self.deadLetterSetting] == "true" }
}

extension Shard {
    /// Waits on the shard's loop.
    func pause(_ ms: Int64) async {
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            run { self.loop.scheduleTask(in: .milliseconds(ms)) { continuation.resume() } }
        }
    }
}
