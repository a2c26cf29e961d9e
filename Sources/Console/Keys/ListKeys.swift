import Control
import Terminal

extension ConsoleModel {
    private var filterable: ListID? {
        switch activeList {
        case .list: screen == .delay ? nil : .list
        case .messages, .log: activeList
        // The reasons stand above the messages that the filter is for.
        case .detail: screen == .dead ? .messages : nil
        case .attention, .backlog: nil
        }
    }

    mutating func openFilter() {
        if screen == .delay, !isDetailOpened {
            prompt = Prompt(kind: .palette, editor: LineEditor("delay "), choice: nil)
            return
        }
        guard let list = filterable else {
            // From the overview a filter is meant for the groups below it.
            if screen == .overview { open(.groups) } else { say("the filter works on lists; Esc goes back to the list", .dim) }
            return
        }
        if screen == .dead, isDetailOpened { dead.tab = 1 }
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

    private var sortFields: [String] {
        guard activeList == .list else { return [] }
        switch screen {
        case .queues: return QueueColumns.sortFields
        case .topics: return TopicColumns.sortFields
        case .groups: return GroupColumns.sortFields
        case .dead: return DeadColumns.sortFields
        case .clients: return ClientColumns.sortFields
        case .jobs: return JobColumns.sortFields
        default: return []
        }
    }

    mutating func reverseSort() {
        guard !sortFields.isEmpty else { return }
        change(.list) { $0.isDescending.toggle() }
        afterSort()
    }

    mutating func changeSort(_ step: Int) {
        if screen == .delay, isDetailOpened {
            turnBucketQueue(step)
            return
        }
        let fields = sortFields
        guard !fields.isEmpty else { return }
        let index = fields.firstIndex(of: state(.list).sort) ?? 0
        let field = fields[(index + step + fields.count) % fields.count]
        change(.list) {
            $0.sort = field
            $0.isDescending = field != "name"
        }
        afterSort()
    }

    /// A new order begins at its top.
    mutating func afterSort() {
        change(.list) {
            $0.cursor = 0
            $0.top = 0
            $0.pinned = nil
        }
    }

    /// The list whose rows can be marked.
    private var markable: ListID? {
        switch activeList {
        case .messages: .messages
        case .list: [.queues, .topics, .groups, .clients].contains(screen) ? .list : nil
        default: nil
        }
    }

    mutating func mark() {
        guard let list = markable else { return say("no rows to mark here", .dim) }
        guard let name = name(list, at: state(list).cursor) else { return }
        change(list) {
            if $0.marks.remove(name) == nil, $0.marks.count < ListState.maxMarks { $0.marks.insert(name) }
        }
        moveCursor(to: state(list).cursor + 1)
    }

    /// Names of the rows at hand, and how many match in all.
    private func rowsAtHand(_ list: ListID) -> (names: [String], total: Int) {
        guard let shown else { return ([], 0) }
        if list == .messages { return (messagesPage?.rows.map(\.markName) ?? [], messagesPage?.matched ?? 0) }
        switch screen {
        case .queues: return (shown.queues.rows.map(\.name), shown.queues.matched)
        case .topics: return (shown.topics.rows.map(\.name), shown.topics.matched)
        case .groups: return (shown.groups.rows.map(\.group), shown.groups.matched)
        case .clients: return (shown.clients.rows.map { String($0.id) }, shown.clients.matched)
        default: return ([], 0)
        }
    }

    /// Marks all rows that match, as far as the window knows them; again: none.
    mutating func markAll() {
        guard let list = markable else { return say("no rows to mark here", .dim) }
        let (names, total) = rowsAtHand(list)
        let hasAll = names.allSatisfy { state(list).marks.contains($0) }
        change(list) { $0.marks = hasAll ? [] : $0.marks.union(names.prefix(ListState.maxMarks)) }
        if !hasAll, names.count < total { say("marked the \(names.count) rows at hand of \(total); / narrows the list", .warn) }
    }

    mutating func markRange() {
        guard let list = markable else { return say("no rows to mark here", .dim) }
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

    mutating func copyRow() -> [Effect] {
        if screen == .groups, let detail = groupDetail, groups.opened != nil {
            let lines = detail.partitions.map { "\($0.topic)\t\($0.partition)\t\($0.committed.map(String.init) ?? "-")" }
            say("copied \(Short.counted(lines.count, "offset"))", .ok)
            return [.copy(lines.joined(separator: "\n") + "\n")]
        }
        if screen == .audit, let row = shown.flatMap({ audit.list.row(in: $0.audit) }) {
            say("copied the command line", .ok)
            return [.copy(row.command)]
        }
        guard let name = name(activeList, at: state(activeList).cursor) ?? browse.opened else { return [] }
        say("copied \(name)", .ok)
        return [.copy(name)]
    }
}
