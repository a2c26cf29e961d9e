import Control
import Terminal

extension ConsoleModel {
    /// Keys of the list or detail that is shown.
    mutating func handleScreen(_ key: Key) -> [Effect] {
        let list = activeList
        // The log stands at its end until it is scrolled.
        let cursor = list == .log && log.pinned == nil ? count(.log) - 1 : state(list).cursor
        let page = max(1, layout.listRows(self, list) - 1)
        switch key {
        case .down, .character("j"): moveCursor(to: cursor + 1)
        case .up, .character("k"): moveCursor(to: cursor - 1)
        case .pageDown: moveCursor(to: cursor + page)
        case .pageUp: moveCursor(to: cursor - page)
        case .control("d"): moveCursor(to: cursor + page / 2)
        case .control("u"): moveCursor(to: cursor - page / 2)
        case .home: moveCursor(to: 0, isHome: true)
        case .end, .character("G"): moveCursor(to: count(list) - 1)
        case .character("n"): moveCursor(to: cursor + 1 < count(list) ? cursor + 1 : 0)
        case .character("N"): moveCursor(to: cursor > 0 ? cursor - 1 : count(list) - 1)
        case .tab, .character("]"): changePane(1)
        case .backTab, .character("["): changePane(-1)
        case .enter: openRow()
        case .character("/"): openFilter()
        case .character("s"): reverseSort()
        case .character("<"): changeSort(-1)
        case .character(">"): changeSort(1)
        case .character(" "): mark()
        case .character("a"): markAll()
        case .character("v"): markRange()
        case .character("y"): return copyRow()
        case .character("i"): inspect()
        case .character("w"): openColumns()
        case .character("u"): return undo()
        default: return handleMutation(key)
        }
        return []
    }

    mutating func moveCursor(to index: Int, isHome: Bool = false) {
        let list = activeList
        let (count, visible) = (count(list), layout.listRows(self, list))
        change(list) { $0.move(to: index, count: count, visible: visible) }
        var pinned = isHome ? nil : name(list, at: state(list).cursor)
        if list == .log { pinned = state(list).cursor < count - 1 ? "scrolled" : nil }
        change(list) { $0.pinned = pinned }
        if list == .list { changeBrowse { $0.detail = ListState() } }
    }

    private mutating func changePane(_ step: Int) {
        if screen == .overview {
            overview.pane = overview.pane == .attention ? .backlog : .attention
            return
        }
        let count = detailTabs.count
        guard count > 0 else { return }
        let keepsTable = screen == .dead
        changeBrowse {
            $0.tab = ($0.tab + step + count) % count
            guard !keepsTable else { return }
            $0.detail = ListState()
            $0.messages = ListState()
        }
    }

    mutating func openRow() {
        guard let shown else { return }
        switch activeList {
        case .attention:
            guard shown.attention.indices.contains(overview.attention.cursor) else { return }
            let line = shown.attention[overview.attention.cursor]
            guard let target = ScreenID(rawValue: line.screen) else { return }
            open(target, selecting: line.select)
        case .backlog:
            let rows = BacklogRow.rows(shown)
            guard rows.indices.contains(overview.backlog.cursor) else { return }
            let row = rows[overview.backlog.cursor]
            open(row.isQueue ? .queues : .groups, selecting: row.name)
        case .list: selected.map { open(screen, selecting: $0) }
        case .messages: inspect()
        case .detail: openDetailRow()
        case .log: break
        }
    }

    private mutating func openDetailRow() {
        switch (screen, browse.tab) {
        case (.topics, 1):
            // From a topic's groups to the group.
            guard let detail = topicDetail, detail.groups.indices.contains(topics.detail.cursor) else { return }
            open(.groups, selecting: detail.groups[topics.detail.cursor].group)
        case (.dead, 0):
            // A reason filters the messages to it.
            guard let detail = deadDetail, detail.reasons.indices.contains(dead.detail.cursor) else { return }
            dead.messages = ListState()
            dead.messages.filter = "reason~\(detail.reasons[dead.detail.cursor].reason)"
            dead.tab = 1
        case (.topics, 0), (.groups, 0): inspect()
        default: break
        }
    }

    /// Looks at one message.
    mutating func inspect() {
        if let name = messageUnderCursor {
            inspector = Inspector(name)
        } else if screen == .queues || screen == .dead, !isDetailOpened, let name = selected {
            open(screen, selecting: name)
            if screen == .dead { dead.tab = 1 }
            say("enter or i looks at a message", .dim)
        } else {
            say("no message here to look at", .dim)
        }
    }

    /// Opens a screen with the detail of a name on it.
    mutating func open(_ screen: ScreenID, selecting name: String) {
        self.screen = screen
        inspector = nil
        // An attention line about delays or disks names nothing of the list.
        if !name.isEmpty {
            changeBrowse {
                $0.opened = name
                if screen != .delay { $0.list.pinned = name }
                $0.detail = ListState()
                $0.messages = ListState()
                if screen == .dead || screen == .queues { $0.tab = 0 }
            }
        }
        settleCursors()
    }
}
