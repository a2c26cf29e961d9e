import Control

/// The story that the fake broker tells: billing stalls on orders/3, etl re-reads from far back, thumbs drains.
extension FakeControl {
    static func wave(_ count: Int, seed: Int, scale: Double) -> [Double?] {
        (0..<count).map { index in
            let phase = Double((index * 7 + seed * 13) % 60) / 60
            return scale * (0.55 + 0.45 * (phase < 0.5 ? phase * 2 : 2 - phase * 2))
        }
    }

    static func ramp(_ count: Int, from: Double, to: Double) -> [Double?] {
        (0..<count).map { from + (to - from) * Double($0) / Double(max(1, count - 1)) }
    }

    static let story: [TopicRow] = [
        TopicRow(
            name: "orders", partitions: 12, records: 1_204_331, bytes: 240_866_200, inRate: 4_100, inBytesRate: 820_000, outRate: 8_000,
            groups: 2, lag: 2_400_000, oldestMs: 259_200_000, trend: wave(60, seed: 1, scale: 4_100)),
        TopicRow(
            name: "clicks", partitions: 48, records: 980_100, bytes: 196_020_000, inRate: 2_200, inBytesRate: 440_000, outRate: 2_190,
            groups: 1, lag: 12, oldestMs: 86_400_000, trend: wave(60, seed: 5, scale: 2_200)),
        TopicRow(
            name: "thumbnails.requested", partitions: 6, records: 6_800, bytes: 1_360_000, inRate: 310, inBytesRate: 62_000, outRate: 520,
            groups: 1, lag: 6_800, oldestMs: 41_000, trend: wave(60, seed: 9, scale: 310)),
        TopicRow(name: "audit", partitions: 1, records: 0, bytes: 0),
    ]

    static let storyGroups: [GroupRow] = [
        GroupRow(
            group: "billing", state: "Stable", status: .stall, members: 2, topics: ["orders"], lag: 31_200, behindMs: 252_000, rate: 3_900,
            lagRate: 120, etaMs: nil, drains: false, trend: ramp(60, from: 12_000, to: 31_200)),
        GroupRow(
            group: "etl", state: "Empty", status: .rewind, members: 0, topics: ["orders"], lag: 2_400_000, behindMs: 28_980_000,
            rate: 51_000, lagRate: -47_000, etaMs: 51_000, drains: true, trend: ramp(60, from: 2_900_000, to: 2_400_000)),
        GroupRow(
            group: "thumbs", state: "Stable", status: .ok, members: 3, topics: ["thumbnails.requested"], lag: 6_800, behindMs: 41_000,
            rate: 520, lagRate: -210, etaMs: 32_000, drains: true, trend: ramp(60, from: 16_000, to: 6_800)),
        GroupRow(
            group: "web-analytics", state: "Stable", status: .ok, members: 8, topics: ["clicks", "orders"], lag: 12, behindMs: 6,
            rate: 2_190,
            lagRate: 0.2, etaMs: 0, drains: true, trend: wave(60, seed: 3, scale: 20)),
        GroupRow(group: "nightly-report", state: "Empty", status: .stop, members: 0, topics: ["audit"]),
    ]

    static func attention(_ state: State) -> [Attention] {
        guard let dlq = state.queues.first(where: { $0.isDeadLetter && $0.ready > 0 }) else { return attention }
        let line = Attention(
            severity: .crit, kind: "dead", subject: dlq.name, text: "\(dlq.ready) (+38/min)  71% TimeoutError", screen: "dead",
            select: dlq.name, sinceMs: FakeControl.startMs - 378_000)
        return [line] + attention
    }

    static let attention: [Attention] = [
        Attention(
            severity: .crit, kind: "lag", subject: "billing@orders", text: "STALL  31.2k  4m12s behind  +120/s  never", screen: "groups",
            select: "billing"),
        Attention(
            severity: .warn, kind: "lag", subject: "etl@orders", text: "REWIND  2.4M  8h03m behind  -47k/s  51s", screen: "groups",
            select: "etl"),
        Attention(severity: .info, kind: "disk", subject: "/var/lib/weir", text: "120GB free of 500GB", screen: "", select: ""),
    ]

