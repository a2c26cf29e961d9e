import Control
import Terminal

/// Draws a model: a pure function of model, size (the model's) and theme.
public enum Frame {
    public static func draw(_ model: ConsoleModel, theme: Theme) -> Canvas {
        var painter = Painter(size: model.size, theme: theme)
        let layout = Layout(size: model.size)
        guard let snapshot = model.shown else {
            waiting(model, on: &painter)
            return painter.canvas
        }
        if layout.isTiny {
            TinyScreen.draw(model, snapshot, on: &painter)
            DialogView.draw(model, on: &painter)
            return painter.canvas
        }
        header(model, snapshot, on: &painter)
        tabLine(model, on: &painter)
        crumb(model, snapshot, on: &painter)
        switch model.screen {
        case .overview: OverviewScreen.draw(model, snapshot, on: &painter)
        case .topics: TopicsScreen.draw(model, snapshot, on: &painter)
        case .groups: GroupsScreen.draw(model, snapshot, on: &painter)
        case .log: LogScreen.draw(model, on: &painter)
        }
        if !model.link.isLive {
            // What is old is dim, whatever it meant.
            let dim = painter.style(.dim)
            painter.canvas.restyle(layout.body) { _ in dim }
        }
        statusLine(model, snapshot, on: &painter)
        Footer.draw(model, on: &painter)
        PaletteView.draw(model, on: &painter)
        HelpView.draw(model, on: &painter)
        DialogView.draw(model, on: &painter)
        return painter.canvas
    }

    /// Before the first answer.
    private static func waiting(_ model: ConsoleModel, on painter: inout Painter) {
        let y = model.size.rows / 2
        func line(_ text: String, _ row: Int, _ key: ThemeKey) {
            painter.text(text, x: max(0, (model.size.columns - CharacterWidth.of(text)) / 2), y: row, key)
        }
        line("weir", y - 1, .title)
        if case .stale(_, let attempt, let retryMs, let reason) = model.link {
            line(reason, y, .warn)
            let seconds = max(0, (retryMs - model.nowMs + 999) / 1000)
            line("try \(attempt + 1) in \(seconds)s   r now   q quit", y + 1, .dim)
        } else if case .attached(let target) = model.mode {
            line("connecting to \(target)", y, .dim)
        } else {
            line("starting", y, .dim)
        }
        DialogView.draw(model, on: &painter)
    }

    // MARK: header

    private static func header(_ model: ConsoleModel, _ snapshot: Snapshot, on painter: inout Painter) {
        let (broker, totals) = (snapshot.broker, snapshot.totals)
        let wide = model.size.columns
        painter.canvas.fill(Rect(x: 0, y: 0, width: wide, height: 1), style: painter.style(.header))
        let bar = (" \(painter.glyphs.vertical) ", ThemeKey.dim)
        let mode: String
        switch model.mode {
        case .embedded: mode = "embedded"
        case .attached(let target): mode = target.isEmpty ? "attached" : "attached \(target)"
        }
        var spans: [(String, ThemeKey)] = [
            (" weir ", .dim), (broker.name, .header), (wide >= 100 ? " \(mode)" : "", .dim), (" up ", .dim),
            (Short.duration(ms: broker.uptimeMs), .text), bar,
            ("in ", .dim), (Short.number(totals.inRate) + "/s", .graph_in), (" out ", .dim),
            (Short.number(totals.outRate) + "/s", .graph_out),
            bar, ("lag ", .dim), (Short.count(totals.lag), Figure.lag(totals.lag)), bar,
        ]
        let urgent = snapshot.attention.count { $0.severity != .info }
        let isCritical = snapshot.attention.contains { $0.severity == .crit }
        spans.append(("!\(urgent)", isCritical ? .crit : urgent > 0 ? .warn : .dim))
        if wide >= 120 {
            spans += [bar, ("conns ", .dim), (Short.count(totals.connections), .text)]
            if let cpu = broker.cpuCores { spans += [("  cpu ", .dim), (Short.number(cpu * 100) + "%", .text)] }
            if let resident = broker.residentBytes { spans += [("  mem ", .dim), (Short.bytes(resident), .text)] }
            if totals.errors > 0 { spans += [("  errors ", .dim), (Short.count(totals.errors), .warn)] }
        }
        let right = standing(model, snapshot)
        let room = wide - right.reduce(1) { $0 + CharacterWidth.of($1.0) }
        painter.spans(spans, x: 0, y: 0, limit: room - 1)
        painter.spans(right, x: room, y: 0)
    }

