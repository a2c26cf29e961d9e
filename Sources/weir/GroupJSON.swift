import Control

/// `weir group ls --json`. A value that is not known is null.
struct GroupJSON: Encodable {
    let row: GroupRow

    private enum CodingKeys: String, CodingKey { case group, state, status, members, topics, lag, behindMs, rate, etaMs }

    func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: CodingKeys.self)
        try fields.encode(row.group, forKey: .group)
        try fields.encode(row.state, forKey: .state)
        try fields.encode(row.status, forKey: .status)
        try fields.encode(row.members, forKey: .members)
        try fields.encode(row.topics, forKey: .topics)
        try fields.encode(row.lag, forKey: .lag)
        try fields.encode(row.behindMs, forKey: .behindMs)
        try fields.encode(row.rate, forKey: .rate)
        try fields.encode(row.etaMs, forKey: .etaMs)
    }
}

/// `weir group describe --json`: one object a partition.
struct GroupPartitionJSON: Encodable {
    let row: GroupPartitionRow

    private enum CodingKeys: String, CodingKey { case topic, partition, committed, end, lag, behindMs, status, member }

    func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: CodingKeys.self)
        try fields.encode(row.topic, forKey: .topic)
        try fields.encode(row.partition, forKey: .partition)
        try fields.encode(row.committed, forKey: .committed)
        try fields.encode(row.end, forKey: .end)
        try fields.encode(row.lag, forKey: .lag)
        try fields.encode(row.behindMs, forKey: .behindMs)
        try fields.encode(row.status, forKey: .status)
        try fields.encode(row.member, forKey: .member)
    }
}

/// `weir group reset --json`: one object a partition that moves.
struct OffsetMoveJSON: Encodable {
    let group: String
    let move: OffsetMove

    private enum CodingKeys: String, CodingKey { case group, topic, partition, from, to, end }

    func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: CodingKeys.self)
        try fields.encode(group, forKey: .group)
        try fields.encode(move.topic, forKey: .topic)
        try fields.encode(move.partition, forKey: .partition)
        try fields.encode(move.from, forKey: .from)
        try fields.encode(move.to, forKey: .to)
        try fields.encode(move.end, forKey: .end)
    }
}
