import Control
import Terminal

/// Jobs of the broker, the newest first, and what became of the messages of one.
enum JobsScreen {
    /// Lines of an opened job above its messages: what it is, what came of it, when, and what is not listed.
    static let summaryLines = 4

    static func draw(_ model: ConsoleModel, _ snapshot: Snapshot, on painter: inout Painter) {
        if let id = model.jobs.opened {
            opened(id, model, snapshot, model.layout.body, on: &painter)
            return
        }
        let layout = model.layout.browse(isOpened: false, hasGraph: false)
        if let rect = layout.list {
            let state = model.jobs.list
            let empty = model.emptyNote(
                (snapshot.jobs.matched, snapshot.jobs.total), noun: "job", hint: "No jobs. R on a dead-letter queue (6) starts a redrive.")
            ListPanel.draw(
                snapshot.jobs, columns: model.visible(JobColumns.all(painter.glyphs, offset: model.utcOffset), of: .jobs), list: state,
                look: .init(title: "Jobs", isFocused: true, empty: empty, sort: state.sort, isDescending: state.isDescending), rect: rect,
                on: &painter
            ) { (String($0.id), $0.state == .failed || $0.state == .stopped ? .crit : nil) }
        }
        if let rect = layout.detail { detail(model, snapshot, rect, on: &painter) }
    }

    /// One job whole: what became of each of its messages.
    private static func opened(_ id: String, _ model: ConsoleModel, _ snapshot: Snapshot, _ rect: Rect, on painter: inout Painter) {
        let inner = painter.panel(rect, title: "Job \(id)", isFocused: true)
        let detail = model.jobDetail
        guard let job = detail?.row ?? snapshot.jobs.rows.first(where: { String($0.id) == id }) else {
            let isGone = model.link.isLive && model.answered?.job?.id == Int64(id)
            painter.text(isGone ? "The broker does not remember job \(id) any more. Esc goes back." : "", x: inner.x + 3, y: inner.y, .dim)
            return
        }
        var head = Array(lines(job, model).prefix(summaryLines - 1))
        let cut = (detail?.unlisted ?? [:]).sorted { $0.key < $1.key }.map { "\(Short.exact($0.value)) \($0.key)" }
        if !cut.isEmpty {
            head.append([("not listed any more  ", .dim), (cut.joined(separator: ", "), .text)])
        } else if job.isActive {
            head.append([("C", .key), (" cancels it: what was sent stays sent, the rest stays where it is", .dim)])
        }
        for (row, line) in head.enumerated() { painter.spans(line, x: inner.x + 3, y: inner.y + row, limit: inner.maxX - 1) }
        let table = Rect(x: inner.x, y: inner.y + summaryLines, width: inner.width, height: inner.height - summaryLines)
        let empty = Note(detail == nil ? "" : "Nothing was sent or skipped yet.", .dim)
        ListPanel.drawTable(
            detail?.outcomes ?? Page(), columns: OutcomeColumns.all, list: model.jobs.detail,
            look: .init(title: "", isFocused: true, empty: empty), rect: table, on: &painter
        ) { ("", $0.outcome == .diedAgain ? .crit : nil) }
    }

    private static func detail(_ model: ConsoleModel, _ snapshot: Snapshot, _ rect: Rect, on painter: inout Painter) {
        guard let id = model.selected, let job = snapshot.jobs.rows.first(where: { String($0.id) == id }) else {
            painter.panel(rect, title: "")
            return
        }
        let inner = painter.panel(rect, title: "Job \(job.id)")
        for (row, line) in lines(job, model).prefix(inner.height).enumerated() {
            painter.spans(line, x: inner.x + 3, y: inner.y + row, limit: inner.maxX - 1)
        }
    }

