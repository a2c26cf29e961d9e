import Control
import Terminal

/// The list of consumer groups; of one group its partitions with lag in count and time, and its members.
enum GroupsScreen {
    static func draw(_ model: ConsoleModel, _ snapshot: Snapshot, on painter: inout Painter) {
        let layout = model.layout.browse(isOpened: model.groups.opened != nil)
        if let rect = layout.list { list(model, snapshot, rect, on: &painter) }
        if let rect = layout.detail { detail(model, snapshot, rect, on: &painter) }
        if let rect = layout.graph { graph(model, rect, on: &painter) }
    }

    private static func list(_ model: ConsoleModel, _ snapshot: Snapshot, _ rect: Rect, on painter: inout Painter) {
        let state = model.groups.list
        let empty = model.emptyNote(
            (snapshot.groups.matched, snapshot.groups.total), noun: "group",
            hint: "No consumer groups. One appears when a client joins or commits.")
        ListPanel.draw(
            snapshot.groups, columns: model.visible(GroupColumns.all(painter.glyphs), of: .groups), list: state,
            look: .init(title: "Groups", isFocused: true, empty: empty, sort: state.sort, isDescending: state.isDescending), rect: rect,
            on: &painter
        ) { ($0.group, $0.status >= .rewind ? Figure.status($0.status) : nil) }
    }

    private static func detail(_ model: ConsoleModel, _ snapshot: Snapshot, _ rect: Rect, on painter: inout Painter) {
        let name = model.selectedGroup ?? ""
        let isGone = snapshot.group == nil && model.answered?.group == name && model.link.isLive
        let look = DetailPanel.Look(title: name, isGone: isGone, noun: "group")
        let found = model.groupDetail
        guard let inner = DetailPanel.frame(model, look: look, hasDetail: found != nil, rect: rect, on: &painter), let detail = found
        else { return }
        summary(detail, x: inner.x + 3, y: inner.y, width: inner.width - 4, on: &painter)
        let table = DetailPanel.table(inner)
        let isOpened = model.isDetailOpened
        if model.groups.tab == 1 {
            ListPanel.drawRows(
                detail.members, columns: MemberColumns.all, list: model.groups.detail, isFocused: isOpened,
                empty: "No members: nobody reads for this group now.", rect: table, on: &painter)
            return
        }
        let rows = shared(detail.partitions)
        let hasTopics = Set(detail.partitions.map(\.topic)).count > 1
        ListPanel.drawRows(
            rows, columns: GroupPartitionColumns.all(painter.glyphs, hasTopics: hasTopics), list: model.groups.detail, isFocused: isOpened,
            empty: "Nothing committed yet.", rect: table, on: &painter
        ) { $0.row.status >= .rewind ? Figure.status($0.row.status) : nil }
        if let line = suspect(detail, offset: model.utcOffset) {
            painter.text(line.text, x: inner.x + 3, y: inner.maxY - 1, width: inner.width - 4, line.key)
        }
    }

    private static func shared(_ partitions: [GroupPartitionRow]) -> [SharedPartition] {
        let total = partitions.reduce(Int64(0)) { $0 + ($1.lag ?? 0) }
        return partitions.map { row in
            SharedPartition(row: row, share: row.lag.map { total > 0 ? Double($0) / Double(total) : 0 })
        }
    }

    /// What the worst partition suggests: the line under the table.
    static func suspect(_ detail: GroupDetail, offset: Int64) -> Note? {
        let worst = detail.partitions.filter { $0.status >= .rewind }.max { ($0.status, $0.lag ?? 0) < ($1.status, $1.lag ?? 0) }
        guard let worst, let committed = worst.committed else { return nil }
        let since = worst.movedMs.map { " since \(Short.clock(ms: $0, offset: offset))" } ?? ""
        let place = "\(worst.topic)/\(worst.partition)"
        switch worst.status {
        case .stall:
            let who = worst.member ?? "a member"
            return Note("\(who) re-commits \(committed) of \(place)\(since) without moving: suspect that message", .crit)
        case .stop:
            let waits = worst.lag.map { "\(Short.exact($0)) wait" } ?? "records wait"
            return Note("no commits on \(place)\(since) while \(waits) from \(committed)", .crit)
        case .rewind: return Note("\(place) went back to \(committed)\(since): it is read again", .warn)
        case .ok, .warn: return nil
        }
    }

    private static func summary(_ detail: GroupDetail, x: Int, y: Int, width: Int, on painter: inout Painter) {
        let row = detail.row
        let eta = GroupColumns.eta(row)
        painter.spans(
            [
                (row.status.rawValue, Figure.status(row.status)), ("  lag ", .dim),
                (row.lag.map { Short.exact($0) } ?? Short.unknown, Figure.lag(row.lag)),
                ("  behind ", .dim), (Short.duration(ms: row.behindMs), .text), ("  ETA ", .dim), eta,
                ("  net ", .dim), (Short.net(row.lagRate) + "/s", Figure.net(row.lagRate, lag: row.lag)),
                ("  \(Short.counted(row.members, "member"))  \(row.state)", .text),
                (detail.protocolName.map { "  \($0)" } ?? "", .dim),
            ], x: x, y: y, limit: x + width)
    }

    private static func graph(_ model: ConsoleModel, _ rect: Rect, on painter: inout Painter) {
        guard let detail = model.groupDetail else {
            painter.panel(rect, title: "Lag")
            return
        }
        let lag = Double(detail.row.lag ?? 0)
        DetailGraph.draw(
            [.init(title: "Lag", values: detail.row.trend, now: lag, unit: "", key: .graph_backlog)], stepMs: 5_000, rect: rect,
            on: &painter)
    }
}
