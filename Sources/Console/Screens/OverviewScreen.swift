import Control
import Terminal

/// Graphs, what needs attention, and the largest backlogs.
enum OverviewScreen {
    static func draw(_ model: ConsoleModel, _ snapshot: Snapshot, on painter: inout Painter) {
        let layout = model.layout.overview
        if !layout.throughput.isEmpty { throughput(model, snapshot, layout.throughput, on: &painter) }
        if !layout.backlog.isEmpty { BacklogGraph.draw(model, snapshot, layout.backlog, on: &painter) }
        attention(model, snapshot, layout.attention, on: &painter)
        table(model, snapshot, layout.table, on: &painter)
        if let rect = layout.events {
            let inner = painter.panel(rect, title: "Events", remark: ":log")
            LogScreen.lines(snapshot.events[...], offset: model.utcOffset, in: inner, on: &painter)
        }
        if let rect = layout.busiest { busiest(snapshot, rect, on: &painter) }
    }

    /// The topics with most traffic, where there is room for them.
    private static func busiest(_ snapshot: Snapshot, _ rect: Rect, on painter: inout Painter) {
        let inner = painter.panel(rect, title: "Busiest topics", remark: Short.counted(snapshot.totals.topics, "topic"))
        ListPanel.drawRows(
            snapshot.topics.rows, columns: TopicColumns.all(painter.glyphs), list: ListState(), isFocused: false, empty: "No topics yet.",
            rect: inner, on: &painter)
    }

    static let windowSeconds = 300

    // MARK: graphs

    private static func throughput(_ model: ConsoleModel, _ snapshot: Snapshot, _ rect: Rect, on painter: inout Painter) {
        let inner = painter.panel(rect, title: "Throughput 5m")
        let totals = snapshot.totals
        let end = snapshot.broker.nowMs
        let legend = min(16, max(12, inner.width / 4))
        let area = Rect(x: inner.x + 5, y: inner.y, width: inner.width - 5 - legend - 1, height: inner.height)
        let columns = Graph.columns(width: area.width, glyphs: painter.glyphs)
        func series(_ field: KeyPath<HistoryStore.Point, Double?>) -> [Double?] {
            model.history.series(field, endMs: end, seconds: windowSeconds, columns: columns)
        }
        let (ins, outs) = (series(\.inRate), series(\.outRate))
        let top = Graph.axisTop((ins + outs).compactMap { $0 }.max() ?? 0)
        let upper = (area.height - 1) / 2
        let lower = area.height - 1 - upper
        let isMirrored = painter.glyphs.level == .braille
        Graph.area(ins, in: Rect(x: area.x, y: area.y, width: area.width, height: upper), top: top, key: .graph_in, on: &painter)
        let base = area.y + upper
        for x in area.x..<max(area.x, area.maxX) {
            painter.canvas[x, base] = Cell(painter.glyphs.horizontal, style: painter.style(.border))
        }
        Graph.area(
            outs, in: Rect(x: area.x, y: base + 1, width: area.width, height: lower), top: top, key: .graph_out, isDown: isMirrored,
            on: &painter)
        painter.right(Short.axis(top), right: area.x - 1, y: area.y, width: 5, .dim)
        painter.right("0", right: area.x - 1, y: base, width: 5, .dim)
        if isMirrored, lower > 1 { painter.right(Short.axis(top), right: area.x - 1, y: area.maxY - 1, width: 5, .dim) }
        let x = area.maxX + 1
        rates("in", totals.inRate, totals.inBytesRate, totals.inPeak, .graph_in, x: x, y: area.y, rows: upper, on: &painter)
        rates("out", totals.outRate, totals.outBytesRate, totals.outPeak, .graph_out, x: x, y: base + 1, rows: lower, on: &painter)
    }

    private static func rates(
        _ word: String, _ rate: Double, _ bytes: Double, _ peak: Double, _ key: ThemeKey, x: Int, y: Int, rows: Int,
        on painter: inout Painter
    ) {
        painter.spans([(padded(word, 4), .dim), (Short.number(rate) + "/s", key)], x: x, y: y)
        if rows > 1 { painter.spans([(padded("pk", 4), .dim), (Short.number(peak), .text)], x: x, y: y + 1) }
        if rows > 2 { painter.spans([(padded("", 4), .dim), (Short.bytes(Int64(bytes)) + "/s", .dim)], x: x, y: y + 2) }
    }

