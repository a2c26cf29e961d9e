import Control
import Terminal

/// A line of the overview's table: a queue, or a consumer group with its lag, so that whatever piles up most stands on top.
struct BacklogRow {
    var name: String
    var subject: String
    var isQueue: Bool
    var backlog: Int64?
    var unacked: Int64?
    var inRate: Double
    var outRate: Double
    var netRate: Double
    var behindMs: Int64?
    var etaMs: Int64?
    var drains: Bool
    var trend: [Double?]
    var alarm: ThemeKey?

    init(_ row: QueueRow) {
        (name, subject, isQueue) = (row.name, row.name, true)
        (backlog, unacked) = (row.ready, row.unacked)
        (inRate, outRate, netRate) = (row.inRate, row.outRate, row.netRate)
        (behindMs, etaMs, drains, trend) = (row.oldestMs, row.etaMs, row.drains, row.trend)
        alarm = row.alarm
    }

    init(_ row: GroupRow) {
        (name, subject, isQueue) = (row.group, GroupColumns.subject(row), false)
        backlog = row.lag
        (inRate, outRate, netRate) = (max(0, row.rate + row.lagRate), row.rate, row.lagRate)
        (behindMs, etaMs, drains, trend) = (row.behindMs, row.etaMs, row.drains, row.trend)
        alarm = row.status >= .rewind ? Figure.status(row.status) : nil
    }

    /// Most lines shown.
    static let limit = 50

    /// Queues (dead-letter queues apart: they are in the list above) and groups, the largest backlog first, unknown ones last.
    static func rows(_ snapshot: Snapshot) -> [BacklogRow] {
        let queues = snapshot.queues.rows.filter { !$0.isDeadLetter }.map { BacklogRow($0) }
        let all = queues + snapshot.groups.rows.map { BacklogRow($0) }
        let ordered = all.enumerated().sorted { left, right in
            let (first, second) = (left.element.backlog ?? -1, right.element.backlog ?? -1)
            return first == second ? left.offset < right.offset : first > second
        }
        return ordered.prefix(limit).map(\.element)
    }
}

enum BacklogColumns {
    static func all(_ glyphs: Glyphs, hasQueues: Bool) -> [Column<BacklogRow>] {
        var columns: [Column<BacklogRow>] = [
            Column(title: hasQueues ? "QUEUE OR GROUP" : "GROUP", width: 16, priority: 0, role: .name, maxWidth: 60) { row, _ in
                (row.subject, .text)
            },
            Column(title: hasQueues ? "READY" : "LAG", width: 5, priority: 1) { row, _ in
                (Short.count(row.backlog), Figure.lag(row.backlog))
            },
            Column(title: "IN/s", width: 5, priority: 5) { row, _ in (Short.number(row.inRate), Figure.quiet(row.inRate)) },
            Column(title: "OUT/s", width: 5, priority: 4) { row, _ in (Short.number(row.outRate), Figure.quiet(row.outRate)) },
            Column(title: "NET/s", width: 6, priority: 3) { row, _ in (Short.net(row.netRate), Figure.net(row.netRate, lag: row.backlog)) },
            Column(title: hasQueues ? "OLDEST" : "BEHIND", width: 6, priority: 2) { row, _ in
                ((row.backlog ?? 0) == 0 && row.isQueue ? "-" : Short.duration(ms: row.behindMs), Figure.behind(row.behindMs))
            },
            Column(title: "ETA", width: 5, priority: 3) { row, _ in
                let text = Short.eta(ms: row.etaMs, drains: row.drains, lag: row.backlog)
                return (text, Figure.eta(text))
            },
            Column(title: "BACKLOG", width: 10, priority: 9, role: .trend, maxWidth: 60) { row, width in
                (Graph.spark(row.trend, width: width, glyphs: glyphs), .graph_backlog)
            },
        ]
        if hasQueues {
            columns.insert(
                Column(title: "UNACK", width: 5, priority: 6) { row, _ in
                    (row.isQueue ? Short.count(row.unacked) : "-", (row.unacked ?? 0) > 0 ? .unacked : .dim)
                }, at: 2)
        }
        return columns
    }
}
