import Control
import Terminal

/// Where one is: broker, screen, what is opened; filter, order and counts of the list.
enum Crumb {
    static func draw(_ model: ConsoleModel, _ snapshot: Snapshot, on painter: inout Painter) {
        let y = model.layout.crumbY
        if let prompt = model.prompt, case .filter = prompt.kind {
            let x = painter.spans([(" /", .prompt)], x: 0, y: y)
            PaletteView.input(prompt.editor, x: x, y: y, width: model.size.columns - x - 24, on: &painter)
            if let (matched, total) = counts(model, snapshot) {
                painter.right(
                    "\(Short.exact(Int64(matched))) of \(Short.exact(Int64(total))) ", right: model.size.columns, y: y, width: 22, .dim)
            }
            return
        }
        let note = model.columnsNote.map { ("   \($0)", ThemeKey.dim) }
        painter.spans(spans(model, snapshot) + [note].compactMap { $0 }, x: 1, y: y)
    }

    /// Matching and all rows of the list that has the keys.
    private static func counts(_ model: ConsoleModel, _ snapshot: Snapshot) -> (Int, Int)? {
        if model.showsMessages { return model.messagesPage.map { ($0.matched, $0.total) } }
        switch model.screen {
        case .queues: return (snapshot.queues.matched, snapshot.queues.total)
        case .topics: return (snapshot.topics.matched, snapshot.topics.total)
        case .groups: return (snapshot.groups.matched, snapshot.groups.total)
        case .dead: return (snapshot.deadQueues.matched, snapshot.deadQueues.total)
        case .clients: return (snapshot.clients.matched, snapshot.clients.total)
        case .jobs: return (snapshot.jobs.matched, snapshot.jobs.total)
        case .audit: return (snapshot.audit.matched, snapshot.audit.total)
        case .overview, .delay, .log: return nil
        }
    }

    private static func spans(_ model: ConsoleModel, _ snapshot: Snapshot) -> [(String, ThemeKey)] {
        var spans: [(String, ThemeKey)] = [(snapshot.broker.name, .breadcrumb)]
        func path(_ text: String) { spans += [(" > ", .dim), (text, .breadcrumb)] }
        path(model.screen == .delay ? "delay & retry" : model.screen.title.lowercased())
        if let opened = model.browse.opened {
            path(opened)
            if let inspector = model.inspector { path(inspector.name.id) }
            spans += openedSpans(model, snapshot)
            return spans
        }
        if let inspector = model.inspector { path("\(inspector.name.queue) \(inspector.name.id)") }
        switch model.screen {
        case .overview: spans += overviewSpans(model, snapshot)
        case .delay: spans += delaySpans(model, snapshot)
        case .log: if !model.log.filter.isEmpty { spans += [("   filter ", .dim), (model.log.filter, .prompt)] }
        default:
            let nouns: [ScreenID: String] = [
                .queues: "queue", .topics: "topic", .groups: "group", .dead: "dead-letter queue", .clients: "client", .jobs: "job",
                .audit: "line",
            ]
            if let (matched, total) = counts(model, snapshot) {
                spans += listSpans(model.browse.list, matched, total, nouns[model.screen] ?? "row")
            }
        }
        return spans
    }

    private static func openedSpans(_ model: ConsoleModel, _ snapshot: Snapshot) -> [(String, ThemeKey)] {
        var spans: [(String, ThemeKey)] = []
        switch model.screen {
        case .groups: spans = [("   behind = age of the next unread record", .dim)]
        case .dead: if let detail = model.deadDetail { spans = [("   \(Short.exact(detail.row.messages))", .dead)] }
        case .delay:
            let queues = model.bucketQueues
            spans = [("   queue: \(model.shownBucketQueue ?? "none")", .dim)]
            if queues.count > 1 { spans.append(("   < > \(queues.count - 1) more", .dim)) }
        default: break
        }
        let messages = model.browse.messages
        if model.screen == .dead || model.showsMessages {
            if !messages.filter.isEmpty {
                // What matches must be seen however long the filter is.
                let room = max(12, model.size.columns - 64)
                let text = messages.filter.count > room ? messages.filter.prefix(room - 1) + "…" : messages.filter
                spans += [("   filter: ", .dim), (String(text), .prompt)]
                let matched = model.screen == .dead ? model.deadDetail?.messages.matched : model.messagesPage?.matched
                if let matched { spans.append(("   \(Short.exact(Int64(matched))) match", .text)) }
            }
            if !messages.marks.isEmpty { spans.append(("   \(messages.marks.count) marked", .mark)) }
        }
        return spans
    }

    private static func overviewSpans(_ model: ConsoleModel, _ snapshot: Snapshot) -> [(String, ThemeKey)] {
        let totals = snapshot.totals
        var counts = "   "
        if totals.queues > 0 { counts += "\(Short.counted(totals.queues, "queue")), " }
        counts += "\(Short.counted(totals.topics, "topic")), \(Short.counted(totals.groups, "group"))"
        if model.size.columns >= 100 {
            counts += ", \(Short.counted(totals.partitions, "partition")), \(Short.counted(totals.connections, "connection"))"
        }
        let doors = [snapshot.broker.kafka.map { "kafka \($0)" }, snapshot.broker.http.map { "http \($0)" }].compactMap { $0 }
        let shown = model.size.columns >= 110 ? doors : Array(doors.prefix(1))
        return [(counts, .dim)] + (shown.isEmpty ? [] : [("   " + shown.joined(separator: "  "), .dim)])
    }

    private static func delaySpans(_ model: ConsoleModel, _ snapshot: Snapshot) -> [(String, ThemeKey)] {
        var spans: [(String, ThemeKey)] = []
        if let delay = snapshot.delay {
            spans += [
                ("   \(Short.count(delay.delayed + delay.retrying)) waiting", .text),
                ("   next due \(delay.nextDueMs.map { Short.duration(ms: $0) } ?? "-")", .dim),
                ("   overdue \(Short.count(delay.overdue))", delay.overdue > 0 ? .warn : .dim),
            ]
        }
        return spans + [("   queue: \(model.delayQueue ?? "all")", .dim)]
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
        if !list.sort.isEmpty, list.sort != "id" { spans.append(("   sort \(list.sort)\(list.isDescending ? " desc" : "")", .dim)) }
        if !list.marks.isEmpty { spans.append(("   \(list.marks.count) marked", .mark)) }
        return spans
    }
}
