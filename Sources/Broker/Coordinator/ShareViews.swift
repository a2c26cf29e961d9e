import Groups
import Model

extension ShareCoordinator {
    /// The share groups as the Groups screen shows them, without positions. A queue's own group is left out: it is on the Queues screen.
    /// Call on the shard's loop.
    func views() -> [GroupView] {
        foreign().map { group in
            let members = group.members.values.map { member in
                GroupView.Member(
                    id: member.id, instanceID: nil, clientID: member.clientID, clientHost: member.clientHost,
                    partitions: member.assignment.flatMap { topic in
                        topic.partitions.map { TopicPartition(topic: topic.topic, partition: $0) }
                    })
            }
            return GroupView(name: group.id, state: group.state, protocolName: "share", members: members, committed: [])
        }
    }
}

extension GroupView {
    /// Gives share groups their positions: as far from the end as there are messages that are not settled, so that lag is their number.
    static func place(_ cursors: [CursorCounts], in views: inout [GroupView], now: Timestamp) {
        let places = Dictionary(views.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
        for cursor in cursors {
            guard let place = places[cursor.key.group] else { continue }
            let open = cursor.ready + cursor.acquired + cursor.waiting + cursor.moving
            views[place].committed.append(
                Committed(
                    partition: TopicPartition(topic: cursor.topic, partition: cursor.key.partition.index), offset: cursor.end + -open,
                    at: now))
        }
        for place in views.indices { views[place].committed.sort { $0.partition < $1.partition } }
    }
}
