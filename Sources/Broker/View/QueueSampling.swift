import Groups
import Model
import Queues

/// One queue, or one share group on another topic, at one instant.
struct QueueSample: Sendable {
    /// `orders`; `billing@orders` for a share group on a topic that is no queue.
    var name: String
    var group: String
    var topic: TopicID
    var topicName: String
    var isQueue: Bool
    /// By partition; a queue's partition that nobody has touched yet has all its records ready.
    var cursors: [CursorCounts] = []
    /// Records appended to the topic since the broker's start.
    var recordsIn: Int64 = 0
    /// What its policy is read from.
    var settings = QueueSettings(topic: [:], group: [:])
}

/// What changed on one shard since the last look, and what is told whole because it is little.
struct ShardLook: Sendable {
    struct Changed: Sendable {
        var partition: PartitionSample
        /// All cursors on it.
        var cursors: [CursorCounts]
    }
    var changed: [Changed] = []
    var gone: [PartitionID] = []
    /// Changed partitions that are left for the next turn.
    var left = 0
    /// Members of share groups by topic.
    var consumers: [QueueKey: Int] = [:]
    var delayed: [TopicID: Int64] = [:]
}

extension Shard {
    /// What changed since the last call, of at most ``Limits/partitionsPerLook`` partitions, so that a busy loop has its turns. Call on the
    /// shard's loop, through the statistics' gate.
    /// - Parameter members: nil where consumers and delays were told in a turn before.
    func look(members: ShareCoordinator?) -> ShardLook {
        loop.preconditionInEventLoop()
        var look = ShardLook()
        let (changed, gone) = changes.take(options.limits.partitionsPerLook)
        look.left = changes.count
        look.gone = gone
        look.changed.reserveCapacity(changed.count)
        for id in changed {
            guard let partition = partitions[id] else { continue }
            partition.looked()
            look.changed.append(.init(partition: partition.sample, cursors: partition.cursors.map(\.counts)))
        }
        guard let members else { return look }
        look.consumers = members.consumers()
        if let store = delays?.store {
            for (number, count) in store.counts.totals {
                if let id = store.targets[number] { look.delayed[id.topic, default: 0] += count }
            }
        }
        return look
    }
}

extension Shard {
    /// What had changed by now, in as many turns as that takes. What changes meanwhile is left for the next time.
    fileprivate func looks(members: ShareCoordinator) async -> [ShardLook] {
        var looks = [await ask { $0.look(members: members) }]
        for _ in 0..<looks[0].turnsLeft(limit: options.limits.partitionsPerLook) { looks.append(await ask { $0.look(members: nil) }) }
        return looks
    }
}

extension ShardLook {
    /// How many more turns get all that is left.
    fileprivate func turnsLeft(limit: Int) -> Int { (left + limit - 1) / limit }
}

extension Partition {
    var sample: PartitionSample {
        PartitionSample(id: id, start: start, end: highWatermark, holes: holeCount, bytes: bytes, counters: counters)
    }
}

extension Broker {
    /// Brings topics, queues and totals up to this moment, so that who has just done something sees it. Costs what has changed since the
    /// last look, not what there is.
    func refreshStatistics() async {
        await statistics.gate.enter { () async in
            var looks: [ShardLook] = []
            for (shard, coordinator) in zip(shards, shareCoordinators) { looks += await shard.looks(members: coordinator) }
            let seen = looks
            let topics = catalog.current
            statistics.state.withLock { $0.absorb(seen, topics, groupConfigs) }
        }
    }
}

extension Statistics.State {
    mutating func absorb(_ looks: [ShardLook], _ catalog: Catalog.View, _ configs: GroupConfigs) {
        var delayed: [TopicID: Int64] = [:]
        var consumers: [QueueKey: Int] = [:]
        /// Cursors of changed queues by partition; nil where one is gone.
        var parts: [QueueKey: [PartitionID: CursorCounts?]] = [:]
        for look in looks {
            delayed.merge(look.delayed) { $0 + $1 }
            consumers.merge(look.consumers) { $0 + $1 }
            for id in look.gone {
                topics.remove(id)
                for group in queues.groups(on: id.topic) { parts[QueueKey(group: group, topic: id.topic), default: [:]][id] = .some(nil) }
            }
            for change in look.changed {
                let id = change.partition.id
                guard catalog[id.topic] != nil else { continue }
                topics.absorb(change.partition)
                for group in queues.groups(on: id.topic) where !change.cursors.contains(where: { $0.key.group == group }) {
                    parts[QueueKey(group: group, topic: id.topic), default: [:]][id] = .some(nil)
                }
                for counts in change.cursors {
                    parts[QueueKey(group: counts.key.group, topic: id.topic), default: [:]][id] = counts
                }
                noteQueue(on: id, catalog, &parts)
            }
        }
        queues.setDelayed(delayed)
        queues.setConsumers(consumers)
        var empty: Set<QueueKey> = []
        for (key, parts) in parts where !absorb(key, parts, catalog, configs) { empty.insert(key) }
        queues.remove(empty)
        queues.settle()
    }

    /// A queue is there though it has no cursor of its own group yet.
    private func noteQueue(on id: PartitionID, _ catalog: Catalog.View, _ parts: inout [QueueKey: [PartitionID: CursorCounts?]]) {
        guard let topic = catalog[id.topic], topic.config.isQueue else { return }
        let key = QueueKey(group: topic.name, topic: id.topic)
        if parts[key]?.keys.contains(id) != true { parts[key, default: [:]][id] = .some(nil) }
    }

    /// Takes over one queue. False when nothing is left of it.
    private mutating func absorb(
        _ key: QueueKey, _ parts: [PartitionID: CursorCounts?], _ catalog: Catalog.View, _ configs: GroupConfigs
    ) -> Bool {
        guard let topic = catalog[key.topic] else { return false }
        let isQueue = topic.config.isQueue && topic.name == key.group
        let known = queues.place(of: key).map { queues.tracks[$0] }
        var sample = QueueSample(
            name: isQueue ? topic.name : "\(key.group)@\(topic.name)", group: key.group, topic: topic.id, topicName: topic.name,
            isQueue: isQueue)
        sample.cursors = known?.sample.cursors.filter { parts[$0.key.partition] == nil } ?? []
        for case let counts? in parts.values { sample.cursors.append(counts) }
        if isQueue, sample.cursors.count < Int(topic.partitions) { addUntouched(&sample, topic) }
        if sample.cursors.isEmpty { return false }
        if sample.cursors.count > 1 { sample.cursors.sort { $0.key.partition.index < $1.key.partition.index } }
        sample.recordsIn = topics.series[topic.id]?.counters.recordsIn ?? 0
        sample.settings = QueueSettings(topic: topic.config.overrides, group: configs.settings(of: key.group))
        let isKnown = known?.sample.settings == sample.settings && known?.sample.name == sample.name
        let policy = isKnown ? nil : configs.policy(group: key.group, topic: topic.name, topic.config)
        queues.absorb(sample, policy: policy)
        return true
    }

    private func addUntouched(_ sample: inout QueueSample, _ topic: Topic) {
        let known = Set(sample.cursors.map(\.key.partition))
        for id in topic.partitionIDs where !known.contains(id) {
            var counts = CursorCounts(key: ShareKey(group: sample.group, partition: id), topic: topic.name)
            if let partition = topics.partitions[id] {
                counts.start = partition.start
                counts.firstOpen = partition.start
                counts.end = partition.end
                counts.ready = partition.records
                counts.holes = partition.holes
                counts.bytes = partition.bytes
            }
            sample.cursors.append(counts)
        }
    }
}
