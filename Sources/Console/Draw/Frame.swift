import Control
import Terminal

/// Draws a model: a pure function of model, size (the model's) and theme.
public enum Frame {
    public static func draw(_ model: ConsoleModel, theme: Theme) -> Canvas {
        var painter = Painter(size: model.size, theme: theme)
        let layout = model.layout
        guard let snapshot = model.shown else {
            waiting(model, on: &painter)
            return painter.canvas
        }
        if layout.isTiny {
            TinyScreen.draw(model, snapshot, on: &painter)
            TinyScreen.ask(model, on: &painter)
            return painter.canvas
        }
        header(model, snapshot, on: &painter)
        TabLine.draw(model, on: &painter)
        Crumb.draw(model, snapshot, on: &painter)
        body(model, snapshot, on: &painter)
        if !model.link.isLive {
            // What is old is dim, whatever it meant.
            let dim = painter.style(.dim)
            painter.canvas.restyle(layout.body) { _ in dim }
        }
        JobLine.draw(model, on: &painter)
        statusLine(model, snapshot, on: &painter)
        Footer.draw(model, on: &painter)
        PaletteView.draw(model, on: &painter)
        HelpView.draw(model, on: &painter)
        DialogView.draw(model, on: &painter)
        return painter.canvas
    }

    private static func body(_ model: ConsoleModel, _ snapshot: Snapshot, on painter: inout Painter) {
        if model.inspector != nil {
            InspectorScreen.draw(model, on: &painter)
            return
        }
        switch model.screen {
        case .overview: OverviewScreen.draw(model, snapshot, on: &painter)
        case .queues: QueuesScreen.draw(model, snapshot, on: &painter)
        case .topics: TopicsScreen.draw(model, snapshot, on: &painter)
        case .groups: GroupsScreen.draw(model, snapshot, on: &painter)
        case .delay: DelayScreen.draw(model, snapshot, on: &painter)
        case .dead: DeadScreen.draw(model, snapshot, on: &painter)
        case .clients: ClientsScreen.draw(model, snapshot, on: &painter)
        case .jobs: JobsScreen.draw(model, snapshot, on: &painter)
        case .audit: AuditScreen.draw(model, snapshot, on: &painter)
        case .log: LogScreen.draw(model, on: &painter)
        }
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
        let wide = model.size.columns
        painter.canvas.fill(Rect(x: 0, y: 0, width: wide, height: 1), style: painter.style(.header))
        let right = standing(model, snapshot)
        let room = wide - right.reduce(1) { $0 + CharacterWidth.of($1.0) }
        let parts = HeaderLine.parts(model, snapshot, glyphs: painter.glyphs)
        painter.spans(HeaderLine.fitting(parts, room: room - 1), x: 0, y: 0, limit: room - 1)
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
        if let hold = snapshot.broker.publishHold { spans += [(" HELD \(hold.cause) ", .crit), (" ", .text)] }
        if !snapshot.broker.brokenShards.isEmpty { spans += [(" BROKEN ", .crit), (" ", .text)] }
        spans.append((model.isReadOnly ? "RO" : "RW", model.isReadOnly ? .warn : .dim))
        spans.append((" \(Short.clock(ms: snapshot.broker.nowMs, offset: model.utcOffset))", .header))
        return spans
    }

    // MARK: status

    private static func statusLine(_ model: ConsoleModel, _ snapshot: Snapshot, on painter: inout Painter) {
        let y = model.layout.statusY
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

/// Below 60×15: one line per problem, whatever the size; under them what is asked, typed or answered.
enum TinyScreen {
    /// A dialog in four lines: what it asks, what is wrong or equivalent, the field that has the keys, the buttons. Otherwise the last
    /// line: what is being typed, or what the last key came to.
    static func ask(_ model: ConsoleModel, on painter: inout Painter) {
        let (width, last) = (model.size.columns, model.size.rows - 1)
        if let dialog = model.dialog {
            if DialogView.fits(dialog, model.size) { return DialogView.draw(model, on: &painter) }
            let top = max(0, last - 3)
            painter.canvas.fill(Rect(x: 0, y: top, width: width, height: last - top + 1), style: painter.style(.dialog))
            painter.text(dialog.title, x: 0, y: top, width: width, .title)
            let note = dialog.message ?? dialog.notes.last ?? dialog.commandLine.map { Note("$ " + $0, .dim) }
            if last >= 3, let note { painter.text(note.text, x: 0, y: top + 1, width: width, note.key) }
            if last >= 2, dialog.form.fields.indices.contains(dialog.form.focus) {
                var field = dialog.form
                field.fields = [dialog.form.fields[dialog.form.focus]]
                (field.fields[0].joins, field.focus) = (false, 0)
                _ = FormView.draw(field, x: 0, y: last - 1, width: width, on: &painter)
            }
            var x = 0
            for (index, button) in dialog.form.buttons.enumerated() {
                x = painter.text("[\(button.label)]", x: x, y: last, dialog.form.focusedButton == index ? .button : .text) + 1
            }
        } else if let prompt = model.prompt {
            painter.canvas.fill(Rect(x: 0, y: last, width: width, height: 1), style: painter.style(.text))
            let x = painter.spans([(prompt.kind == .palette ? ":" : "/", .prompt)], x: 0, y: last)
            PaletteView.input(prompt.editor, x: x, y: last, width: width - x, on: &painter)
        } else if model.helpTop != nil, model.size.rows >= 6 {
            HelpView.draw(model, on: &painter)
        } else if let status = model.status {
            painter.canvas.fill(Rect(x: 0, y: last, width: width, height: 1), style: painter.style(.text))
            painter.text(status.note.text, x: 0, y: last, width: width, status.note.key)
        }
    }

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
            (totals.queues > 0 ? " ready " : " lag ", .dim),
            (Short.count(totals.queues > 0 ? totals.ready : totals.lag), Figure.lag(totals.queues > 0 ? totals.ready : totals.lag)),
            (totals.dead > 0 ? " dead \(Short.count(totals.dead))" : "", .dead),
            (" \(Short.clock(ms: snapshot.broker.nowMs, offset: model.utcOffset))", .dim),
        ])
        for problem in snapshot.attention where y < model.size.rows {
            let room = model.size.columns - problem.severity.rawValue.count - problem.subject.count - 2
            line([
                (problem.severity.rawValue + " ", OverviewScreen.severity(problem.severity)), (problem.subject + " ", .text),
                (OverviewScreen.text(problem, model, room: room), .dim),
            ])
        }
        if snapshot.attention.isEmpty { line([("all is well", .ok)]) }
    }
}
