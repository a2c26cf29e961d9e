import Groups
import Model
import NIOCore
import Storage

/// The share groups of one shard: takes heartbeats, gives up silent members and releases what they held. All state is touched on the
/// shard's loop only, which is what `@unchecked Sendable` rests on; requests may come from any thread and are answered on that loop.
public final class ShareCoordinator: @unchecked Sendable {
    private let shard: Shard
    private let shards: [Shard]
    private let catalog: Catalog
    private let configs: GroupConfigs
    private let limits: Limits
    private let shardOf: @Sendable (PartitionID) -> Shard
    private var table = ShareGroupTable()
    /// Share groups that have, or had, cursors: they keep their type when their members have left.
    private var known: Set<String> = []
    private var ticking: RepeatedTask?
    /// What ``consumers()`` found, and at which change of the table.
    private var counted: (changes: Int, consumers: [QueueKey: Int]) = (0, [:])

    private static let tickMs: Int64 = 500

    init(
        shard: Shard, shards: [Shard], catalog: Catalog, configs: GroupConfigs, limits: Limits,
        shardOf: @escaping @Sendable (PartitionID) -> Shard
    ) {
        self.shard = shard
        self.shards = shards
        self.catalog = catalog
        self.configs = configs
        self.limits = limits
        self.shardOf = shardOf
    }

    /// What a member is to keep to.
    public struct Times: Sendable {
        public var heartbeatIntervalMs: Int64
        public var sessionMs: Int64
    }

    public func times(of group: String) -> Times {
        let settings = configs.settings(of: group)
        func ms(_ name: String) -> Int64? { settings[name].flatMap { Int64($0) } }
        return Times(
            heartbeatIntervalMs: ms("share.heartbeat.interval.ms") ?? limits.shareHeartbeatIntervalMs,
            sessionMs: ms("share.session.timeout.ms") ?? limits.shareSessionTimeoutMs)
    }

    // MARK: Requests

    public func heartbeat(_ id: String, _ request: ShareHeartbeat, reply: @escaping @Sendable (ShareHeartbeatAnswer) -> Void) {
        shard.run {
            func refuse(_ error: ShareGroupError, _ message: String) {
                reply(ShareHeartbeatAnswer(memberID: request.memberID, epoch: request.epoch, error: error, message: message))
            }
            guard !id.isEmpty, id.utf8.count <= self.limits.groupNameBytes else {
                return refuse(.invalidRequest, "a group's name has 1 to \(self.limits.groupNameBytes) bytes")
            }
            if let group = self.shard.groups.table[id], !group.isVacant || !group.offsets.isEmpty {
                return refuse(.groupIDNotFound, "group \(id) is a consumer group, not a share group")
            }
            let before = self.table[id]?.members[request.memberID]
            let answer = self.table.heartbeat(
                id, request, limits: self.limits, sessionMs: self.times(of: id).sessionMs, now: self.shard.clock.monotonic,
                topic: self.lookUp())
            if answer.error == nil {
                if request.epoch == ShareHeartbeat.leaves, let before { self.release(before, of: id, wasLost: false) }
                if request.epoch == ShareHeartbeat.joins { self.known.insert(id) }
                self.startTicking()
            }
            reply(answer)
        }
    }

    /// Takes a member out as if it had been silent for too long; false when it is not there.
    func expel(_ member: String, from id: String, reply: @escaping @Sendable (Bool) -> Void) {
        shard.run {
            guard let before = self.table[id]?.members[member] else { return reply(false) }
            let leave = ShareHeartbeat(
                memberID: member, epoch: ShareHeartbeat.leaves, clientID: before.clientID, clientHost: before.clientHost)
            _ = self.table.heartbeat(
                id, leave, limits: self.limits, sessionMs: self.times(of: id).sessionMs, now: self.shard.clock.monotonic,
                topic: self.lookUp())
            self.release(before, of: id, wasLost: true)
            reply(true)
        }
    }

