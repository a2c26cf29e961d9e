import Control
import Groups
import Model

extension Broker {
    /// Who reads a queue, what each holds and how it answers, the fullest first. A member that left may still hold messages until they are
    /// given back.
    func consumers(of track: QueueTrack) async -> [ConsumerRow] {
        var uses: [String: MemberUse] = [:]
        for shard in shards {
            let mine = track.sample.cursors.map(\.key).filter { self.shard(of: $0.partition) === shard }
            guard !mine.isEmpty else { continue }
            for (member, use) in await shard.ask({ $0.use(of: mine) }) { uses[member, default: MemberUse()].add(use) }
        }
        let members = await shareGroup(track.sample.group)?.members.values.map { $0 } ?? []
        var rows: [ConsumerRow] = []
        for member in members where member.assignment.contains(where: { $0.id == track.sample.topic }) {
            var row = ConsumerRow(member.id, uses.removeValue(forKey: member.id))
            row.client = member.clientID
            row.host = member.clientHost
            rows.append(row)
        }
        for (member, use) in uses where use.held > 0 { rows.append(ConsumerRow(member, use)) }
        return rows.sorted { ($1.unacked, $0.id) < ($0.unacked, $1.id) }
    }
}

extension ConsumerRow {
    fileprivate init(_ member: String, _ use: MemberUse?) {
        self.init()
        id = member
        unacked = use?.held ?? 0
        ackRate = use?.perSecond ?? 0
        lastAckMs = use?.answeredMs
        ackP50Ms = use?.times?.quantile(0.5)
        ackP99Ms = use?.times?.quantile(0.99)
        silentMs = unacked > 0 ? use?.silentMs : nil
    }
}