    static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }

    // MARK: lists

    static func severity(_ severity: Attention.Severity) -> ThemeKey {
        switch severity {
        case .crit: .crit
        case .warn: .warn
        case .info: .info
        }
    }

    private static func attention(_ model: ConsoleModel, _ snapshot: Snapshot, _ rect: Rect, on painter: inout Painter) {
        let lines = snapshot.attention
        let isFocused = model.overview.pane == .attention
        let inner = painter.panel(
            rect, title: "Needs attention (worst first)", isFocused: isFocused,
            remark: lines.count > rect.height - 2 ? "\(lines.count)" : "")
        guard !lines.isEmpty else {
            let text =
                snapshot.totals.topics == 0
                ? "Nothing yet. A creates a topic, or point a Kafka client here." : "Nothing needs you. All is well."
            painter.text(text, x: inner.x + 3, y: inner.y, width: inner.width - 4, snapshot.totals.topics == 0 ? .dim : .ok)
            return
        }
        let state = model.overview.attention
        let subjectWidth = min(40, max(16, inner.width / 4 - 4))
        let keyWidth = inner.width >= 112 ? 20 : 5
        for row in 0..<inner.height where lines.indices.contains(state.top + row) {
            let line = lines[state.top + row]
            let y = inner.y + row
            let key = fixKey(line)
            painter.text(line.severity.rawValue, x: inner.x + 2, y: y, width: 4, severity(line.severity))
            painter.text(line.kind, x: inner.x + 7, y: y, width: 6, .dim)
            painter.text(line.subject, x: inner.x + 14, y: y, width: subjectWidth, .text)
            let x = inner.x + 15 + subjectWidth
            let room = inner.maxX - x - (key.isEmpty ? 1 : keyWidth + 1)
            painter.text(text(line, model, room: room), x: x, y: y, width: room, .text)
            painter.text(keyWidth < 20 ? String(key.prefix { $0 != " " }) : key, x: inner.maxX - keyWidth, y: y, width: keyWidth, .key)
            guard isFocused, state.top + row == state.cursor else { continue }
            painter.text(">", x: inner.x, y: y, .text)
            let selection = painter.theme[.selection]
            painter.canvas.restyle(Rect(x: inner.x, y: y, width: inner.width, height: 1)) { $0.selected(by: selection) }
        }
    }

    /// The facts, and where there is room for it since when: by the clock for a day, then in days.
    static func text(_ line: Attention, _ model: ConsoleModel, room: Int) -> String {
        guard let sinceMs = line.sinceMs else { return line.text }
        let ageMs = model.shownMs - sinceMs
        let since =
            ageMs >= 86_400_000
            ? "for \(Short.duration(ms: ageMs))" : "since \(Short.clock(ms: sinceMs, offset: model.utcOffset).prefix(5))"
        return line.text.count + 2 + since.count <= room ? "\(line.text)  \(since)" : line.text
    }

    /// The key that helps, first; on narrow screens it stands alone.
    private static func fixKey(_ line: Attention) -> String {
        switch line.screen {
        case "groups": "enter open  O reset"
        case "dead": "R redrive  enter why"
        case "queues", "topics": "enter open"
        case "delay": "5     schedule"
        default: ""
        }
    }

    /// What an earlier instant has not kept, as another screen was open then.
    private static func lost(_ model: ConsoleModel, _ snapshot: Snapshot) -> String? {
        guard model.isFrozen else { return nil }
        let totals = snapshot.totals
        let lost = [
            snapshot.queues.rows.isEmpty && totals.queues > 0 ? "queues" : nil,
            snapshot.groups.rows.isEmpty && totals.groups > 0 ? "groups" : nil,
        ].compactMap { $0 }
        return lost.isEmpty ? nil : "\(lost.joined(separator: " and ")) were not kept at this instant"
    }

    private static func table(_ model: ConsoleModel, _ snapshot: Snapshot, _ rect: Rect, on painter: inout Painter) {
        let rows = BacklogRow.rows(snapshot)
        let hasQueues = snapshot.totals.queues > 0
        let isFocused = model.overview.pane == .backlog
        let groups = Short.counted(snapshot.totals.groups, "group")
        let inner = painter.panel(
            rect, title: "Top backlog", isFocused: isFocused,
            remark: lost(model, snapshot) ?? (hasQueues ? "\(Short.counted(snapshot.totals.queues, "queue")), \(groups)" : groups))
        let layout = TableLayout(BacklogColumns.all(painter.glyphs, hasQueues: hasQueues), width: inner.width)
        layout.drawHead(x: inner.x, y: inner.y, sort: nil, isDescending: true, on: &painter)
        guard !rows.isEmpty else {
            painter.text(
                "No queue and no consumer group yet. Backlog shows here once there is one.", x: inner.x + 3, y: inner.y + 1,
                width: inner.width - 4, .dim)
            return
        }
        let state = model.overview.backlog
        for row in 0..<max(0, inner.height - 1) where rows.indices.contains(state.top + row) {
            let item = rows[state.top + row]
            layout.draw(
                item, state: RowState(isCursor: isFocused && state.top + row == state.cursor, alarm: item.alarm), x: inner.x,
                y: inner.y + 1 + row, width: inner.width, on: &painter)
        }
    }
}
