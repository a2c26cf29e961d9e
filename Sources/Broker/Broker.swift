import FoundationEssentials
import Logging
import Model
import NIOCore
import Storage
import Synchronization

/// The broker: catalog, shards and what crosses them. Doors and the console talk to it; it knows none of them.
public final class Broker: Sendable {
    public let options: BrokerOptions
    public let clock: any Clock
    public let catalog: Catalog
    public let shards: [Shard]
    public let store: any Store
    public let log: any Log
    public let logger: Logger
    /// 22 characters, made once per data directory.
    public let clusterID: String
    public let epoch: Epoch
    public let events: EventRing
    /// Settings of share groups.
    public let groupConfigs: GroupConfigs
    /// The connections of all doors.
    public let clients: ClientTable
    let jobs: JobHost
    let undos: UndoRegistry
    let space: SpaceLedger
    let health: BrokerHealth
    let resources: (@Sendable () -> ResourceReading)?
    let deadQueues: DeadQueues
    /// What operators did.
    public let audit: AuditLog
    /// Members of share groups, one for each shard.
    let shareCoordinators: [ShareCoordinator]
    let random: @Sendable () -> UInt64
    let statistics: Statistics
    private let nextProducer: ProducerIDs
    private let clockwork = Mutex<[RepeatedTask]>([])

    public var limits: Limits { options.limits }

    init(
        parts: BrokerParts, epoch: Epoch, clusterID: String, catalog: Catalog, shards: [Shard], groupConfigs: GroupConfigs,
        producers: ProducerIDs
    ) {
        options = parts.options
        clock = parts.clock
        store = parts.store
        log = parts.log
        logger = parts.logger
        random = parts.random
        events = parts.events
        self.epoch = epoch
        self.clusterID = clusterID
        self.catalog = catalog
        self.shards = shards
        self.groupConfigs = groupConfigs
        jobs = JobHost(store: parts.store, limits: parts.options.limits, logger: parts.logger)
        deadQueues = DeadQueues(log: parts.log, limits: parts.options.limits)
        space = SpaceLedger(limitBytes: parts.options.settledRetentionBytes)
        resources = parts.resources
        clients = ClientTable(limits: parts.options.limits)
        health = BrokerHealth(
            .init(
                diskFreeLow: parts.options.diskFreeLow, memoryHigh: parts.options.memoryHigh, memoryBytes: parts.options.memoryBytes))
        undos = UndoRegistry(store: parts.store, limit: parts.options.limits.undos)
        audit = AuditLog(shard: shards[0])
        shareCoordinators = shards.map { shard in
            ShareCoordinator(shard: shard, shards: shards, catalog: catalog, configs: groupConfigs, limits: parts.options.limits) {
                shards[Self.shardIndex(of: $0, shards: shards.count)]
            }
        }
        nextProducer = producers
        statistics = Statistics(startedAt: parts.clock.now, startedMonotonic: parts.clock.monotonic)
    }

    /// The shard that owns a partition: the same for the life of the data directory.
    public func shard(of id: PartitionID) -> Shard { shards[Self.shardIndex(of: id, shards: shards.count)] }

    private static func shardIndex(of id: PartitionID, shards: Int) -> Int {
        let mixed = (id.topic.low ^ UInt64(truncatingIfNeeded: id.index)) &* 0x9E37_79B9_7F4A_7C15
        return Int((mixed >> 32) % UInt64(shards))
    }

    /// The shard that owns a named machine (a group): FNV-1a, so that the answer survives restarts.
    public func shard(named name: String) -> Shard {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        // The last byte alone hardly reaches the upper half: without a last mix `g0` to `g9` would share a shard.
        hash = (hash ^ (hash >> 33)) &* 0xFF51_AFD7_ED55_8CCD
        return shards[Int((hash >> 32) % UInt64(shards.count))]
    }

    /// Bytes of publishes that wait for the log, over all shards.
    public var pendingBytes: Int { shards.reduce(0) { $0 + $1.pendingBytes.load(ordering: .relaxed) } }

    /// A producer id that was never given before.
    public func newProducerID() async throws(StoreError) -> ProducerID { try await nextProducer.next() }

    // MARK: Topics

    /// Settings by name as a topic's; levels of delay are those of this broker.
    /// - Parameter before: the topic whose settings they become.
    public func topicConfig(_ settings: [String: String], before: Topic? = nil) throws(ConfigProblem) -> TopicConfig {
        try TopicConfig.parse(settings, levels: options.delayLevels, before: before?.config)
    }

    @discardableResult
    public func createTopic(_ name: String, partitions: Int32, config: TopicConfig) async throws(Catalog.Failure) -> Topic {
        if let problem = config.queueProblem { throw .invalidConfig(problem) }
        if let problem = config.problem(partitions: partitions) { throw .invalidPartitions(problem) }
        let topic = Topic(
            id: TopicID(high: random(), low: random() | 1), name: name, partitions: partitions, config: config, createdAt: clock.now)
        try await catalog.create(topic)
        await adopt(topic, indices: 0..<partitions)
        events.add(.info, "topic \(name) created with \(partitions) partition\(partitions == 1 ? "" : "s")", at: clock.now)
        return topic
    }