    /// The right end of the header: lost, frozen, writable, and the time of what is shown.
    private static func standing(_ model: ConsoleModel, _ snapshot: Snapshot) -> [(String, ThemeKey)] {
        var spans: [(String, ThemeKey)] = []
        if case .stale(let since, let attempt, let retryMs, _) = model.link {
            let seconds = max(0, (retryMs - model.nowMs + 999) / 1000)
            spans += [
                (" STALE \(Short.duration(ms: (model.nowMs - since) / 1000 * 1000)), retry \(attempt) in \(seconds)s (r now) ", .stale),
                (" ", .text),
            ]
        }
        if model.isFrozen, let live = model.live {
            let back = live.broker.nowMs - snapshot.broker.nowMs
            spans += [(" FROZEN -\(Short.duration(ms: back)) ", .frozen), (" ", .text)]
        }
        spans.append((model.isReadOnly ? "RO" : "RW", model.isReadOnly ? .warn : .dim))
        spans.append((" \(Short.clock(ms: snapshot.broker.nowMs, offset: model.utcOffset))", .header))
        return spans
    }

    // MARK: tabs and crumb

    struct Tab {
        var screen: ScreenID
        var text: String
        var range: Range<Int>
    }

    static func tabs(_ model: ConsoleModel) -> [Tab] {
        var x = 1
        return ScreenID.allCases.compactMap { screen in
            guard screen.digit != nil || screen == model.screen else { return nil }
            let label = screen.digit.map { "\($0) \(screen.title)" } ?? screen.title
            let text = screen == model.screen ? "[\(label)]" : " \(label) "
            defer { x += text.count + 1 }
            return Tab(screen: screen, text: text, range: x..<(x + text.count))
        }
    }

    private static func tabLine(_ model: ConsoleModel, on painter: inout Painter) {
        let y = Layout(size: model.size).tabsY
        for tab in tabs(model) {
            painter.text(tab.text, x: tab.range.lowerBound, y: y, tab.screen == model.screen ? .tab : .text)
        }
    }

    private static func crumb(_ model: ConsoleModel, _ snapshot: Snapshot, on painter: inout Painter) {
        let y = Layout(size: model.size).crumbY
        if let prompt = model.prompt, case .filter = prompt.kind {
            let x = painter.spans([(" /", .prompt)], x: 0, y: y)
            PaletteView.input(prompt.editor, x: x, y: y, width: model.size.columns - x - 24, on: &painter)
            let page =
                model.screen == .topics
                ? (snapshot.topics.matched, snapshot.topics.total) : (snapshot.groups.matched, snapshot.groups.total)
            if model.screen != .log {
                let text = "\(Short.exact(Int64(page.0))) of \(Short.exact(Int64(page.1))) "
                painter.right(text, right: model.size.columns, y: y, width: 22, .dim)
            }
            return
        }
        painter.spans(crumbSpans(model, snapshot), x: 1, y: y)
    }