    /// The group with its members; nil when there is no such share group.
    public func describe(_ id: String, reply: @escaping @Sendable (ShareGroup?) -> Void) {
        shard.run { reply(self.table[id] ?? (self.isShareGroup(id) ? ShareGroup(id: id) : nil)) }
    }

    /// All share groups, those without members too.
    public func list(reply: @escaping @Sendable ([ShareGroup]) -> Void) {
        shard.run { reply(self.all()) }
    }

    func all() -> [ShareGroup] {
        Array(table.groups.values) + known.subtracting(table.groups.keys).sorted().map { ShareGroup(id: $0) }
    }

    /// Share groups that are not a queue's own.
    func foreign() -> [ShareGroup] {
        let topics = catalog.current
        func isOwn(_ id: String) -> Bool { topics[id]?.config.isQueue == true }
        return table.groups.values.filter { !isOwn($0.id) }
            + known.lazy.filter { !isOwn($0) && self.table.groups[$0] == nil }.map { ShareGroup(id: $0) }
    }

    /// Members that read something, by group and topic. Call on the shard's loop. Counted anew only when members or assignments changed.
    func consumers() -> [QueueKey: Int] {
        if counted.changes != table.changes { counted = (table.changes, countConsumers()) }
        return counted.consumers
    }

    private func countConsumers() -> [QueueKey: Int] {
        var consumers: [QueueKey: Int] = [:]
        for group in table.groups.values {
            for member in group.members.values {
                for assignment in member.assignment where !assignment.partitions.isEmpty {
                    consumers[QueueKey(group: group.id, topic: assignment.id), default: 0] += 1
                }
            }
        }
        return consumers
    }

    /// Whether the name is a share group's, so that no consumer group may have it. Call on the shard's loop.
    func isShareGroup(_ id: String) -> Bool {
        known.contains(id) || isOwnGroupOfQueue(id)
    }

    func isOwnGroupOfQueue(_ id: String) -> Bool { catalog.current[id]?.config.isQueue == true }

    /// Notes groups whose cursors were read back.
    func note(_ groups: some Sequence<String>) { known.formUnion(groups) }

    /// Notes a group that got a cursor otherwise than by a member.
    public func noteNow(_ group: String, done: @escaping @Sendable () -> Void) {
        shard.run {
            self.known.insert(group)
            done()
        }
    }

    /// Forgets the name of a group whose cursors are gone.
    func forget(_ id: String) { known.remove(id) }

    // MARK: Time

    private func startTicking() {
        guard ticking == nil, !table.groups.isEmpty else { return }
        ticking = shard.loop.scheduleRepeatedTask(initialDelay: .milliseconds(Self.tickMs), delay: .milliseconds(Self.tickMs)) {
            [weak self] _ in
            self?.tick()
        }
    }

    private func tick() {
        for (id, members) in table.tick(now: shard.clock.monotonic, topic: lookUp()) {
            for member in members {
                shard.logger.info("share group \(id): member \(member.id) was silent for too long and is given up")
                release(member, of: id, wasLost: true)
            }
        }
        if table.groups.isEmpty { stop() }
    }

    /// No more alarms.
    func stop() {
        ticking?.cancel()
        ticking = nil
    }

    private func lookUp() -> (String) -> ShareTopic? {
        let topics = catalog.current
        return { name in topics[name].map { ShareTopic(id: $0.id, partitions: $0.partitions, isReadWhole: $0.config.priorities != nil) } }
    }

    /// Gives back what a member holds on any partition of its topics: it may hold some of partitions that others read by now.
    private func release(_ member: ShareMember, of group: String, wasLost: Bool) {
        let topics = catalog.current
        var keys: [[ShareKey]] = Array(repeating: [], count: shards.count)
        for name in member.topics {
            for id in topics[name]?.partitionIDs ?? [] { keys[shardOf(id).id.value].append(ShareKey(group: group, partition: id)) }
        }
        for (index, keys) in keys.enumerated() where !keys.isEmpty {
            shards[index].releaseShare(member: member.id, keys: keys, wasLost: wasLost)
        }
    }
}
