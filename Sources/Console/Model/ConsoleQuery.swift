import Control

extension ConsoleModel {
    /// What to ask the broker for, so that the screen can be drawn: the visible rows of its list, and whole only what is looked at.
    public func query() -> SnapshotQuery {
        var query = SnapshotQuery(historyPoints: history.pointsWanted(nowMs: live == nil ? 0 : nowMs))
        let layout = self.layout
        let rows = layout.listRows(self, .list)
        let preview = isDetailOpened || layout.hasPreview
        switch screen {
        case .overview:
            query.queues = ListQuery(sort: "ready", descending: true, count: 50)
            query.groups = ListQuery(sort: "lag", descending: true, count: 50)
            if layout.overview.busiest != nil { query.topics = ListQuery(sort: "inRate", descending: true, count: 40) }
        case .queues:
            query.queues = queues.list.query(visible: rows)
            if preview { query.queue = selectedQueue }
        case .topics:
            query.topics = topics.list.query(visible: rows)
            if preview { query.topic = selectedTopic }
        case .groups:
            query.groups = groups.list.query(visible: rows)
            if preview { query.group = selectedGroup }
        case .delay:
            query.delay = DelayQuery(queue: delayQueue)
            if delayQueue == nil { query.queues = ListQuery(sort: delay.tab == 0 ? "delayed" : "retrying", descending: true, count: 100) }
        case .dead:
            query.deadQueues = dead.list.query(visible: rows)
            query.dead = deadQuery(hasPreview: preview)
        case .clients: query.clients = clients.list.query(visible: rows)
        case .jobs:
            query.jobs = jobs.list.query(visible: rows)
            query.job = jobQuery
        case .audit: query.audit = audit.list.query(visible: rows)
        case .log: break
        }
        if screen != .dead { query.messages = messageQuery }
        query.message = inspector?.name
        // The line of the running job is on every screen.
        if query.jobs == nil, watchedJob != nil || (live?.totals.jobs ?? 0) > 0 {
            query.jobs = ListQuery(sort: "id", descending: true, count: 10)
        }
        if prompt?.kind == .palette { askForNames(&query) }
        return query
    }

    /// Names to complete a `:` line with.
    private func askForNames(_ query: inout SnapshotQuery) {
        if query.queues == nil { query.queues = ListQuery(count: 200) }
        if query.topics == nil { query.topics = ListQuery(count: 200) }
        if query.groups == nil { query.groups = ListQuery(count: 200) }
    }

    private func deadQuery(hasPreview: Bool) -> MessageQuery? {
        guard let name = selectedDeadQueue, hasPreview else { return nil }
        var query = MessageQuery(queue: name)
        query.filter = dead.opened == nil ? MessageFilter() : MessageFilterText.parse(dead.messages.filter)
        window(&query)
        return query
    }

    /// The opened job with the window of its outcomes that is shown.
    private var jobQuery: JobQuery? {
        guard let id = jobs.opened.flatMap({ Int64($0) }) else { return nil }
        let visible = max(10, layout.listRows(self, .detail))
        var query = JobQuery(id: id)
        query.start = max(0, jobs.detail.top - visible)
        query.count = min(3 * visible, 300)
        return query
    }

    /// The window of messages that the screen shows; the dead-letter screen has its own in ``SnapshotQuery/dead``.
    var messageQuery: MessageQuery? {
        guard showsMessages else { return nil }
        var query: MessageQuery
        switch screen {
        case .queues: query = MessageQuery(queue: queues.opened ?? "")
        case .delay:
            guard let queue = shownBucketQueue else { return nil }
            query = MessageQuery(queue: queue, state: delay.tab == 0 ? .delayed : .waiting)
            (query.fromMs, query.toMs) = bucketSpan
        default: return nil
        }
        query.filter = MessageFilterText.parse(browse.messages.filter)
        window(&query)
        return query
    }

    private func window(_ query: inout MessageQuery) {
        let visible = max(10, layout.listRows(self, .messages))
        query.start = max(0, browse.messages.top - visible)
        query.count = min(3 * visible, 300)
    }

    /// Whether two queries ask for different things, apart from what moves with the clock.
    static func differs(_ old: SnapshotQuery, _ new: SnapshotQuery) -> Bool {
        var old = old
        old.historyPoints = new.historyPoints
        if let from = old.messages, let to = new.messages, isSameSpan(from, to) {
            old.messages?.fromMs = to.fromMs
            old.messages?.toMs = to.toMs
        }
        return old != new
    }

    /// Whether two windows of due times are the same one at different moments.
    private static func isSameSpan(_ left: MessageQuery, _ right: MessageQuery) -> Bool {
        func length(_ query: MessageQuery) -> Int64? {
            guard let from = query.fromMs, let to = query.toMs else { return nil }
            return to - from
        }
        return (left.fromMs == nil) == (right.fromMs == nil) && (left.toMs == nil) == (right.toMs == nil) && length(left) == length(right)
    }

    /// The page of messages that belongs to what is opened; nil until it was answered.
    var messagesPage: Page<MessageRow>? {
        guard showsMessages, let shown else { return nil }
        if screen == .dead { return deadDetail?.messages }
        guard let wanted = messageQuery else { return nil }
        if isFrozen { return shown.messages }
        guard let asked = answered?.messages, asked.queue == wanted.queue, asked.state == wanted.state, Self.isSameSpan(asked, wanted)
        else { return nil }
        return shown.messages
    }

    /// Lists that this answer was not asked for keep what was last heard, so that going back to a screen shows rows at once.
    mutating func keepUnasked(_ snapshot: inout Snapshot, _ asked: SnapshotQuery) {
        guard let old = live else { return }
        if asked.queues == nil { snapshot.queues = old.queues }
        if asked.topics == nil { snapshot.topics = old.topics }
        if asked.groups == nil { snapshot.groups = old.groups }
        if asked.deadQueues == nil { snapshot.deadQueues = old.deadQueues }
        if asked.clients == nil { snapshot.clients = old.clients }
        if asked.jobs == nil { snapshot.jobs = old.jobs }
        if asked.audit == nil { snapshot.audit = old.audit }
        if asked.delay == nil { snapshot.delay = old.delay }
    }
}

extension MessageRow {
    /// What a mark on it is called: ids are unique within a queue.
    var markName: String { "\(queue) \(id)" }
}

/// What is typed after `/` over messages: `~regex` or text on key and value, `reason~TEXT` a reason that begins so, `NAME=VALUE` a header.
enum MessageFilterText {
    static func parse(_ text: String) -> MessageFilter {
        var filter = MessageFilter()
        let trimmed = text.drop { $0 == " " }
        if trimmed.isEmpty { return filter }
        if trimmed.hasPrefix("reason~") {
            filter.reason = String(trimmed.dropFirst("reason~".count))
        } else if trimmed.hasPrefix("~") {
            filter.match = String(trimmed.dropFirst())
        } else if let equals = trimmed.firstIndex(of: "="), !trimmed[..<equals].contains(" ") {
            filter.headers = [MessageHeader(name: String(trimmed[..<equals]), value: String(trimmed[trimmed.index(after: equals)...]))]
        } else {
            filter.match = escaped(trimmed)
        }
        return filter
    }

    /// Text as a regular expression that matches just it.
    private static func escaped(_ text: Substring) -> String {
        String(text.flatMap { "\\^$.|?*+()[]{}".contains($0) ? ["\\", $0] : [$0] })
    }
}
