import Control
import Terminal

/// The list of dead-letter queues; of one the reasons, grouped, and its messages.
enum DeadScreen {
    static func draw(_ model: ConsoleModel, _ snapshot: Snapshot, on painter: inout Painter) {
        if model.isDetailOpened {
            opened(model, snapshot, on: &painter)
            return
        }
        let layout = model.layout.browse(isOpened: false)
        if let rect = layout.list { list(model, snapshot, rect, on: &painter) }
        if let rect = layout.detail {
            let title = model.selectedDeadQueue.map { "Why: \($0)" } ?? "Why"
            why(model, title: title, isFocused: false, rect, on: &painter)
        }
        if let rect = layout.graph { newest(model, rect, on: &painter) }
    }

    private static func list(_ model: ConsoleModel, _ snapshot: Snapshot, _ rect: Rect, on painter: inout Painter) {
        let state = model.dead.list
        let empty = model.emptyNote(
            (snapshot.deadQueues.matched, snapshot.deadQueues.total), noun: "dead-letter queue",
            hint: "No dead letters. They come here when retries are used up; 2 shows the queues.")
        ListPanel.draw(
            snapshot.deadQueues, columns: model.visible(DeadColumns.queues, of: .dead), list: state,
            look: .init(title: "Dead letters", isFocused: true, empty: empty, sort: state.sort, isDescending: state.isDescending),
            rect: rect, on: &painter
        ) { ($0.name, $0.messages > 0 ? .dead : nil) }
    }

    private static func why(
        _ model: ConsoleModel, title: String, isFocused: Bool, _ rect: Rect, on painter: inout Painter
    ) {
        let detail = model.deadDetail
        let inner = painter.panel(
            rect, title: title, isFocused: isFocused,
            remark: detail.map(remark) ?? "")
        guard let detail else { return }
        ListPanel.drawRows(
            detail.reasons,
            columns: DeadColumns.reasons(painter.glyphs, detail.row, offset: model.utcOffset),
            list: model.dead.detail, isFocused: isFocused,
            empty: empty(detail.row), rect: inner, on: &painter)
    }

    private static func empty(_ row: DeadQueueRow) -> String {
        if row.unread > 0 { return "Reasons are being read…" }
        guard let ms = row.lastInMs else { return "It is empty: nothing died, or all was sent on." }
        let sources = row.sources.isEmpty ? "" : " (\(row.sources.joined(separator: ", ")))"
        return "It is empty. The last one came \(Short.duration(ms: ms)) ago\(sources)."
    }

    private static func remark(_ detail: DeadDetail) -> String {
        if detail.row.unread > 0 { return "counting: \(Short.exact(detail.row.unread)) not read yet" }
        return detail.otherReasons > 0 ? "\(Short.exact(detail.otherReasons)) of other reasons" : ""
    }

    private static func opened(_ model: ConsoleModel, _ snapshot: Snapshot, on painter: inout Painter) {
        let layout = model.layout.dead
        let name = model.dead.opened ?? ""
        if snapshot.dead == nil, model.answered?.dead?.queue == name, model.link.isLive {
            let inner = painter.panel(layout.why, title: name, isFocused: true)
            painter.text("There is no dead-letter queue \(name) now. Esc goes back.", x: inner.x + 3, y: inner.y, .dim)
            painter.panel(layout.messages, title: "")
            return
        }
        why(model, title: "Why", isFocused: model.dead.tab == 0, layout.why, on: &painter)
        messages(model, isFocused: model.dead.tab == 1, layout.messages, on: &painter)
    }

    private static func messages(_ model: ConsoleModel, isFocused: Bool, _ rect: Rect, on painter: inout Painter) {
        let page = model.deadDetail?.messages
        let empty = MessageList.empty(model, isAnswered: page != nil, hint: "Empty. Dead letters come here when retries are used up.")
        let look = ListPanel.Look(title: "Messages, newest first", isFocused: isFocused, empty: empty)
        let inner = painter.panel(
            rect, title: look.title, isFocused: isFocused,
            remark: ListPanel.remark(model.dead.messages, page?.matched ?? 0, rect.height - 3))
        MessageList.draw(
            model, page, columns: model.visible(MessageColumns.dead(nowMs: model.shownMs, offset: model.utcOffset), of: .deadMessages),
            look: look, rect: inner, on: &painter)
    }

