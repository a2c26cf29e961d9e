import Groups

/// Group views, made again only for groups that changed since the last look.
struct ViewCache {
    private var views: [String: GroupView] = [:]
    private var stale: Set<String> = []

    mutating func changed(_ id: String) { stale.insert(id) }

    mutating func all(of table: GroupTable) -> [GroupView] {
        for id in stale { views[id] = table[id].map { GroupView($0) } }
        stale.removeAll(keepingCapacity: true)
        return table.groups.keys.compactMap { views[$0] }
    }
}

extension Shard {
    /// The groups of this shard.
    func groupViews() -> [GroupView] {
        loop.preconditionInEventLoop()
        return coordinator.map { $0.views.all(of: $0.table) } ?? []
    }
}

extension GroupView {
    init(_ group: Group) {
        let isConsumer = group.protocolType == Group.consumerProtocolType
        let members = group.members.values.map { member in
            let assigned = isConsumer ? Group.partitions(inAssignment: member.assignment) ?? [] : []
            return Member(
                id: member.id, instanceID: member.instanceID, clientID: member.clientID, clientHost: member.clientHost,
                partitions: assigned.map { TopicPartition(topic: $0.topic, partition: $0.partition) })
        }
        var committed: [Committed] = []
        committed.reserveCapacity(group.offsets.count)
        // A client may store −1 for "nothing".
        for entry in group.offsets.all where entry.committed.offset >= .zero {
            committed.append(
                Committed(
                    partition: TopicPartition(topic: entry.topic, partition: entry.partition), offset: entry.committed.offset,
                    at: entry.committed.committedAt))
        }
        self.init(
            name: group.id, state: group.state.rawValue, protocolName: group.protocolName, members: members,
            committed: committed.sorted { $0.partition < $1.partition })
    }
}
