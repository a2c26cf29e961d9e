import Control
import Terminal

/// Everything the console knows: a value, changed by ``handle(_:)-(Key)`` and by what the broker answers, drawn by ``Frame``.
///
/// It reads no clock and does no I/O; times come in with events, wishes go out as ``Effect``s.
public struct ConsoleModel: Equatable, Sendable {
    /// Where the broker is.
    public enum Mode: Equatable, Sendable {
        case embedded
        case attached(String)
    }

    public let mode: Mode
    public let isReadOnlyOption: Bool
    public var size: Size
    public var screen = ScreenID.overview
    /// Wall time of the last event, and the time zone's seconds east of Greenwich.
    public internal(set) var nowMs: Int64 = 0
    public var utcOffset: Int64 = 0
    public internal(set) var link = Link.connecting
    public internal(set) var live: Snapshot?
    public internal(set) var history = HistoryStore()
    public internal(set) var ring = SnapshotRing()
    /// The instant the screen is frozen at.
    public internal(set) var frozenMs: Int64?
    public internal(set) var overview = OverviewState()
    public internal(set) var topics = BrowseState(list: ListState(sort: "name"))
    public internal(set) var groups = BrowseState(list: ListState(sort: "lag", isDescending: true))
    public internal(set) var log = ListState()
    public internal(set) var dialog: Dialog?
    public internal(set) var prompt: Prompt?
    public internal(set) var helpTop: Int?
    public internal(set) var status: Status?
    public internal(set) var refreshMs = 1_000
    public internal(set) var themes: [ThemeSpec]
    public internal(set) var themeName: String
    /// Commands sent and not answered, by number.
    var pending: [Int: Pending] = [:]
    var lastCommandID = 0
    /// The first key of a two-key sequence (`gg`).
    var prefix: Character?

    public init(mode: Mode, isReadOnly: Bool, size: Size, themes: [ThemeSpec], themeName: String) {
        self.mode = mode
        isReadOnlyOption = isReadOnly
        self.size = size
        self.themes = themes
        self.themeName = themeName
    }

    /// One line for the operator, until a time.
    public struct Status: Equatable, Sendable {
        public var note: Note
        public var untilMs: Int64
    }

    /// What an answer is for.
    enum Pending: Equatable, Sendable {
        case preview(OffsetReset)
        case action(String)
    }

    /// What is being typed in the crumb line or the palette.
    public struct Prompt: Equatable, Sendable {
        public enum Kind: Equatable, Sendable { case filter(before: String), palette }
        public var kind: Kind
        public var editor: LineEditor
        /// The highlighted completion.
        public var choice: Int?
    }

    public struct OverviewState: Equatable, Sendable {
        public enum Pane: Equatable, Sendable { case attention, backlog }
        public var pane = Pane.attention
        public var attention = ListState()
        public var backlog = ListState()
    }

    /// A list with the detail of one of its rows.
    public struct BrowseState: Equatable, Sendable {
        public var list: ListState
        /// The name whose detail has the whole body.
        public var opened: String?
        /// Which of the detail's tables is shown.
        public var tab = 0
        public var detail = ListState()
    }

    /// The broker's wall time as last heard, which times typed by the operator refer to.
    var brokerNowMs: Int64 { live?.broker.nowMs ?? nowMs }
    public var isEmbedded: Bool { mode == .embedded }
    public var isReadOnly: Bool { isReadOnlyOption || live?.broker.readOnly == true }
    public var isFrozen: Bool { frozenMs != nil }

    /// The instant on the screen: live, or the frozen one.
    public var shown: Snapshot? {
        guard let frozenMs, let index = ring.index(atMs: frozenMs) else { return live }
        return ring.entries[index]
    }

    /// The theme that is picked; the first one where the name is gone.
    public var theme: ThemeSpec { themes.first { $0.name == themeName } ?? themes.first ?? ThemeSpec(name: "plain", lines: [:]) }

