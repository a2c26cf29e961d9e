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
    /// Members that read the topic.
    var consumers = 0
    /// Messages in the delay store that will be appended to the queue.
    var delayed: Int64 = 0
    /// What its policy is read from.
    var settings = QueueSettings(topic: [:], group: [:])
    var policy = QueuePolicy()
}

extension Broker {
    /// One second's look at the queues.
    func queueIntake(_ cursors: [CursorCounts], _ partitions: [Statistics.PartitionSample]) async -> QueueIntake {
        let byID = Dictionary(partitions.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        let known = statistics.state.withLock { $0.queues }
        let delayed = await delayedCounts()
        let samples = queueSamples(cursors, byID, delayed: delayed, shares: await shareGroups(), known: known)
        var intake = QueueIntake(samples: samples, ages: await ages(of: samples, known: known.ages), busiest: limits.busiestQueues)
        // A forecast of minutes needs no look every second.
        intake.herd = known.ticks % 5 == 0 ? await herd(known) : known.herd
        return intake
    }

    /// Brings the queues of a snapshot up to this moment, so that who has just done something sees it. Where there are more than
    /// ``Limits/liveQueues``, only after a command: else they are up to a second old.
    func refreshQueues(_ state: inout Statistics.State) async {
        guard state.queues.tracks.count <= limits.liveQueues || statistics.commands.load(ordering: .relaxed) != state.commands else {
            return
        }
        var cursors: [CursorCounts] = []
        var partitions: [PartitionID: Statistics.PartitionSample] = [:]
        for shard in shards {
            let (counts, samples) = await shard.ask { ($0.cursorCounts(), $0.partitionSamples { $0.config.isQueue }) }
            cursors += counts
            for sample in samples { partitions[sample.id] = sample }
        }
        let delayed = await delayedCounts()
        state.queues.refresh(
            queueSamples(cursors, partitions, delayed: delayed, shares: await shareGroups(), known: state.queues))
    }

    /// Queues and share groups from the cursors of all shards, by name. A policy is read again only when its settings changed.
    func queueSamples(
        _ cursors: [CursorCounts], _ partitions: [PartitionID: Statistics.PartitionSample], delayed: [PartitionID: Int64],
        shares: [ShareGroup], known: QueueTracks
    ) -> [QueueSample] {
        let topics = catalog.current
        var samples: [QueueKey: QueueSample] = [:]
        for topic in topics.byName.values where topic.config.isQueue {
            samples[QueueKey(group: topic.name, topic: topic.id)] = QueueSample(
                name: topic.name, group: topic.name, topic: topic.id, topicName: topic.name, isQueue: true)
        }
        for counts in cursors {
            guard let topic = topics[counts.key.partition.topic] else { continue }
            let key = QueueKey(group: counts.key.group, topic: topic.id)
            samples[
                key,
                default: QueueSample(
                    name: "\(key.group)@\(topic.name)", group: key.group, topic: topic.id, topicName: topic.name, isQueue: false)
            ].cursors.append(counts)
        }
        guard !samples.isEmpty else { return [] }
        let readers = readers(shares)
        return samples.map { key, sample in
            var sample = sample
            guard let topic = topics[key.topic] else { return sample }
            if sample.isQueue, sample.cursors.count < Int(topic.partitions) { addUntouched(&sample, topic, partitions) }
            if sample.cursors.count > 1 { sample.cursors.sort { $0.key.partition.index < $1.key.partition.index } }
            for index in 0..<topic.partitions {
                let id = PartitionID(topic: topic.id, index: index)
                sample.recordsIn += partitions[id]?.counters.recordsIn ?? 0
                // What is delayed belongs to the topic: a share group elsewhere would count it again.
                if sample.isQueue { sample.delayed += delayed[id] ?? 0 }
            }
            sample.consumers = readers[key] ?? 0
            sample.settings = QueueSettings(topic: topic.config.overrides, group: groupConfigs.settings(of: key.group))
            let before = known[sample.name]
            sample.policy =
                before?.settings == sample.settings
                ? before?.policy ?? QueuePolicy() : groupConfigs.policy(group: key.group, topic: topic.name, topic.config)
            return sample
        }.sorted { $0.name < $1.name }
    }

    private func addUntouched(
        _ sample: inout QueueSample, _ topic: Topic, _ partitions: [PartitionID: Statistics.PartitionSample]
    ) {
        let known = Set(sample.cursors.map(\.key.partition))
        for id in topic.partitionIDs where !known.contains(id) {
            var counts = CursorCounts(key: ShareKey(group: sample.group, partition: id), topic: topic.name)
            if let partition = partitions[id] {
                counts.start = partition.start
                counts.firstOpen = partition.start
                counts.end = partition.end
                counts.ready = partition.end - partition.start - partition.holes
                counts.holes = partition.holes
                counts.bytes = partition.bytes
            }
            sample.cursors.append(counts)
        }
    }

    /// Members by group and topic.
    private func readers(_ shares: [ShareGroup]) -> [QueueKey: Int] {
        var readers: [QueueKey: Int] = [:]
        for share in shares {
            for member in share.members.values {
                for assignment in member.assignment where !assignment.partitions.isEmpty {
                    readers[QueueKey(group: share.id, topic: assignment.id), default: 0] += 1
                }
            }
        }
        return readers
    }

    /// Looks up when the oldest open messages were appended, of at most ``Limits/sampledAges`` cursors whose first open message changed:
    /// those of the last look are known.
    func ages(of samples: [QueueSample], known: [ShareKey: QueueAge]) async -> [ShareKey: QueueAge] {
        var ages: [ShareKey: QueueAge] = [:]
        var wanted: [[(ShareKey, Offset)]] = Array(repeating: [], count: shards.count)
        var budget = limits.sampledAges
        for sample in samples {
            for counts in sample.cursors where counts.ready > 0 {
                if let age = known[counts.key], age.offset == counts.firstOpen {
                    ages[counts.key] = age
                } else if budget > 0 {
                    budget -= 1
                    wanted[shard(of: counts.key.partition).id.value].append((counts.key, counts.firstOpen))
                }
            }
        }
        for (shard, lookups) in zip(shards, wanted) where !lookups.isEmpty {
            for (lookup, time) in zip(lookups, await shard.times(of: lookups.map { ($0.0.partition, $0.1) })) {
                if let time { ages[lookup.0] = QueueAge(offset: lookup.1, appendedAt: time) }
            }
        }
        return ages
    }
}

/// A share group on a topic.
private struct QueueKey: Hashable {
    var group: String
    var topic: TopicID
}

/// When the first open message of a cursor was appended.
struct QueueAge: Sendable {
    var offset: Offset
    var appendedAt: Timestamp
}