    static func history(_ nowMs: Int64, points: Int) -> History {
        let end = nowMs / 1000
        func series(_ base: Double, _ seed: Int) -> [Double?] {
            (0..<points).map { index in
                let second = Int(end) - points + 1 + index
                // Twenty seconds that nobody counted.
                if (120..<140).contains(Int(end) - second) { return nil }
                let phase = Double((second + seed) % 90) / 90
                return base * (0.6 + 0.4 * (phase < 0.5 ? phase * 2 : 2 - phase * 2))
            }
        }
        var history = History(
            stepMs: 1000, endMs: end * 1000, inRate: series(12_400, 0), outRate: series(11_900, 20),
            backlog: Array(ramp(900, from: 2_000, to: 48_200).suffix(points)))
        history.ready = Array(ramp(900, from: 20_000, to: 51_500).suffix(points))
        history.unacked = series(1_040, 5)
        history.delayed = Array(ramp(900, from: 9_000, to: 2_052).suffix(points))
        history.dead = Array(ramp(900, from: 0, to: 214).suffix(points))
        return history
    }

    static func detail(topic name: String, _ state: State) -> TopicDetail? {
        guard let row = state.topics.first(where: { $0.name == name }) else { return nil }
        let partitions = (0..<row.partitions).map { index in
            PartitionRow(
                topic: name, partition: Int32(index), start: 8_690_000 + Int64(index) * 100, end: 8_787_034 + Int64(index) * 731,
                bytes: row.bytes / Int64(row.partitions), inRate: row.inRate / Double(row.partitions))
        }
        return TopicDetail(
            row: row, id: "5f1c7a90b2d84e11a6c3908877665544", partitions: partitions,
            groups: state.groups.filter { $0.topics.contains(name) },
            configs: [
                ConfigRow(name: "retention.ms", value: "604800000", isDefault: true),
                ConfigRow(name: "segment.bytes", value: "134217728", isDefault: false),
            ],
            history: History(
                stepMs: 1000, endMs: state.nowMs, inRate: wave(300, seed: 1, scale: row.inRate),
                outRate: wave(300, seed: 8, scale: row.outRate),
                backlog: []))
    }

    static func detail(group name: String, _ state: State) -> GroupDetail? {
        guard let row = state.groups.first(where: { $0.group == name }) else { return nil }
        let isStalled = row.status == .stall
        let partitions = [
            GroupPartitionRow(
                topic: row.topics[0], partition: 3, committed: 8_787_034, end: 8_817_274, lag: 30_240, behindMs: 252_000, inRate: 120,
                outRate: isStalled ? 0 : 90, etaMs: nil, drains: false, status: row.status, member: "\(name)-5",
                movedMs: state.nowMs - 252_000),
            GroupPartitionRow(
                topic: row.topics[0], partition: 7, committed: 8_789_702, end: 8_790_112, lag: 410, behindMs: 1_100, inRate: 362,
                outRate: 362, etaMs: 900, drains: true, status: .ok, member: "\(name)-7", movedMs: state.nowMs - 400),
            GroupPartitionRow(topic: row.topics[0], partition: 9, committed: nil, end: 12, lag: nil, behindMs: nil),
        ]
        return GroupDetail(
            row: row, protocolName: "cooperative-sticky",
            members: [
                MemberRow(id: "\(name)-5-8f20c1", client: "\(name)-5", host: "10.0.4.15", partitions: 1),
                MemberRow(id: "\(name)-7-11aa02", client: "\(name)-7", host: "10.0.4.17", partitions: 1),
            ], partitions: row.members == 0 ? Array(partitions.prefix(2)) : partitions)
    }
}