    /// What to ask the broker for, so that the screen can be drawn.
    public func query() -> SnapshotQuery {
        let layout = Layout(size: size)
        var groupsQuery = groups.list.query(visible: layout.listRows(self, .groups))
        var topicsQuery = topics.list.query(visible: layout.listRows(self, .topics))
        if screen == .overview {
            groupsQuery = ListQuery(sort: "lag", descending: true, count: 50)
            if layout.overview.busiest != nil { topicsQuery = ListQuery(sort: "inRate", descending: true, count: 40) }
        }
        let hasPreview = layout.hasPreview
        return SnapshotQuery(
            topics: topicsQuery, groups: groupsQuery,
            topic: screen == .topics ? topics.opened ?? (hasPreview ? selectedTopic : nil) : nil,
            group: screen == .groups ? groups.opened ?? (hasPreview ? selectedGroup : nil) : nil,
            historyPoints: history.pointsWanted(nowMs: live == nil ? 0 : nowMs))
    }

    public var selectedTopic: String? {
        topics.opened ?? shown.flatMap { topics.list.row(in: $0.topics) }?.name ?? topics.list.pinned
    }
    public var selectedGroup: String? {
        groups.opened ?? shown.flatMap { groups.list.row(in: $0.groups) }?.group ?? groups.list.pinned
    }

    // MARK: what the broker answers

    /// Takes a snapshot that answers ``query()``.
    public mutating func handle(_ snapshot: Snapshot, nowMs: Int64) {
        self.nowMs = nowMs
        if case .stale = link { say("connected again", .ok) }
        link = .live
        live = snapshot
        history.merge(snapshot.history)
        ring.append(snapshot)
        if !isFrozen { settleCursors() }
    }

    /// Takes a failed try. `sinceMs` is when the last answer came.
    public mutating func handleFailure(_ error: ControlError, sinceMs: Int64, nowMs: Int64) {
        self.nowMs = nowMs
        var attempt = 1
        var since = sinceMs
        if case .stale(let before, let failed, _, _) = link { (since, attempt) = (before, failed + 1) }
        link = .stale(sinceMs: since, attempt: attempt, retryMs: nowMs + Link.backoffMs(attempt: attempt), reason: error.message)
    }

    /// Takes the time.
    public mutating func tick(nowMs: Int64) {
        self.nowMs = nowMs
        if let status, status.untilMs <= nowMs { self.status = nil }
    }

    public mutating func resize(_ size: Size) {
        self.size = size
        settleCursors()
    }

    mutating func settleCursors() {
        guard let shown else { return }
        let layout = Layout(size: size)
        // The overview asks for other rows than these lists; their cursors wait for their own.
        if screen != .overview {
            topics.list.settle(shown.topics, visible: layout.listRows(self, .topics), name: \.name)
            groups.list.settle(shown.groups, visible: layout.listRows(self, .groups), name: \.group)
        }
        overview.attention.keepVisible(count: shown.attention.count, visible: layout.listRows(self, .attention))
        overview.backlog.keepVisible(count: shown.groups.rows.count, visible: layout.listRows(self, .backlog))
        topics.detail.keepVisible(count: detailCount, visible: layout.listRows(self, .detail))
        groups.detail.keepVisible(count: detailCount, visible: layout.listRows(self, .detail))
        log.keepVisible(count: logLines.count, visible: layout.listRows(self, .log))
    }

    /// Shows a line for ten seconds.
    mutating func say(_ text: String, _ key: ThemeKey = .text) {
        status = Status(note: Note(text, key), untilMs: nowMs + 10_000)
    }
}

extension ConsoleModel {
    /// Sets the clock and the pace at start, and says what was wrong with the themes.
    mutating func start(nowMs: Int64, refreshMs: Int, warnings: [ThemeWarning]) {
        self.nowMs = nowMs
        self.refreshMs = refreshMs
        guard let first = warnings.first else { return }
        say(warnings.count == 1 ? "theme \(first)" : "theme \(first) (and \(warnings.count - 1) more)", .warn)
    }

    /// Says how an effect went.
    mutating func report(_ text: String, isProblem: Bool) { say(text, isProblem ? .crit : .ok) }
}
