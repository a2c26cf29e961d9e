import Control
import Terminal

extension ConsoleModel {
    /// Keys of the list or detail that is shown.
    mutating func handleScreen(_ key: Key) -> [Effect] {
        let list = activeList
        // The log stands at its end until it is scrolled.
        let cursor = list == .log && log.pinned == nil ? count(.log) - 1 : state(list).cursor
        let page = max(1, Layout(size: size).listRows(self, list) - 1)
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
        default: return handleMutation(key)
        }
        return []
    }

    mutating func moveCursor(to index: Int, isHome: Bool = false) {
        let list = activeList
        let (count, visible) = (count(list), Layout(size: size).listRows(self, list))
        change(list) { $0.move(to: index, count: count, visible: visible) }
        var pinned = isHome ? nil : name(list, at: state(list).cursor)
        if list == .log { pinned = state(list).cursor < count - 1 ? "scrolled" : nil }
        change(list) { $0.pinned = pinned }
        if list == .topics { topics.detail = ListState() }
        if list == .groups { groups.detail = ListState() }
    }

    private mutating func changePane(_ step: Int) {
        switch screen {
        case .overview: overview.pane = overview.pane == .attention ? .backlog : .attention
        case .topics:
            topics.tab = (topics.tab + step + 3) % 3
            topics.detail = ListState()
        case .groups:
            groups.tab = (groups.tab + step + 2) % 2
            groups.detail = ListState()
        case .log: break
        }
    }

    private mutating func openRow() {
        guard let shown else { return }
        switch activeList {
        case .attention:
            guard shown.attention.indices.contains(overview.attention.cursor) else { return }
            let line = shown.attention[overview.attention.cursor]
            guard let target = ScreenID(rawValue: line.screen) else { return }
            open(target, selecting: line.select)
        case .backlog: name(.backlog, at: overview.backlog.cursor).map { open(.groups, selecting: $0) }
        case .topics: selectedTopic.map { open(.topics, selecting: $0) }
        case .groups: selectedGroup.map { open(.groups, selecting: $0) }
        case .detail:
            // From a topic's groups to the group.
            guard screen == .topics, topics.tab == 1, let detail = topicDetail,
                detail.groups.indices.contains(topics.detail.cursor)
            else { return }
            open(.groups, selecting: detail.groups[topics.detail.cursor].group)
        case .log: break
        }
    }

    /// Opens a screen with the detail of a name on it.
    mutating func open(_ screen: ScreenID, selecting name: String) {
        self.screen = screen
        switch screen {
        case .topics:
            topics.opened = name
            topics.list.pinned = name
            topics.detail = ListState()
        case .groups:
            groups.opened = name
            groups.list.pinned = name
            groups.detail = ListState()
        case .overview, .log: break
        }
        settleCursors()
    }

    // MARK: filter, sort, marks

    private var filterable: ListID? {
        switch activeList {
        case .topics, .groups, .log: activeList
        default: nil
        }
    }

    private mutating func openFilter() {
        guard let list = filterable else {
            // From the overview a filter is meant for the groups below it.
            if screen == .overview { open(.groups) } else { say("the filter works on lists; Esc goes back to the list", .dim) }
            return
        }
        let before = state(list).filter
        prompt = Prompt(kind: .filter(before: before), editor: LineEditor(before), choice: nil)
    }

    mutating func setFilter(_ filter: String, on list: ListID) {
        change(list) {
            $0.filter = filter
            $0.cursor = 0
            $0.top = 0
            $0.pinned = nil
        }
    }

    private mutating func reverseSort() {
        let list = activeList
        guard list == .topics || list == .groups else { return }
        change(list) { $0.isDescending.toggle() }
        afterSort(list)
    }

    private mutating func changeSort(_ step: Int) {
        let list = activeList
        let fields: [String]
        switch list {
        case .topics: fields = TopicColumns.sortFields
        case .groups: fields = GroupColumns.sortFields
        default: return
        }
        let index = fields.firstIndex(of: state(list).sort) ?? 0
        let field = fields[(index + step + fields.count) % fields.count]
        change(list) {
            $0.sort = field
            $0.isDescending = field != "name"
        }
        afterSort(list)
    }

    /// A new order begins at its top.
    private mutating func afterSort(_ list: ListID) {
        change(list) {
            $0.cursor = 0
            $0.top = 0
            $0.pinned = nil
        }
    }

    private mutating func mark() {
        let list = activeList
        guard list == .topics || list == .groups, let name = name(list, at: state(list).cursor) else { return }
        change(list) {
            if $0.marks.remove(name) == nil, $0.marks.count < ListState.maxMarks { $0.marks.insert(name) }
        }
        moveCursor(to: state(list).cursor + 1)
    }

    /// Marks all rows that match, as far as the window knows them; again: none.
    private mutating func markAll() {
        let list = activeList
        guard list == .topics || list == .groups, let shown else { return }
        let names = list == .topics ? shown.topics.rows.map(\.name) : shown.groups.rows.map(\.group)
        let total = list == .topics ? shown.topics.matched : shown.groups.matched
        let hasAll = names.allSatisfy { state(list).marks.contains($0) }
        change(list) { $0.marks = hasAll ? [] : $0.marks.union(names.prefix(ListState.maxMarks)) }
        if !hasAll, names.count < total { say("marked the \(names.count) rows at hand of \(total); / narrows the list", .warn) }
    }

    private mutating func markRange() {
        let list = activeList
        guard list == .topics || list == .groups else { return }
        let cursor = state(list).cursor
        guard let start = state(list).rangeStart else {
            change(list) { $0.rangeStart = cursor }
            say("range begins here; v again ends it", .dim)
            return
        }
        let names = (min(start, cursor)...max(start, cursor)).compactMap { name(list, at: $0) }
        change(list) {
            $0.marks.formUnion(names)
            $0.rangeStart = nil
        }
    }

    private mutating func copyRow() -> [Effect] {
        if screen == .groups, let detail = groupDetail, groups.opened != nil {
            let lines = detail.partitions.map { "\($0.topic)\t\($0.partition)\t\($0.committed.map(String.init) ?? "-")" }
            say("copied \(Short.counted(lines.count, "offset"))", .ok)
            return [.copy(lines.joined(separator: "\n") + "\n")]
        }
        guard let name = name(activeList, at: state(activeList).cursor) ?? (screen == .topics ? topics.opened : nil) else { return [] }
        say("copied \(name)", .ok)
        return [.copy(name)]
    }

    // MARK: mouse

    mutating func handle(_ mouse: Mouse) -> [Effect] {
        guard dialog == nil, prompt == nil, helpTop == nil else { return [] }
        switch mouse.action {
        case .wheelUp: moveCursor(to: state(activeList).cursor - 3)
        case .wheelDown: moveCursor(to: state(activeList).cursor + 3)
        case .press: click(x: mouse.x, y: mouse.y)
        case .release, .drag: break
        }
        return []
    }

    private mutating func click(x: Int, y: Int) {
        let layout = Layout(size: size)
        if y == layout.tabsY {
            Frame.tabs(self).first { $0.range.contains(x) }.map { open($0.screen) }
            return
        }
        if screen == .overview {
            if layout.overview.attention.contains(x: x, y: y) { overview.pane = .attention }
            if layout.overview.table.contains(x: x, y: y) { overview.pane = .backlog }
        }
        guard let first = layout.firstRow(self, activeList), first.contains(x: x, y: y) else { return }
        let index = state(activeList).top + y - first.y
        guard index < count(activeList) else { return }
        if state(activeList).cursor == index, state(activeList).pinned != nil { openRow() } else { moveCursor(to: index) }
    }
}
