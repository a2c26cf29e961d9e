import Collections
import Model

/// The groups of one shard: replayed from facts, then steered by commands.
public struct GroupTable: Sendable {
    public private(set) var groups: OrderedDictionary<String, Group> = [:]
    /// Memory of all committed offsets, roughly.
    public private(set) var offsetBytes = 0

    public init() {}

    public subscript(id: String) -> Group? { groups[id] }
    public var count: Int { groups.count }
    public func contains(_ id: String) -> Bool { groups.index(forKey: id) != nil }

    /// The group of this name, made when there is none.
    public mutating func make(_ id: String, now: Moment) {
        if groups.index(forKey: id) == nil { groups[id] = Group(id: id, now: now.wall) }
    }

    /// Gives `body` the group in place; nil when there is none.
    public mutating func with<Result>(_ id: String, _ body: (inout Group) -> Result) -> Result? {
        guard let index = groups.index(forKey: id) else { return nil }
        return body(&groups.values[index])
    }

    /// Whether more offsets may be committed.
    public func hasRoomForOffsets(limits: Limits) -> Bool { offsetBytes < limits.committedOffsetBytes }

    /// Whether a join may add its subscription to what the groups' members hold already.
    public func hasRoom(for request: JoinRequest, limits: Limits) -> Bool {
        let held = groups.values.reduce(0) { $0 + $1.metadataBytes }
        return held + request.metadataBytes <= limits.groupMetadataBytes
    }

    /// Forgets a group that holds nothing: no members, no offsets, never a generation.
    public mutating func removeIfUnused(_ id: String) {
        guard let group = groups[id], group.isVacant, group.state == .empty, group.offsets.isEmpty, group.generation == 0 else { return }
        groups.removeValue(forKey: id)
    }

    /// Takes over a logged fact that a live group has decided: offsets change and deletions happen now; a generation is there already.
    public mutating func applyLive(_ fact: GroupFact) {
        if case .generation = fact { return }
        apply(fact)
    }

    /// Replays a fact. Facts of groups that were never seen make them.
    public mutating func apply(_ fact: GroupFact) {
        switch fact {
        case .offsetCommitted(let id, let topic, let partition, let committed):
            if groups.index(forKey: id) == nil { groups[id] = Group(id: id, now: committed.committedAt) }
            changeOffsets(of: id) { $0.set(topic, partition, committed) }
        case .offsetDeleted(let id, let topic, let partition):
            changeOffsets(of: id) { $0.remove(topic, partition) }
        case .generation(let logged):
            if groups.index(forKey: logged.group) == nil { groups[logged.group] = Group(id: logged.group, now: logged.since) }
            groups[logged.group]?.restore(logged)
        case .groupDeleted(let id):
            changeOffsets(of: id) { $0 = CommittedOffsets() }
            groups.removeValue(forKey: id)
        }
    }

    private mutating func changeOffsets(of id: String, _ body: (inout CommittedOffsets) -> Void) {
        offsetBytes +=
            with(id) { group in
                let before = group.offsets.bytes
                body(&group.offsets)
                return group.offsets.bytes - before
            } ?? 0
    }

    /// Facts that make an empty table equal to this one: a snapshot. Waiting members and deadlines are not part of it.
    /// A group between two generations is given as its last logged one was.
    public func snapshot() -> [GroupFact] {
        var facts: [GroupFact] = []
        for group in groups.values {
            if let logged = group.logged { facts.append(.generation(logged)) }
            for entry in group.offsets.all {
                facts.append(.offsetCommitted(group: group.id, topic: entry.topic, partition: entry.partition, entry.committed))
            }
        }
        return facts
    }

    /// After replay: sessions start again.
    public mutating func resume(now: Moment) {
        for index in groups.values.indices { groups.values[index].resume(now: now) }
    }

    /// No later than the earliest deadline of any group.
    public var nextDeadline: Monotonic? { groups.values.lazy.compactMap(\.nextDeadline).min() }

    /// Ticks the groups that are due; one step for each that did something.
    public mutating func tick(limits: Limits, now: Moment) -> [(group: String, step: GroupStep)] {
        var steps: [(group: String, step: GroupStep)] = []
        for index in groups.values.indices {
            guard let due = groups.values[index].nextDeadline, due <= now.monotonic else { continue }
            let step = groups.values[index].tick(limits: limits, now: now)
            if step != GroupStep() { steps.append((groups.keys[index], step)) }
        }
        return steps
    }
}
