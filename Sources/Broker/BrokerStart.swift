import FoundationEssentials
import Logging
import Model
import NIOCore
import Storage

/// What a broker is made of.
public struct BrokerParts: Sendable {
    public var options: BrokerOptions
    public var log: any Log
    public var store: any Store
    public var clock: any Clock
    public var logger: Logger
    /// Identities that must not repeat come from here.
    public var random: @Sendable () -> UInt64
    public var events: EventRing
    /// Tells what is left of disk and memory; nil: nobody watches them.
    public var resources: (@Sendable () -> ResourceReading)?

    public init(
        options: BrokerOptions, log: any Log, store: any Store, clock: any Clock, logger: Logger, random: @escaping @Sendable () -> UInt64,
        events: EventRing, resources: (@Sendable () -> ResourceReading)? = nil
    ) {
        self.resources = resources
        self.options = options
        self.log = log
        self.store = store
        self.clock = clock
        self.logger = logger
        self.random = random
        self.events = events
    }
}

/// Why a broker did not start: what was being done, what went wrong.
public struct StartFailure: Error, CustomStringConvertible, Sendable {
    public var description: String
}

extension Broker {
    /// Recovers everything and takes ownership. When it returns, the broker can serve.
    /// - Parameters:
    ///   - shardCount: shards of a new data directory; an existing one keeps its number.
    ///   - loops: one shard lives on each in turn.
    public static func start(_ parts: BrokerParts, shardCount: Int, loops: [any EventLoop]) async throws -> Broker {
        let identity = try await Identity.load(parts, shardCount: shardCount)
        let catalog = Catalog(store: parts.store, limits: parts.options.limits)
        try await catalog.load()
        let groupConfigs = GroupConfigs(store: parts.store)
        try await groupConfigs.load()
        let shards = (0..<identity.shards).map { index in
            Shard(
                id: ShardID(index), loop: loops[index % loops.count], epoch: identity.epoch, log: parts.log, store: parts.store,
                clock: parts.clock, options: parts.options, logger: parts.logger)
        }
        let broker = Broker(
            parts: parts, epoch: identity.epoch, clusterID: identity.cluster, catalog: catalog, shards: shards,
            groupConfigs: groupConfigs, producers: ProducerIDs(store: parts.store))
        let starts = try await broker.storedStarts()
        var found: [ShardID: [StreamID: StreamExtent]] = [:]
        for shard in shards { found[shard.id] = try await broker.acquire(shard, starts: starts) }
        var moves: [ShardID: StreamExtent] = [:]
        for shard in shards { moves[shard.id] = found[shard.id]?[.facts(shard.id, .moves)] }
        try await broker.startMoves(moves)
        for shard in shards { _ = await shard.ask { $0.cursors?.resumeDying() } }
        await broker.startShareGroups()
        try await broker.startJobs(audit: found[shards[0].id]?[.facts(shards[0].id, .audit)] ?? .empty)
        if let look = parts.resources { await broker.obey(look()) }
        broker.startClockwork()
        return broker
    }

    private func storedStarts() async throws(StoreError) -> [String: Offset] {
        var starts: [String: Offset] = [:]
        for entry in try await store.list(PartitionStart.prefix) {
            if let (key, start) = PartitionStart.decode(entry) { starts[key] = start }
        }
        return starts
    }