    public func deleteTopic(_ name: String) async throws(Catalog.Failure) {
        let topic = try await catalog.delete(name)
        for id in topic.partitionIDs {
            let shard = shard(of: id)
            shard.run { shard.release(id) }
            do { try await store.delete(PartitionStart.key(id), at: nil) } catch {
                logger.debug("no start to delete for \(id): \(error)")
            }
        }
        for shard in shards { shard.groups.forget(topic: name) }
        events.add(.info, "topic \(name) deleted", at: clock.now)
    }

    /// Adds partitions; a topic never has fewer than before.
    public func growTopic(_ name: String, to partitions: Int32) async throws(Catalog.Failure) {
        let limit = limits.partitionsPerTopic
        if let problem = await overflowByGrowth(name, to: partitions) { throw .invalidPartitions(problem) }
        let (old, topic) = try await catalog.update(name) { topic throws(Catalog.Failure) in
            guard partitions > topic.partitions else {
                throw .invalidPartitions("topic \(topic.name) has \(topic.partitions) partitions; the number can only grow")
            }
            guard Int(partitions) <= limit else { throw .invalidPartitions("a topic has at most \(limit) partitions") }
            if let problem = topic.config.problem(partitions: partitions) { throw .invalidPartitions(problem) }
            topic.partitions = partitions
        }
        await adopt(topic, indices: old.partitions..<topic.partitions)
        // The partitions that were there have a smaller share of the queue's limits.
        for id in old.partitionIDs {
            let shard = shard(of: id)
            shard.run {
                guard let partition = shard.partitions[id], let topic = self.catalog.current[id.topic] else { return }
                partition.siblings = topic.partitions
                shard.cursors?.configured(partition)
            }
        }
        events.add(.info, "topic \(name) grew to \(partitions) partitions", at: clock.now)
    }

    public func configureTopic(_ name: String, _ config: TopicConfig) async throws(Catalog.Failure) {
        try await configureTopic(name) { _ in config }
    }

    /// Gives a topic the settings that `change` makes of what it has; nobody else changes them meanwhile, so that of two changes at once
    /// neither takes the other one back.
    public func configureTopic(
        _ name: String, _ change: @Sendable (Topic) throws(Catalog.Failure) -> TopicConfig
    ) async throws(Catalog.Failure) {
        let (_, topic) = try await catalog.update(name) { topic throws(Catalog.Failure) in
            let config = try change(topic)
            if let problem = config.queueProblem { throw .invalidConfig(problem) }
            if let problem = config.problem(partitions: topic.partitions) { throw .invalidPartitions(problem) }
            topic.config = config
        }
        for id in topic.partitionIDs {
            let shard = shard(of: id)
            shard.run {
                // Changes may come here in another order than they were made: the catalog has the last one.
                guard let partition = shard.partitions[id], let config = self.catalog.current[id.topic]?.config else { return }
                partition.config = config
                shard.log.setUnits(config.units, of: partition.stream, shard: shard.id)
                shard.cursors?.configured(partition)
            }
        }
        events.add(.info, "topic \(name) reconfigured", at: clock.now)
    }

    private func adopt(_ topic: Topic, indices: Range<Int32>) async {
        let limits = limits
        for shard in shards {
            let mine = indices.map { PartitionID(topic: topic.id, index: $0) }.filter { self.shard(of: $0) === shard }
            guard !mine.isEmpty else { continue }
            _ = await shard.ask { shard in
                // Its settings may have changed since, or it may be gone.
                guard let topic = self.catalog.current[topic.id] else { return }
                for id in mine { shard.adopt(id, topic: topic, extent: .empty, start: nil, memory: .fresh(limits)) }
            }
        }
    }

    // MARK: Clockwork

    func startClockwork() {
        let retention = TimeAmount.milliseconds(options.retentionCheckMs)
        var tasks: [RepeatedTask] = []
        for shard in shards {
            tasks.append(
                shard.loop.scheduleRepeatedTask(initialDelay: retention, delay: retention) { _ in shard.retain() })
            guard options.flush == .interval else { continue }
            let interval = TimeAmount.milliseconds(options.flushIntervalMs)
            tasks.append(
                shard.loop.scheduleRepeatedTask(initialDelay: interval, delay: interval) { _ in
                    if shard.isDirty { shard.startFrame(sync: true) }
                })
        }
        tasks.append(
            shards[0].loop.scheduleRepeatedTask(initialDelay: .seconds(1), delay: .seconds(1)) { _ in
                self.sample()
                self.keepJobs()
                self.watchResources()
            })
        let started = tasks
        clockwork.withLock { $0 = started }
    }

    /// Finishes what is under way, syncs and closes. Doors must be closed before.
    public func close() async {
        let tasks = clockwork.withLock { tasks in
            defer { tasks = [] }
            return tasks
        }
        for task in tasks { task.cancel() }
        await stopJobs()
        await stopMoves()
        for shard in shards {
            _ = await shard.ask { shard in
                shard.coordinator?.stop()
                shard.delays?.stop()
                shard.cursors?.stop()
                self.shareCoordinators[shard.id.value].stop()
            }
            await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
                shard.run {
                    if shard.commit.isIdle || shard.broken != nil { return continuation.resume() }
                    shard.closing = { continuation.resume() }
                }
            }
            let bytes = await shard.ask { $0.snapshotBytes() }
            await shard.putSnapshot(bytes)
            let times = await shard.ask { shard in
                shard.times.isStopped = true
                return shard.takeTimes()
            }
            await shard.putTimes(times)
            await shard.delays?.putSnapshot()
        }
        await withCheckedContinuation { continuation in log.close { continuation.resume() } }
        await store.close()
    }
}
