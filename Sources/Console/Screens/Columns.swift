import Control
import Terminal

/// Shared colours of figures.
enum Figure {
    static func lag(_ lag: Int64?) -> ThemeKey { lag.map { $0 > 0 ? .ready : .dim } ?? .dim }
    static func quiet(_ rate: Double) -> ThemeKey { rate < 0.05 ? .dim : .text }
    /// A growing backlog is worth a look, a shrinking one is good.
    static func net(_ rate: Double, lag: Int64?) -> ThemeKey {
        if abs(rate) < 0.5 || (lag ?? 0) == 0 { return .dim }
        return rate > 0 ? .warn : .ok
    }
    static func eta(_ text: String) -> ThemeKey {
        switch text {
        case "never": .crit
        case "now", Short.unknown: .dim
        default: .text
        }
    }
    static func status(_ status: GroupStatus) -> ThemeKey {
        switch status {
        case .ok: .ok
        case .warn, .rewind: .warn
        case .stop, .stall: .crit
        }
    }
    static func behind(_ ms: Int64?) -> ThemeKey { (ms ?? 0) < 1000 ? .dim : .text }
}

enum TopicColumns {
    static let sortFields = ["name", "records", "bytes", "inRate", "outRate", "lag", "oldestMs", "partitions", "groups"]

    static func all(_ glyphs: Glyphs) -> [Column<TopicRow>] {
        [
            Column(title: "TOPIC", width: 16, priority: 0, role: .name, maxWidth: 80, field: "name") { row, _ in (row.name, .text) },
            Column(title: "PART", width: 5, priority: 5, field: "partitions") { row, _ in (Short.count(row.partitions), .text) },
            Column(title: "RECORDS", width: 7, priority: 2, field: "records") { row, _ in
                (Short.count(row.records), row.records > 0 ? .text : .dim)
            },
            Column(title: "BYTES", width: 6, priority: 6, field: "bytes") { row, _ in
                (Short.bytes(row.bytes), row.bytes > 0 ? .text : .dim)
            },
            Column(title: "IN/s", width: 5, priority: 1, field: "inRate") { row, _ in (Short.number(row.inRate), Figure.quiet(row.inRate))
            },
            Column(title: "OUT/s", width: 5, priority: 4, field: "outRate") { row, _ in
                (Short.number(row.outRate), Figure.quiet(row.outRate))
            },
            Column(title: "GRPS", width: 4, priority: 7, field: "groups") { row, _ in
                (Short.count(row.groups), row.groups > 0 ? .text : .dim)
            },
            Column(title: "LAG", width: 5, priority: 1, field: "lag") { row, _ in
                (row.groups == 0 ? "-" : Short.count(row.lag), Figure.lag(row.lag))
            },
            Column(title: "OLDEST", width: 6, priority: 8, field: "oldestMs") { row, _ in
                (row.records == 0 ? "-" : Short.duration(ms: row.oldestMs), .dim)
            },
            Column(title: "IN 60s", width: 10, priority: 9, role: .trend, maxWidth: 40) { row, width in
                (Graph.spark(row.trend, width: width, glyphs: glyphs), .graph_in)
            },
        ]
    }
}

enum GroupColumns {
    static let sortFields = ["name", "status", "lag", "behindMs", "rate", "lagRate", "etaMs", "members", "state"]

    static func all(_ glyphs: Glyphs) -> [Column<GroupRow>] {
        [
            Column(title: "GROUP", width: 14, priority: 0, role: .name, maxWidth: 60, field: "name") { row, _ in (row.group, .text) },
            Column(title: "STATUS", width: 6, priority: 1, role: .text, field: "status") { row, _ in
                (row.status.rawValue, Figure.status(row.status))
            },
            Column(title: "STATE", width: 7, priority: 8, role: .text, field: "state") { row, _ in state(row) },
            Column(title: "MEM", width: 4, priority: 6, field: "members") { row, _ in
                (Short.count(row.members), row.members > 0 ? .text : .dim)
            },
            Column(title: "LAG", width: 5, priority: 1, field: "lag") { row, _ in (Short.count(row.lag), Figure.lag(row.lag)) },
            Column(title: "BEHIND", width: 6, priority: 2, field: "behindMs") { row, _ in
                (Short.duration(ms: row.behindMs), Figure.behind(row.behindMs))
            },
            Column(title: "RATE", width: 5, priority: 5, field: "rate") { row, _ in (Short.number(row.rate), Figure.quiet(row.rate)) },
            Column(title: "NET/s", width: 6, priority: 4, field: "lagRate") { row, _ in
                (Short.net(row.lagRate), Figure.net(row.lagRate, lag: row.lag))
            },
            Column(title: "ETA", width: 5, priority: 3, field: "etaMs") { row, _ in eta(row) },
            Column(title: "TREND 5m", width: 10, priority: 9, role: .trend, maxWidth: 60) { row, width in
                (Graph.spark(row.trend, width: width, glyphs: glyphs), .trend)
            },
            Column(title: "TOPICS", width: 12, priority: 10, role: .text, maxWidth: 40) { row, _ in
                (row.topics.joined(separator: " "), .dim)
            },
        ]
    }

    /// `billing@orders`, `etl@orders +2`.
    static func subject(_ row: GroupRow) -> String {
        guard let first = row.topics.first else { return row.group }
        return row.topics.count == 1 ? "\(row.group)@\(first)" : "\(row.group)@\(first) +\(row.topics.count - 1)"
    }

