import Control
import Terminal

extension ConsoleModel {
    /// Takes a key at a wall time and says what is to be done.
    public mutating func handle(_ key: Key, nowMs: Int64) -> [Effect] {
        self.nowMs = nowMs
        if key == .control("l") { return [.redraw] }
        if key == .control("z") {
            if !isEmbedded { return [.suspend] }
            say("^Z would stop the broker too; q closes the console", .warn)
            return []
        }
        if case .mouse(let mouse) = key { return handle(mouse) }
        if dialog != nil { return handleDialog(key) }
        if prompt != nil { return handlePrompt(key) }
        if helpTop != nil { return handleHelp(key) }
        if inspector != nil, let effects = handleInspector(key) { return effects }
        return handleGlobal(key)
    }

    private mutating func handleHelp(_ key: Key) -> [Effect] {
        let bottom = HelpView.bottom(self)
        switch key {
        case .down, .character("j"): helpTop = min((helpTop ?? 0) + 1, bottom)
        case .up, .character("k"): helpTop = max((helpTop ?? 0) - 1, 0)
        case .pageDown, .character(" "), .control("d"): helpTop = min((helpTop ?? 0) + 10, bottom)
        case .pageUp, .control("u"): helpTop = max((helpTop ?? 0) - 10, 0)
        default: helpTop = nil
        }
        return []
    }

    private mutating func handleGlobal(_ key: Key) -> [Effect] {
        let wasPrefix = prefix
        prefix = nil
        switch key {
        case .character("?"), .function(1): helpTop = 0
        case .character(":"): prompt = Prompt(kind: .palette, editor: LineEditor(), choice: nil)
        case .character("q"), .control("c"): return back(isQuit: true)
        case .escape: return back(isQuit: false)
        case .character("z"): toggleFreeze()
        case .character(","): step(-1)
        case .character("."): step(1)
        case .character("+"), .character("="): changeRefresh(slower: true)
        case .character("-"): changeRefresh(slower: false)
        case .character("t"): openThemes()
        case .character("e"): return shown.map { [.export(export($0))] } ?? []
        case .character("r"): return [.fetch]
        case .character("g"):
            if wasPrefix == "g" { moveCursor(to: 0, isHome: true) } else { prefix = "g" }
        case .character(let digit) where digit.isASCII && digit.isNumber: openDigit(digit)
        default: return handleScreen(key)
        }
        return []
    }

    /// The shown instant with the broker's history put back, for `e`.
    private func export(_ snapshot: Snapshot) -> Snapshot {
        var whole = snapshot
        if whole.history.inRate.isEmpty {
            let end = snapshot.broker.nowMs
            func series(_ field: KeyPath<HistoryStore.Point, Double?>) -> [Double?] {
                history.series(field, endMs: end, seconds: 300, columns: 300)
            }
            whole.history = History(
                stepMs: 1000, endMs: end / 1000 * 1000, inRate: series(\.inRate), outRate: series(\.outRate), backlog: series(\.backlog))
            (whole.history.ready, whole.history.unacked) = (series(\.ready), series(\.unacked))
            (whole.history.delayed, whole.history.dead) = (series(\.delayed), series(\.dead))
        }
        return whole
    }

    private mutating func openDigit(_ digit: Character) {
        if let screen = ScreenID.allCases.first(where: { $0.digit == digit }) { open(screen) }
    }

    mutating func open(_ screen: ScreenID) {
        if self.screen == screen {
            // The same digit again goes back to the screen's list.
            changeBrowse { $0.opened = nil }
        }
        inspector = nil
        self.screen = screen
        settleCursors()
    }

    /// Esc and q: out of the detail, the filter, the marks, then to the overview, then out.
    private mutating func back(isQuit: Bool) -> [Effect] {
        let list = activeList
        let messages = browse.messages
        if isDetailOpened, !isQuit, !messages.marks.isEmpty {
            changeBrowse { $0.messages.marks = [] }
        } else if isDetailOpened, !isQuit, !messages.filter.isEmpty {
            setFilter("", on: .messages)
        } else if isDetailOpened {
            changeBrowse { $0.opened = nil }
        } else if !isQuit, !state(list).marks.isEmpty {
            change(list) { $0.marks = [] }
        } else if !isQuit, !state(list).filter.isEmpty {
            setFilter("", on: list)
        } else if !isQuit, screen == .delay, delayQueue != nil {
            delayQueue = nil
        } else if !isQuit, isFrozen {
            frozenMs = nil
            settleCursors()
        } else if screen == .log {
            screen = .overview
        } else if isQuit {
            return quit()
        }
        return []
    }

    mutating func quit() -> [Effect] {
        guard isEmbedded else { return [.end(.closed)] }
        openQuit()
        return []
    }

    private mutating func toggleFreeze() {
        if isFrozen {
            frozenMs = nil
            settleCursors()
        } else if let live {
            frozenMs = live.broker.nowMs
        }
    }

    /// Steps through what was kept; the first step back freezes.
    private mutating func step(_ direction: Int) {
        guard !ring.entries.isEmpty, let now = frozenMs ?? ring.entries.last?.broker.nowMs, let index = ring.index(atMs: now) else {
            return
        }
        if !isFrozen, direction > 0 { return }
        let next = min(max(0, index + direction), ring.entries.count - 1)
        frozenMs = ring.entries[next].broker.nowMs
        settleCursors()
    }

    static let refreshSteps = [250, 500, 1_000, 2_000, 5_000, 10_000]

    private mutating func changeRefresh(slower: Bool) {
        let steps = Self.refreshSteps
        let index = steps.firstIndex(of: refreshMs) ?? 2
        refreshMs = steps[min(max(0, index + (slower ? 1 : -1)), steps.count - 1)]
        say("refresh every \(refreshMs < 1_000 ? "\(refreshMs) ms" : Short.duration(ms: Int64(refreshMs)))", .dim)
    }
}