    private static func lines(_ job: JobRow, _ model: ConsoleModel) -> [[(String, ThemeKey)]] {
        let (state, look) = JobColumns.state(job)
        var lines: [[(String, ThemeKey)]] = [
            [(job.path, .title), ("  \(state)", look), (job.note.isEmpty ? "" : "  \(job.note)", .warn)],
            [
                ("outcome   ", .dim), (job.outcome, job.diedAgain > 0 ? .warn : .text),
                ("  of \(Short.exact(job.total))", .dim),
            ],
        ]
        var times: [(String, ThemeKey)] = [
            ("started   ", .dim), (CivilTime.text(ms: job.startedMs, offset: model.utcOffset), .text),
        ]
        if let ended = job.endedMs {
            times += [("  took ", .dim), (Short.duration(ms: ended - job.startedMs), .text)]
        } else {
            times += [
                ("  at ", .dim), (Short.number(job.rate) + "/s", .text), ("  done in ", .dim), (Short.duration(ms: job.etaMs), .text),
            ]
        }
        lines.append(times)
        for (reason, count) in job.skips.sorted(by: { ($1.value, $0.key) < ($0.value, $1.key) }) {
            lines.append([("skipped   ", .dim), (Short.exact(count), .text), ("  \(reason)", .dim)])
        }
        if job.isActive { lines.append([("C", .key), (" cancels it: what was sent stays sent, the rest stays where it is", .dim)]) }
        return lines
    }
}

enum OutcomeColumns {
    static var all: [Column<JobOutcomeRow>] {
        [
            Column(title: "MESSAGES", width: 14, priority: 0, role: .text, maxWidth: 28) { row, _ in
                (row.fromText ?? Short.unknown, row.from == nil ? .dim : .text)
            },
            Column(title: "COUNT", width: 6, priority: 2) { row, _ in (Short.count(row.count), row.count > 1 ? .text : .dim) },
            Column(title: "OUTCOME", width: 10, priority: 0, role: .text) { row, _ in (row.outcome.rawValue, look(row.outcome)) },
            Column(title: "COPIES", width: 18, priority: 1, role: .name, maxWidth: 60) { row, _ in
                (row.toText ?? "-", row.to == nil ? .dim : .text)
            },
            Column(title: "REASON", width: 18, priority: 1, role: .text, maxWidth: 60) { row, _ in (row.reason, .dim) },
        ]
    }

    static func look(_ outcome: JobOutcomeRow.Outcome) -> ThemeKey {
        switch outcome {
        case .sent: .text
        case .acked: .ok
        case .diedAgain: .dead
        case .moved, .removed: .dim
        case .skipped: .warn
        }
    }
}

enum JobColumns {
    static let sortFields = ["id", "state", "sent", "startedMs"]

    static func all(_ glyphs: Glyphs, offset: Int64) -> [Column<JobRow>] {
        [
            Column(title: "JOB", width: 5, priority: 0, field: "id") { row, _ in (String(row.id), .text) },
            Column(title: "KIND", width: 7, priority: 3, role: .text) { row, _ in (row.kind, .text) },
            Column(title: "FROM > TO", width: 18, priority: 0, role: .name, maxWidth: 60) { row, _ in
                ("\(row.source) > \(row.target ?? "origin")", .text)
            },
            Column(title: "STATE", width: 9, priority: 1, role: .text, field: "state") { row, _ in state(row) },
            Column(title: "DONE", width: 10, priority: 6, role: .trend, maxWidth: 30) { row, width in
                (JobLine.bar(row.share, width: width, glyphs: glyphs), .bar)
            },
            Column(title: "SENT", width: 6, priority: 1, field: "sent") { row, _ in (Short.count(row.sent), .text) },
            Column(title: "OF", width: 6, priority: 4) { row, _ in (Short.count(row.total), .dim) },
            Column(title: "ACKED", width: 6, priority: 3) { row, _ in (Short.count(row.acked), QueueColumns.figure(row.acked, .ok)) },
            Column(title: "DIED", width: 5, priority: 2) { row, _ in (Short.count(row.diedAgain), QueueColumns.figure(row.diedAgain, .dead))
            },
            Column(title: "SKIP", width: 5, priority: 5) { row, _ in (Short.count(row.skipped), .dim) },
            Column(title: "STARTED", width: 8, priority: 7, role: .text, field: "startedMs") { row, _ in
                (Short.clock(ms: row.startedMs, offset: offset), .dim)
            },
        ]
    }

    static func state(_ row: JobRow) -> (String, ThemeKey) {
        let key: ThemeKey
        switch row.state {
        case .running: key = .ok
        case .waiting, .cancelled: key = .warn
        case .done: key = row.diedAgain > 0 ? .warn : .dim
        case .stopped, .failed: key = .crit
        }
        return (row.state.rawValue, key)
    }
}