    /// - Returns: what the log holds of the shard.
    private func acquire(_ shard: Shard, starts: [String: Offset]) async throws -> [StreamID: StreamExtent] {
        let acquired = await withCheckedContinuation { continuation in
            log.acquire(shard.id, epoch: epoch) { continuation.resume(returning: $0) }
        }
        let extents: [StreamID: StreamExtent]
        switch acquired {
        case .success(let found): extents = found
        case .failure(let error): throw StartFailure(description: "shard \(shard.id) could not be opened: \(error)")
        }
        var memories: [PartitionID: ProducerMemory] = [:]
        var learned: [Offset] = []
        if let blob = try await store.getBlob(ProducerSnapshot.key(shard.id)) {
            if let decoded = ProducerSnapshot.decode(.init(blob), limits: limits) {
                (memories, learned) = decoded
            } else {
                logger.warning("shard \(shard.id): the producer snapshot is damaged; producers are read from the logs")
            }
        }
        let known = memories
        let saved = try await shard.savedTimes()
        let savedTimes = Dictionary((saved?.entries ?? []).map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        let topics = catalog.current.sorted
        let limits = limits
        let isCut = await shard.ask { shard in
            var isCut = false
            shard.mover = Mover(shard: shard, broker: self)
            shard.space = self.space
            shard.health = self.health
            shard.whenFull = { [weak self] in
                // Publishers are held from the next moment on, so that what is left is for acknowledgements.
                self?.health.noteFull()
                self?.watchResources()
            }
            shard.whenBroken = { [weak self, id = shard.id] error in self?.noteBroken(id, error) }
            for topic in topics {
                for id in topic.partitionIDs where self.shard(of: id) === shard {
                    let extent = extents[.partition(id)] ?? .empty
                    let isNew = extent == .empty
                    let memory = known[id] ?? (isNew ? .fresh(limits) : .unread(limits))
                    // A partition that is not among those written down was empty then, or came later.
                    var times = savedTimes[id]?.times ?? AppendTimes(limit: limits.appendTimes)
                    if let saved {
                        let savedEnd = savedTimes[id]?.end ?? .zero
                        times.recover(end: extent.end, savedEnd: savedEnd, savedAt: saved.savedAt, now: shard.clock.now)
                        if savedEnd > extent.end { isCut = true }
                    }
                    shard.adopt(
                        id, topic: topic, extent: extent, start: starts[PartitionStart.key(id)], memory: memory, times: times)
                }
            }
            for case .facts(_, let stream) in extents.keys {
                shard.factEnds[stream] = extents[.facts(shard.id, stream)]?.end
            }
            return isCut
        }
        // From now on a start knows at least that what it finds beyond this came later. Where a log has lost its tail, what was written
        // down goes further than the log: messages that come in the tail's place would be taken for it, and expire too early.
        if saved == nil || isCut { await shard.putTimes(await shard.ask { $0.takeTimes() }) }
        try await shard.startCoordinator(extent: extents[.facts(shard.id, .groups)] ?? .empty, random: random)
        try await shard.startCursors(extent: extents[.facts(shard.id, .queues)] ?? .empty, configs: groupConfigs, random: random)
        try await shard.startDelays(extents: extents, learned: learned)
        dropOrphans(extents, shard)
        return extents
    }

    /// Streams of topics that were deleted while their files could not be removed.
    private func dropOrphans(_ extents: [StreamID: StreamExtent], _ shard: Shard) {
        let topics = catalog.current
        for case .partition(let id) in extents.keys where topics[id.topic]?.partition(id.index) == nil {
            log.drop(.partition(id)) { [logger] result in
                logger.info("partition \(id) belongs to no topic: \(result)")
            }
        }
    }
}

/// What a data directory is: made at the first start, an epoch added at each.
private struct Identity {
    var cluster: String
    var shards: Int
    var epoch: Epoch

    static func load(_ parts: BrokerParts, shardCount: Int) async throws -> Identity {
        let store = parts.store
        let cluster = try await value("broker/cluster", in: store) { makeClusterID(parts.random) }
        let shards = try await value("broker/shards", in: store) { String(shardCount) }
        let entry = try await store.get("broker/epoch")
        let last = entry.flatMap { Int32(String(buffer: $0.value)) } ?? 0
        try await store.put("broker/epoch", ByteBuffer(string: String(last + 1)))
        guard let count = Int(shards), count > 0 else {
            throw StartFailure(description: "the data directory names '\(shards)' shards; it is damaged or of another version")
        }
        return Identity(cluster: cluster, shards: count, epoch: Epoch(last + 1))
    }

    private static func value(_ key: String, in store: any Store, or make: () -> String) async throws(StoreError) -> String {
        if let entry = try await store.get(key) { return String(buffer: entry.value) }
        let made = make()
        try await store.create(key, ByteBuffer(string: made), timeToLiveMs: nil)
        return made
    }

    /// 16 random bytes as URL-safe base64 without padding, like Kafka's.
    private static func makeClusterID(_ random: @Sendable () -> UInt64) -> String {
        let bytes = [random(), random()].flatMap { half in (0..<8).map { UInt8(truncatingIfNeeded: half >> (8 * $0)) } }
        let letters = Data(bytes).base64EncodedString().compactMap { (letter: Character) -> Character? in
            switch letter {
            case "+": "-"
            case "/": "_"
            case "=": nil
            default: letter
            }
        }
        return String(letters)
    }
}
