import Control
import Groups
import Model

extension SnapshotBuilder {
    func groupPage(_ list: ListQuery) throws(ControlError) -> Page<GroupRow> {
        let filter = try NameFilter(list.filter)
        let rows = state.groups.tracks.values.filter { filter.matches($0.view.name) }.map(row)
        return page(rows, total: state.groups.tracks.count, list, by: Self.groupOrder(list.sort))
    }

    /// A group's line: lag is summed over its partitions; status, time behind and ETA are those of the worst one.
    func row(_ track: GroupHistory.Track) -> GroupRow {
        let partitions: [GroupPartitionRow] = track.partitions.keys.sorted().compactMap { key in
            track.partitions[key].map { partitionRow(key, $0, track) }
        }
        var result = GroupRow(
            group: track.view.name, state: track.view.state, status: partitions.map(\.status).max() ?? .ok,
            members: track.view.members.count, topics: Set(track.partitions.keys.map(\.topic)).sorted(), lag: track.lag,
            behindMs: partitions.compactMap(\.behindMs).max(), trend: track.trend.suffix(60).map { Double($0) })
        result.rate = partitions.reduce(0) { $0 + $1.outRate }
        result.lagRate = partitions.reduce(0) { $0 + $1.inRate } - result.rate
        result.drains = partitions.allSatisfy(\.drains)
        result.etaMs = result.drains ? partitions.compactMap(\.etaMs).max() : nil
        return result
    }

    func groupDetail(_ name: String) -> GroupDetail? {
        guard let track = state.groups.tracks[name] else { return nil }
        let members = track.view.members.map {
            MemberRow(id: $0.id, client: $0.clientID, host: $0.clientHost, partitions: $0.partitions.count)
        }
        let partitions = track.partitions.keys.sorted().compactMap { key in track.partitions[key].map { partitionRow(key, $0, track) } }
        return GroupDetail(row: row(track), protocolName: track.view.protocolName, members: members, partitions: partitions)
    }

    private func partitionRow(
        _ key: TopicPartition, _ partition: GroupHistory.PartitionTrack, _ track: GroupHistory.Track
    ) -> GroupPartitionRow {
        let end = partition.position?.end
        let verdict = end.map { partition.rules.verdict(committed: partition.committed, end: $0, now: monotonic) }
        var row = GroupPartitionRow(
            topic: key.topic, partition: key.partition, committed: partition.committed.value, end: end?.value, lag: verdict?.lag,
            behindMs: behind(partition, lag: verdict?.lag))
        guard let verdict else { return row }
        row.inRate = verdict.inRate
        row.outRate = verdict.rate
        row.etaMs = verdict.etaMs
        row.drains = verdict.etaMs != nil
        row.status = GroupStatus(rawValue: verdict.status.rawValue) ?? .ok
        row.member = track.view.members.first { $0.partitions.contains(key) }?.clientID
        row.movedMs = partition.movedAt?.ms
        return row
    }

    /// Age of the next unread record: 0 when all is read, nil when its time is not known.
    private func behind(_ partition: GroupHistory.PartitionTrack, lag: Int64?) -> Int64? {
        guard let lag else { return nil }
        if lag == 0 { return 0 }
        return partition.position?.nextUnread.map { max(0, now - $0) }
    }

    private static func groupOrder(_ field: String) -> (GroupRow, GroupRow) -> Bool? {
        switch field {
        case "state": { Self.order($0.state, $1.state) }
        case "status": { Self.order($0.status.severity, $1.status.severity) }
        case "members": { Self.order($0.members, $1.members) }
        case "lag": { Self.order($0.lag ?? -1, $1.lag ?? -1) }
        case "behindMs": { Self.order($0.behindMs ?? -1, $1.behindMs ?? -1) }
        case "rate": { Self.order($0.rate, $1.rate) }
        case "lagRate": { Self.order($0.lagRate, $1.lagRate) }
        case "etaMs": { Self.order($0.drains ? $0.etaMs ?? 0 : Int64.max, $1.drains ? $1.etaMs ?? 0 : Int64.max) }
        default: { _, _ in nil }
        }
    }

    // MARK: Needs attention

    /// Most lines of the list; the worst come first.
    private static let attentionLimit = 20

    /// What an operator should look at, worst first: the broker itself, queues, groups by their status and lag.
    func attention(_ broker: BrokerInfo) -> [Attention] {
        var found = brokerAttention(broker) + queueAttention(Self.attentionLimit)
        for track in state.groups.tracks.values {
            let row = row(track)
            guard row.status != .ok, let lag = row.lag, lag > 0 else { continue }
            let worst = Set(track.partitions.keys.map(\.topic)).sorted().joined(separator: ",")
            let severity: Attention.Severity = row.status == .warn ? .warn : .crit
            var text = "\(ShortText.count(Double(lag)))  \(ShortText.age(row.behindMs)) behind  \(ShortText.signed(row.lagRate))/s"
            text += "\(row.drains ? "" : "  never")\(row.status == .warn ? "" : "  \(row.status.rawValue)")"
            let line = Attention(
                severity: severity, kind: "lag", subject: "\(row.group)@\(worst)", text: text, screen: "groups", select: row.group)
            found.append(Found(rank: row.status.severity, size: lag, subject: line.subject) { line })
        }
        found.sort { ($0.rank, $0.size, $1.subject) > ($1.rank, $1.size, $0.subject) }
        return found.prefix(Self.attentionLimit).map { $0.line() }
    }
}

extension GroupHistory.Track {
    /// Records of one topic that the group has not committed; nil when nothing is known.
    func lag(on topic: String) -> Int64? {
        var sum: Int64?
        for (key, track) in partitions where key.topic == topic {
            if let end = track.position?.end { sum = (sum ?? 0) + max(0, end - track.committed) }
        }
        return sum
    }
}

/// Numbers for lines of text: `31.2k`, `4m12s`, `+120`.
enum ShortText {
    static func count(_ value: Double) -> String {
        let units: [(Double, String)] = [(1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")]
        for (size, unit) in units where abs(value) >= size {
            let tenths = Int64((value / size * 10).rounded(.down))
            return tenths.magnitude >= 1000 || tenths % 10 == 0 ? "\(tenths / 10)\(unit)" : "\(tenths / 10).\(tenths.magnitude % 10)\(unit)"
        }
        return String(Int64(value))
    }

    static func cut(_ text: String, to limit: Int) -> String { text.count > limit ? text.prefix(limit - 1) + "…" : text }

    static func signed(_ value: Double) -> String { (value >= 0 ? "+" : "") + count(value) }

    static func age(_ ms: Int64?) -> String {
        guard let ms else { return "n/a" }
        let seconds = ms / 1000
        func two(_ value: Int64) -> String { value < 10 ? "0\(value)" : "\(value)" }
        if seconds < 60 { return "\(seconds)s" }
        if seconds < 3600 { return "\(seconds / 60)m\(two(seconds % 60))s" }
        if seconds < 86400 { return "\(seconds / 3600)h\(two(seconds % 3600 / 60))m" }
        return "\(seconds / 86400)d\(two(seconds % 86400 / 3600))h"
    }
}