    /// The newest dead letters of the queue under the cursor, where there is room.
    private static func newest(_ model: ConsoleModel, _ rect: Rect, on painter: inout Painter) {
        let inner = painter.panel(rect, title: "Newest")
        ListPanel.drawRows(
            model.deadDetail?.messages.rows ?? [], columns: MessageColumns.dead(nowMs: model.shownMs, offset: model.utcOffset),
            list: ListState(), isFocused: false, empty: "", rect: inner, on: &painter)
    }
}

enum DeadColumns {
    static let sortFields = ["name", "messages", "perMinute", "oldestMs", "newestMs"]

    static let queues: [Column<DeadQueueRow>] = [
        Column(title: "NAME", width: 14, priority: 0, role: .name, maxWidth: 24, field: "name") { row, _ in (row.name, .text) },
        Column(title: "MESSAGES", width: 8, priority: 1, field: "messages") { row, _ in
            (Short.count(row.messages), QueueColumns.figure(row.messages, .dead))
        },
        Column(title: "/MIN", width: 5, priority: 2, field: "perMinute") { row, _ in
            (Short.net(row.perMinute), row.perMinute > 0 ? .crit : row.perMinute < 0 ? .ok : .dim)
        },
        Column(title: "NEWEST", width: 6, priority: 4, field: "newestMs") { row, _ in (age(row.newestMs, row), .text) },
        Column(title: "OLDEST", width: 6, priority: 5, field: "oldestMs") { row, _ in (age(row.oldestMs, row), .dim) },
        Column(title: "MOST", width: 4, priority: 3) { row, _ in
            (share(row), .text)
        },
        Column(title: "REASON", width: 16, priority: 3, role: .text, maxWidth: 48) { row, _ in
            row.topReason.map { ($0, .dead) } ?? (row.unread > 0 ? ("counting…", .dim) : ("-", .dead))
        },
        Column(title: "FROM", width: 10, priority: 6, role: .text, maxWidth: 40) { row, _ in (row.sources.joined(separator: " "), .dim) },
    ]

    private static func age(_ ms: Int64?, _ row: DeadQueueRow) -> String {
        ms.map { Short.duration(ms: $0) } ?? (row.messages > 0 ? Short.unknown : "-")
    }

    /// `71%`; `62%+` while some are not read yet: at least so many.
    static func share(_ row: DeadQueueRow) -> String {
        guard let share = row.topShare else { return row.messages > 0 ? Short.unknown : "-" }
        return row.unread > 0 ? "\(Int(share * 100))%+" : "\(Int((share * 100).rounded()))%"
    }

    /// While reasons are being read, a count is followed by `+` and nobody knows its share.
    static func reasons(_ glyphs: Glyphs, _ queue: DeadQueueRow, offset: Int64) -> [Column<DeadReasonRow>] {
        let isWhole = queue.unread == 0
        return [
            Column(title: "REASON (grouped)", width: 20, priority: 0, role: .name, maxWidth: 80) { row, _ in (row.reason, .text) },
            Column(title: "N", width: 6, priority: 1) { row, _ in (Short.count(row.count) + (isWhole ? "" : "+"), .dead) },
            Column(title: "SHARE", width: 12, priority: 5, role: .trend, maxWidth: 12) { row, width in
                guard isWhole else { return (Short.unknown, .dim) }
                let share = queue.messages > 0 ? Double(row.count) / Double(queue.messages) : 0
                return (Graph.bar(share, width: width - 5, glyphs: glyphs) + " \(Int((share * 100).rounded()))%", .dead)
            },
            Column(title: "FIRST", width: 8, priority: 3, role: .text) { row, _ in (clock(row.firstMs, offset), .dim) },
            Column(title: "LAST", width: 8, priority: 2, role: .text) { row, _ in (clock(row.lastMs, offset), .text) },
            Column(title: "ORIGIN", width: 12, priority: 4, role: .text, maxWidth: 40) { row, _ in
                (row.origins.joined(separator: " "), .text)
            },
        ]
    }

    private static func clock(_ ms: Int64?, _ offset: Int64) -> String { ms.map { Short.clock(ms: $0, offset: offset) } ?? "-" }
}
