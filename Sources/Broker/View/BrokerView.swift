import CWeir
import Control
import Groups
import Model
import Synchronization

/// The broker as ``Control``: what its own console, the admin door and `weir` verbs see and do.
public final class BrokerView: Control {
    private let broker: Broker
    private let readOnly: Bool
    private let addresses = Mutex(Doors())

    /// HOST:PORT of each door that is open, for the header.
    public struct Doors: Sendable {
        public var kafka: String?
        public var http: String?
        public init(kafka: String? = nil, http: String? = nil) {
            self.kafka = kafka
            self.http = http
        }
    }

    public init(broker: Broker) {
        self.broker = broker
        readOnly = broker.options.readOnly
    }

    /// Set when the doors have opened: the admin door needs the view before its own port is known.
    public var doors: Doors {
        get { addresses.withLock { $0 } }
        set { addresses.withLock { $0 = newValue } }
    }

    public func snapshot(_ query: SnapshotQuery) async throws(ControlError) -> Snapshot {
        await broker.refreshStatistics()
        let state = broker.statistics.state.withLock { $0 }
        let builder = SnapshotBuilder(
            state: state, topics: broker.catalog.current, now: broker.clock.now, monotonic: broker.clock.monotonic,
            causes: broker.deadQueues.causes)
        var snapshot = Snapshot(broker: info(state), totals: totals(state), history: builder.history(points: query.historyPoints))
        snapshot.attention = builder.attention(snapshot.broker)
        snapshot.events = broker.events.last(50)
        if let list = query.topics { snapshot.topics = try builder.topicPage(list) }
        if let list = query.groups { snapshot.groups = try builder.groupPage(list) }
        if let name = query.topic, var detail = builder.topicDetail(name) {
            detail.row = await aged([detail.row])[0]
            snapshot.topic = detail
        }
        if let name = query.group { snapshot.group = builder.groupDetail(name) }
        if let list = query.queues { snapshot.queues = try builder.queuePage(list) }
        if let name = query.queue, var detail = builder.queueDetail(name), let track = state.queues[name] {
            detail.consumers = await broker.consumers(of: track)
            detail.undos = broker.undoRows(of: name)
            snapshot.queue = detail
        }
        if let delay = query.delay { snapshot.delay = await broker.delayOverview(delay, state.queues) }
        if let list = query.clients { snapshot.clients = try broker.clients.page(list, limit: broker.limits.listRows) }
        try await broker.addOperatorViews(query, to: &snapshot)
        try await broker.addDelayedMessages(query, to: &snapshot)
        snapshot.topics.rows = await aged(snapshot.topics.rows)
        return snapshot
    }

    public func perform(_ command: Command) async throws(ControlError) -> CommandOutcome {
        try await perform(command, actor: "console")
    }

    /// - Parameter actor: who commands, as ``Control/AuditRow/actor`` has it.
    func perform(_ command: Command, actor: String) async throws(ControlError) -> CommandOutcome {
        if readOnly, !command.onlyPreviews {
            throw ControlError(.readOnly, "the broker is read-only; start it without --read-only to change things")
        }
        if case .removeMember(let group, let member) = command, max(group.utf8.count, member.utf8.count) > broker.limits.groupNameBytes {
            throw ControlError(.invalid, "names of groups and members have at most \(broker.limits.groupNameBytes) bytes")
        }
        if case .queue(let command) = command { return try await broker.perform(command, actor: actor) }
        if command.onlyPreviews { return try await carryOut(command) }
        return try await broker.audited(command.commandLine, actor: actor) { () async throws(ControlError) in try await carryOut(command) }
    }

    /// The same broker for another door: its commands are written into the audit log under `actor`.
    public func acting(as actor: String) -> any Control { ActingView(view: self, actor: actor) }

    private struct ActingView: Control {
        let view: BrokerView
        let actor: String

        func snapshot(_ query: SnapshotQuery) async throws(ControlError) -> Snapshot { try await view.snapshot(query) }
        func perform(_ command: Command) async throws(ControlError) -> CommandOutcome { try await view.perform(command, actor: actor) }
    }

    private func carryOut(_ command: Command) async throws(ControlError) -> CommandOutcome {
        switch command {
        case .createTopic(let name, let partitions, let configs): return try await create(name, partitions, configs)
        case .deleteTopic(let name):
            do throws(Catalog.Failure) { try await broker.deleteTopic(name) } catch { throw error.control(name) }
            return CommandOutcome(message: "\(name): topic deleted")
        case .deleteRecords(let topic, let partition, let before): return try await deleteRecords(topic, partition, before)
        case .resetOffsets(let reset): return try await broker.resetOffsets(reset)
        case .deleteGroup(let name): return try await broker.deleteGroup(name)
        case .alter(let change): return try await broker.alter(change)
        case .killClient(let id): return try broker.killClient(id)
        case .removeMember(let group, let member): return try await broker.removeMember(member, of: group)
        case .queue(let command): return try await broker.perform(command, actor: "console")
        }
    }

