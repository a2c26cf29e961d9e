import Control
import Terminal

/// The list of queues and share groups; of one queue its messages, consumers, partitions, attempts, settings and what can be undone.
enum QueuesScreen {
    static func draw(_ model: ConsoleModel, _ snapshot: Snapshot, on painter: inout Painter) {
        let layout = model.layout.browse(isOpened: model.isDetailOpened)
        if let rect = layout.list { list(model, snapshot, rect, on: &painter) }
        if let rect = layout.detail { detail(model, snapshot, rect, on: &painter) }
        if let rect = layout.graph { graph(model, rect, on: &painter) }
    }

    private static func list(_ model: ConsoleModel, _ snapshot: Snapshot, _ rect: Rect, on painter: inout Painter) {
        let state = model.queues.list
        let empty = model.emptyNote(
            (snapshot.queues.matched, snapshot.queues.total), noun: "queue",
            hint: "No queues. A declares one; so does a topic with queue=true, or a share group on any topic.")
        ListPanel.draw(
            snapshot.queues, columns: model.visible(QueueColumns.all(painter.glyphs), of: .queues), list: state,
            look: .init(title: "Queues", isFocused: true, empty: empty, sort: state.sort, isDescending: state.isDescending), rect: rect,
            on: &painter
        ) { ($0.name, $0.alarm) }
    }

    private static func detail(_ model: ConsoleModel, _ snapshot: Snapshot, _ rect: Rect, on painter: inout Painter) {
        let name = model.selectedQueue ?? ""
        let isGone = snapshot.queue == nil && model.answered?.queue == name && model.link.isLive
        let look = DetailPanel.Look(title: name, isGone: isGone, noun: "queue")
        let found = model.queueDetail
        guard let inner = DetailPanel.frame(model, look: look, hasDetail: found != nil, rect: rect, on: &painter), let detail = found
        else { return }
        summary(detail, x: inner.x + 3, y: inner.y, width: inner.width - 4, on: &painter)
        table(model, detail, DetailPanel.table(inner), on: &painter)
        policy(detail, x: inner.x + 3, y: inner.maxY - 1, width: inner.width - 4, on: &painter)
    }

    private static func table(_ model: ConsoleModel, _ detail: QueueDetail, _ rect: Rect, on painter: inout Painter) {
        let (state, isOpened) = (model.queues.detail, model.isDetailOpened)
        // The preview shows who works on it; messages are fetched for an opened queue only.
        switch isOpened ? model.queues.tab : 1 {
        case 0:
            let page = model.messagesPage
            let hint =
                detail.row.waiting > 0 ? "None is ready; \(Short.exact(detail.row.waiting)) wait (5 Delay)." : "Empty. W writes a message."
            let empty = MessageList.empty(model, isAnswered: page != nil, hint: hint)
            MessageList.draw(
                model, page, columns: model.visible(MessageColumns.queue(nowMs: model.shownMs), of: .messages),
                look: .init(title: "", isFocused: true, empty: empty), rect: rect, on: &painter)
        case 1:
            ListPanel.drawRows(
                detail.consumers, columns: ConsumerColumns.all, list: state, isFocused: isOpened,
                empty: noConsumers(detail.row), rect: rect, on: &painter
            ) { ConsumerColumns.isStuck($0) ? .warn : nil }
        case 2:
            ListPanel.drawRows(
                detail.partitions, columns: QueuePartitionColumns.all, list: state, isFocused: isOpened, empty: "No partitions.",
                rect: rect, on: &painter)
        case 3:
            ListPanel.drawRows(
                detail.attempts, columns: AttemptColumns.all, list: state, isFocused: isOpened, empty: "No delivery in the last hour.",
                rect: rect, on: &painter)
        case 4:
            ListPanel.drawRows(
                detail.configs, columns: ConfigColumns.all, list: state, isFocused: isOpened, empty: "All settings are the broker's.",
                rect: rect, on: &painter)
        default:
            ListPanel.drawRows(
                detail.undos, columns: UndoColumns.all(offset: model.utcOffset, nowMs: model.shownMs), list: state, isFocused: isOpened,
                empty: "Nothing to undo.", rect: rect, on: &painter)
        }
    }

    private static func noConsumers(_ row: QueueRow) -> String {
        if row.isDeadLetter { return "No consumers. R redrives these messages." }
        return row.ready > 0 ? "No consumers: nobody takes these messages." : "No consumers."
    }

    private static func summary(_ detail: QueueDetail, x: Int, y: Int, width: Int, on painter: inout Painter) {
        let row = detail.row
        let (state, look) = QueueColumns.state(row)
        let gate = row.held && row.blocked ? "delivery held, publishing blocked" : row.held ? "delivery held" : "publishing blocked"
        var spans: [(String, ThemeKey)] = [
            (row.held || row.blocked ? gate : state, look), ("  ready ", .dim),
            (Short.exact(row.ready), QueueColumns.figure(row.ready, .ready)),
            ("  unack ", .dim), (Short.count(row.unacked), QueueColumns.figure(row.unacked, .unacked)),
            ("  delay ", .dim), (Short.count(row.delayed), QueueColumns.figure(row.delayed, .delayed)),
            ("  retry ", .dim), (Short.count(row.retrying), QueueColumns.figure(row.retrying, .retry)),
            ("  died ", .dim), (Short.count(row.dead), QueueColumns.figure(row.dead, .dead)),
        ]
        if row.dropped > 0 { spans += [("  dropped ", .dim), (Short.count(row.dropped), .crit)] }
        if row.refused > 0 { spans += [("  refused ", .dim), (Short.count(row.refused), .warn)] }
        spans += [("  net ", .dim), (Short.net(row.netRate) + "/s", Figure.net(row.netRate, lag: row.ready))]
        painter.spans(spans, x: x, y: y, limit: x + width)
    }

    /// The line under the table: policy, where dead letters go, limits.
    private static func policy(_ detail: QueueDetail, x: Int, y: Int, width: Int, on painter: inout Painter) {
        var spans: [(String, ThemeKey)] = []
        func add(_ word: String, _ text: String) {
            guard !text.isEmpty else { return }
            spans += [((spans.isEmpty ? "" : "   ") + word + " ", .dim), (text, .text)]
        }
        add("policy", detail.policy)
        add("priorities", detail.priorities.map { "\($0), one a partition" } ?? "")
        add("dead letters to", detail.deadLetter ?? (detail.row.isDeadLetter ? "" : "nowhere: dropped"))
        add("limits", detail.limits)
        painter.spans(spans, x: x, y: y, limit: x + width)
    }

    private static func graph(_ model: ConsoleModel, _ rect: Rect, on painter: inout Painter) {
        guard let detail = model.queueDetail else {
            painter.panel(rect, title: "Ready")
            return
        }
        let history = detail.history
        DetailGraph.draw(
            [
                .init(title: "Ready", values: history.ready, now: Double(detail.row.ready), unit: "", key: .ready),
                .init(title: "In", values: history.inRate, now: detail.row.inRate, unit: "/s", key: .graph_in),
                .init(title: "Out", values: history.outRate, now: detail.row.outRate, unit: "/s", key: .graph_out),
            ], stepMs: history.stepMs, rect: rect, on: &painter)
    }
}
