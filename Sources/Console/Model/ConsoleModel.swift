import Control
import Model
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
    public internal(set) var queues = BrowseState(list: ListState(sort: "ready", isDescending: true))
    public internal(set) var topics = BrowseState(list: ListState(sort: "name"))
    public internal(set) var groups = BrowseState(list: ListState(sort: "lag", isDescending: true))
    public internal(set) var delay = BrowseState(list: ListState(sort: ""))
    /// The queue whose delays are shown; nil: all.
    public internal(set) var delayQueue: String?
    /// The queue whose messages an opened bucket shows, while all queues' delays are shown.
    public internal(set) var bucketQueue: String?
    public internal(set) var dead = BrowseState(list: ListState(sort: "messages", isDescending: true))
    public internal(set) var clients = BrowseState(list: ListState(sort: "client"))
    public internal(set) var jobs = BrowseState(list: ListState(sort: "id", isDescending: true))
    public internal(set) var audit = BrowseState(list: ListState(sort: "id", isDescending: true))
    public internal(set) var inspector: Inspector?
    public internal(set) var log = ListState()
    public internal(set) var dialog: Dialog?
    public internal(set) var prompt: Prompt?
    public internal(set) var helpTop: Int?
    public internal(set) var status: Status?
    public internal(set) var refreshMs = 1_000
    public internal(set) var themes: [ThemeSpec]
    public internal(set) var themeName: String
    /// The query that `live` answers; nil where nobody said.
    var answered: SnapshotQuery?
    /// The job started here that is not over.
    var watchedJob: Int64?
    var undos: [UndoStep] = []
    /// Columns that were hidden, by title; for as long as the console runs.
    var hiddenColumns: [TableID: Set<String>] = [:]
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
        case dryRun(QueueCommand)
        case action(Command)
        case undo(UndoStep)
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

    /// Where things are on the screen now.
    var layout: Layout { Layout(size: size, hasJobLine: jobLine != nil) }
    /// The broker's wall time as last heard, which times typed by the operator refer to.
    var brokerNowMs: Int64 { live?.broker.nowMs ?? nowMs }
    /// How many levels `delay.level` knows.
    var delayLevels: Int { live?.broker.delayLevelsMs.count ?? DelayLevels.standard.ms.count }
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

    // MARK: what the broker answers

    /// Takes a snapshot that answers `asked`; without it, one that holds whatever the screen shows.
    public mutating func handle(_ snapshot: Snapshot, nowMs: Int64, asked: SnapshotQuery? = nil) {
        self.nowMs = nowMs
        if case .stale = link { say("connected again", .ok) }
        link = .live
        var merged = snapshot
        if let asked { keepUnasked(&merged, asked) }
        live = merged
        answered = asked
        history.merge(snapshot.history)
        ring.append(snapshot)
        watchJob()
        if !isFrozen { settleCursors() }
    }

    /// Takes a failed try. `sinceMs` is when the last answer came.
    public mutating func handleFailure(_ error: ControlError, sinceMs: Int64, nowMs: Int64) {
        self.nowMs = nowMs
        if error.code != .unreachable {
            refused(error)
            return
        }
        var attempt = 1
        var since = sinceMs
        if case .stale(let before, let failed, _, _) = link { (since, attempt) = (before, failed + 1) }
        link = .stale(sinceMs: since, attempt: attempt, retryMs: nowMs + Link.backoffMs(attempt: attempt), reason: error.message)
    }

    /// The broker answered that it can't answer this: the connection is fine. What it does not know (any more) is closed, so that the next
    /// question is one it can answer; a filter that it can't read stays to be mended.
    private mutating func refused(_ error: ControlError) {
        say(error.message, .crit)
        guard error.code == .notFound else { return }
        if inspector != nil { inspector = nil } else { changeBrowse { $0.opened = nil } }
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
        let layout = self.layout
        let rows = layout.listRows(self, .list)
        switch screen {
        case .queues: queues.list.settle(shown.queues, visible: rows, name: \.name)
        case .topics: topics.list.settle(shown.topics, visible: rows, name: \.name)
        case .groups: groups.list.settle(shown.groups, visible: rows, name: \.group)
        case .dead: dead.list.settle(shown.deadQueues, visible: rows, name: \.name)
        case .clients: clients.list.settle(shown.clients, visible: rows) { String($0.id) }
        case .jobs: jobs.list.settle(shown.jobs, visible: rows) { String($0.id) }
        case .audit: audit.list.settle(shown.audit, visible: rows) { String($0.id) }
        case .delay: delay.list.keepVisible(count: shown.delay?.buckets.count ?? 0, visible: rows)
        case .overview:
            overview.attention.keepVisible(count: shown.attention.count, visible: layout.listRows(self, .attention))
            overview.backlog.keepVisible(count: count(.backlog), visible: layout.listRows(self, .backlog))
        case .log: log.keepVisible(count: logLines.count, visible: layout.listRows(self, .log))
        }
        let (details, visible) = (detailCount, layout.listRows(self, .detail))
        changeBrowse { $0.detail.keepVisible(count: details, visible: visible) }
        if let page = messagesPage {
            let visible = layout.listRows(self, .messages)
            changeBrowse { $0.messages.settle(page, visible: visible, name: \.markName) }
        }
    }

    /// Shows a line for a while.
    mutating func say(_ text: String, _ key: ThemeKey = .text, seconds: Int64 = 10) {
        status = Status(note: Note(text, key), untilMs: nowMs + seconds * 1_000)
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