    private static func crumbSpans(_ model: ConsoleModel, _ snapshot: Snapshot) -> [(String, ThemeKey)] {
        var spans: [(String, ThemeKey)] = [(snapshot.broker.name, .breadcrumb)]
        func path(_ text: String) { spans += [(" > ", .dim), (text, .breadcrumb)] }
        path(model.screen.title.lowercased())
        switch model.screen {
        case .topics:
            if let opened = model.topics.opened {
                path(opened)
                path(model.detailTabs[model.topics.tab])
            } else {
                spans += listSpans(model.topics.list, snapshot.topics.matched, snapshot.topics.total, "topic")
            }
        case .groups:
            if let opened = model.groups.opened {
                path(opened)
                path(model.detailTabs[model.groups.tab])
                spans.append(("   behind = age of the next unread record", .dim))
            } else {
                spans += listSpans(model.groups.list, snapshot.groups.matched, snapshot.groups.total, "group")
            }
        case .overview:
            let totals = snapshot.totals
            var counts = "   \(Short.counted(totals.topics, "topic")), \(Short.counted(totals.groups, "group"))"
            if model.size.columns >= 100 {
                counts += ", \(Short.counted(totals.partitions, "partition")), \(Short.counted(totals.connections, "connection"))"
            }
            spans.append((counts, .dim))
        case .log: if !model.log.filter.isEmpty { spans += [("   filter ", .dim), (model.log.filter, .prompt)] }
        }
        if model.screen == .overview {
            let doors = [snapshot.broker.kafka.map { "kafka \($0)" }, snapshot.broker.http.map { "http \($0)" }].compactMap { $0 }
            let shown = model.size.columns >= 110 ? doors : Array(doors.prefix(1))
            if !shown.isEmpty { spans.append(("   " + shown.joined(separator: "  "), .dim)) }
        }
        return spans
    }

    private static func listSpans(_ list: ListState, _ matched: Int, _ total: Int, _ noun: String) -> [(String, ThemeKey)] {
        var spans: [(String, ThemeKey)] = []
        if list.filter.isEmpty {
            spans.append(("   \(Short.counted(total, noun))", .dim))
        } else {
            spans += [
                ("   filter ", .dim), (list.filter, .prompt), ("  \(Short.exact(Int64(matched))) of \(Short.exact(Int64(total)))", .dim),
            ]
        }
        spans.append(("   sort \(list.sort)\(list.isDescending ? " desc" : "")", .dim))
        if !list.marks.isEmpty { spans.append(("   \(list.marks.count) marked", .mark)) }
        return spans
    }

    // MARK: status

    private static func statusLine(_ model: ConsoleModel, _ snapshot: Snapshot, on painter: inout Painter) {
        let y = Layout(size: model.size).statusY
        if let status = model.status {
            painter.text(status.note.text, x: 1, y: y, width: model.size.columns - 2, status.note.key)
        } else if case .stale(_, _, _, let reason) = model.link {
            painter.text(reason, x: 1, y: y, width: model.size.columns - 2, .warn)
        } else if let event = snapshot.events.last, snapshot.broker.nowMs - event.atMs < 60_000 {
            let key: ThemeKey = event.level == "error" ? .crit : event.level == "warning" ? .warn : .dim
            painter.spans(
                [(Short.clock(ms: event.atMs, offset: model.utcOffset) + "  ", .dim), (event.text, key)], x: 1, y: y,
                limit: model.size.columns - 1)
        }
    }
}

/// Below 60×15: one line per problem, whatever the size.
enum TinyScreen {
    static func draw(_ model: ConsoleModel, _ snapshot: Snapshot, on painter: inout Painter) {
        let totals = snapshot.totals
        var y = 0
        func line(_ spans: [(String, ThemeKey)]) {
            painter.spans(spans, x: 0, y: y)
            y += 1
        }
        if !model.link.isLive { line([("STALE \(Short.duration(ms: model.nowMs - snapshot.broker.nowMs))", .stale)]) }
        line([
            ("in ", .dim), (Short.number(totals.inRate), .graph_in), (" out ", .dim), (Short.number(totals.outRate), .graph_out),
            (" lag ", .dim), (Short.count(totals.lag), Figure.lag(totals.lag)),
            (" \(Short.clock(ms: snapshot.broker.nowMs, offset: model.utcOffset))", .dim),
        ])
        for problem in snapshot.attention where y < model.size.rows {
            line([
                (problem.severity.rawValue + " ", OverviewScreen.severity(problem.severity)), (problem.subject + " ", .text),
                (problem.text, .dim),
            ])
        }
        if snapshot.attention.isEmpty { line([("all is well", .ok)]) }
    }
}