    // MARK: Parts of a snapshot

    private func info(_ state: Statistics.State) -> BrokerInfo {
        let doors = doors
        var info = BrokerInfo(
            name: broker.options.name, version: broker.options.version, nowMs: broker.clock.now.ms,
            uptimeMs: broker.clock.monotonic.ms(since: broker.statistics.startedMonotonic), readOnly: readOnly, kafka: doors.kafka,
            http: doors.http,
            data: broker.options.data)
        broker.health.fill(&info)
        info.delayLevelsMs = broker.options.delayLevels.ms
        info.brokenShards = broker.brokenShards()
        let resident = weir_resident_bytes()
        info.residentBytes = resident > 0 ? Int64(clamping: resident) : nil
        info.cpuCores = state.cpuCores
        return info
    }

    private func totals(_ state: Statistics.State) -> Totals {
        var totals = state.currentTotals
        totals.jobs = broker.jobs.rows.filter { $0.state == .running || $0.state == .waiting }.count
        totals.connections = broker.statistics.connections.load(ordering: .relaxed)
        totals.errors = Int64(broker.statistics.errors.load(ordering: .relaxed))
        totals.malformed = Int64(broker.statistics.malformed.load(ordering: .relaxed))
        return totals
    }

    /// Topics with the age of their oldest record, one call a shard for all of them.
    private func aged(_ rows: [TopicRow]) async -> [TopicRow] {
        var rows = rows
        let topics = broker.catalog.current
        var places: [(row: Int, partition: PartitionID)] = []
        for (row, topic) in rows.prefix(broker.limits.agedRows).enumerated() where topic.records > 0 {
            for id in topics[topic.name]?.partitionIDs.prefix(broker.limits.agedRows) ?? [] { places.append((row, id)) }
        }
        let now = broker.clock.now
        for shard in broker.shards {
            let mine = places.filter { broker.shard(of: $0.partition) === shard }
            guard !mine.isEmpty else { continue }
            for (place, time) in zip(mine, await shard.times(of: mine.map { ($0.partition, .zero) })) {
                guard let time else { continue }
                rows[place.row].oldestMs = max(rows[place.row].oldestMs ?? 0, now - time)
            }
        }
        return rows
    }

    // MARK: Commands

    private func create(_ name: String, _ partitions: Int, _ configs: [String: String]) async throws(ControlError) -> CommandOutcome {
        let config: TopicConfig
        do throws(ConfigProblem) { config = try broker.topicConfig(configs) } catch { throw ControlError(.invalid, error.message) }
        do throws(Catalog.Failure) {
            try await broker.createTopic(name, partitions: Int32(clamping: partitions), config: config)
        } catch { throw error.control(name) }
        return CommandOutcome(message: "\(name): topic created with \(partitions) partition\(partitions == 1 ? "" : "s")")
    }

    private func deleteRecords(_ name: String, _ partition: Int32?, _ before: Int64) async throws(ControlError) -> CommandOutcome {
        guard let topic = broker.catalog.current[name] else { throw Catalog.Failure.unknown.control(name) }
        var ids = topic.partitionIDs
        if let partition {
            guard let id = topic.partition(partition) else {
                throw ControlError(.notFound, "topic \(name) has partitions 0 to \(topic.partitions - 1)")
            }
            ids = [id]
        }
        var deleted: Int64 = 0
        for id in ids {
            let old = await broker.shard(of: id).ask { $0.partitions[id]?.start ?? .zero }
            switch await broker.deleteRecords(of: id, before: Offset(before)) {
            case .success(let start): deleted += start - old
            case .failure(let error): throw ControlError(.failed, "\(name) partition \(id.index): records were not deleted: \(error)")
            }
        }
        broker.events.add(.info, "topic \(name): \(deleted) records deleted", at: broker.clock.now)
        return CommandOutcome(message: "\(name): \(deleted) records deleted in \(ids.count) partition\(ids.count == 1 ? "" : "s")")
    }
}

extension Catalog.Failure {
    fileprivate func control(_ name: String) -> ControlError {
        switch self {
        case .exists: ControlError(.conflict, "topic \(name) exists already")
        case .unknown: ControlError(.notFound, "there is no topic \(name)")
        case .invalidName(let text), .invalidPartitions(let text), .invalidConfig(let text), .tooMany(let text):
            ControlError(.invalid, text)
        case .store(let error): ControlError(.failed, "the catalog could not be written: \(error)")
        }
    }
}