    static func eta(_ row: GroupRow) -> (String, ThemeKey) {
        let text = Short.eta(ms: row.etaMs, drains: row.drains, lag: row.lag)
        return (text, Figure.eta(text))
    }

    /// Kafka's states in seven letters.
    static func state(_ row: GroupRow) -> (String, ThemeKey) {
        switch row.state {
        case "Stable": ("stable", .text)
        case "Empty": ("empty", .dim)
        case "PreparingRebalance", "CompletingRebalance": ("rebal.", .warn)
        case "Dead": ("dead", .dim)
        default: (row.state.lowercased(), .text)
        }
    }
}

enum PartitionColumns {
    static let all: [Column<PartitionRow>] = [
        Column(title: "P", width: 5, priority: 0) { row, _ in (String(row.partition), .text) },
        Column(title: "START", width: 12, priority: 2) { row, _ in (String(row.start), .dim) },
        Column(title: "END", width: 12, priority: 1) { row, _ in (String(row.end), .text) },
        Column(title: "RECORDS", width: 8, priority: 3) { row, _ in
            (Short.count(row.end - row.start), row.end > row.start ? .text : .dim)
        },
        Column(title: "BYTES", width: 7, priority: 4) { row, _ in (Short.bytes(row.bytes), .text) },
        Column(title: "IN/s", width: 6, priority: 1) { row, _ in (Short.number(row.inRate), Figure.quiet(row.inRate)) },
    ]
}

enum ConfigColumns {
    static let all: [Column<ConfigRow>] = [
        Column(title: "SETTING", width: 28, priority: 0, role: .name, maxWidth: 44) { row, _ in (row.name, row.isDefault ? .dim : .text) },
        Column(title: "VALUE", width: 20, priority: 1, role: .text, maxWidth: 60) { row, _ in (row.value, row.isDefault ? .dim : .title) },
        Column(title: "", width: 8, priority: 2, role: .text) { row, _ in (row.isDefault ? "default" : "set", .dim) },
    ]
}

enum MemberColumns {
    static let all: [Column<MemberRow>] = [
        Column(title: "CLIENT", width: 18, priority: 0, role: .name, maxWidth: 40) { row, _ in (row.client, .text) },
        Column(title: "HOST", width: 16, priority: 2, role: .text, maxWidth: 30) { row, _ in (row.host, .text) },
        Column(title: "PARTITIONS", width: 10, priority: 1) { row, _ in
            (Short.count(row.partitions), row.partitions > 0 ? .text : .warn)
        },
        Column(title: "MEMBER ID", width: 20, priority: 3, role: .text, maxWidth: 80) { row, _ in (row.id, .dim) },
    ]
}

/// A partition of a group with its share of the group's lag.
struct SharedPartition {
    var row: GroupPartitionRow
    /// 0…1; nil where the lag is unknown.
    var share: Double?
}

enum GroupPartitionColumns {
    static func all(_ glyphs: Glyphs, hasTopics: Bool) -> [Column<SharedPartition>] {
        var columns: [Column<SharedPartition>] = [
            Column(title: "P", width: 4, priority: 0) { item, _ in (String(item.row.partition), .text) },
            Column(title: "END", width: 9, priority: 7) { item, _ in (item.row.end.map(String.init) ?? Short.unknown, .dim) },
            Column(title: "COMMIT", width: 9, priority: 6) { item, _ in (item.row.committed.map(String.init) ?? "none", .text) },
            Column(title: "LAG", width: 5, priority: 1) { item, _ in (Short.count(item.row.lag), Figure.lag(item.row.lag)) },
            Column(title: "BEHIND", width: 6, priority: 1) { item, _ in
                (Short.duration(ms: item.row.behindMs), Figure.behind(item.row.behindMs))
            },
            Column(title: "IN/s", width: 5, priority: 5) { item, _ in (Short.number(item.row.inRate), Figure.quiet(item.row.inRate)) },
            Column(title: "OUT/s", width: 5, priority: 4) { item, _ in (Short.number(item.row.outRate), Figure.quiet(item.row.outRate)) },
            Column(title: "ETA", width: 5, priority: 2) { item, _ in
                let text = Short.eta(ms: item.row.etaMs, drains: item.row.drains, lag: item.row.lag)
                return (text, Figure.eta(text))
            },
            Column(title: "STATUS", width: 6, priority: 1, role: .text) { item, _ in
                (item.row.status.rawValue, Figure.status(item.row.status))
            },
            Column(title: "MEMBER", width: 10, priority: 3, role: .text, maxWidth: 24) { item, _ in
                (item.row.member ?? "none", item.row.member == nil ? .warn : .text)
            },
            Column(title: "SHARE OF LAG", width: 12, priority: 8, role: .trend, maxWidth: 30) { item, width in share(item, width, glyphs) },
        ]
        if hasTopics {
            columns.insert(
                Column(title: "TOPIC", width: 10, priority: 2, role: .name, maxWidth: 40) { item, _ in (item.row.topic, .text) }, at: 0)
        }
        return columns
    }

    private static func share(_ item: SharedPartition, _ width: Int, _ glyphs: Glyphs) -> (String, ThemeKey) {
        guard let share = item.share, share > 0 else { return ("", .dim) }
        let percent = "\(Int((share * 100).rounded()))%"
        return (Graph.bar(share, width: width - 5, glyphs: glyphs) + " " + percent, .bar)
    }
}
