extension ConsoleModel {
    /// A list with the detail of one of its rows.
    public struct BrowseState: Equatable, Sendable {
        public var list: ListState
        /// The name whose detail has the whole body.
        public var opened: String?
        /// Which of the detail's tables is shown, or has the keys.
        public var tab = 0
        public var detail = ListState()
        /// The window of messages below it, with its filter and marks.
        public var messages = ListState()
    }
}

extension ScreenID {
    /// Where the screen's list and detail stand; nil for screens without a list of their own.
    var browse: WritableKeyPath<ConsoleModel, ConsoleModel.BrowseState>? {
        switch self {
        case .queues: \.queues
        case .topics: \.topics
        case .groups: \.groups
        case .delay: \.delay
        case .dead: \.dead
        case .clients: \.clients
        case .jobs: \.jobs
        case .audit: \.audit
        case .overview, .log: nil
        }
    }
}

extension ConsoleModel {
    /// The screen's list and detail; an empty one for screens that have none.
    var browse: BrowseState { screen.browse.map { self[keyPath: $0] } ?? BrowseState(list: ListState()) }

    mutating func changeBrowse(_ body: (inout BrowseState) -> Void) {
        guard let path = screen.browse else { return }
        body(&self[keyPath: path])
    }

    /// Whether a row's detail has the whole body.
    var isDetailOpened: Bool { browse.opened != nil }

    /// The name that the screen's keys are about: opened, else under the cursor, else where the cursor is going.
    var selected: String? { browse.opened ?? name(.list, at: browse.list.cursor) ?? browse.list.pinned }

    public var selectedTopic: String? { selected(on: .topics) }
    public var selectedGroup: String? { selected(on: .groups) }
    public var selectedQueue: String? { selected(on: .queues) }
    public var selectedDeadQueue: String? { selected(on: .dead) }

    private func selected(on screen: ScreenID) -> String? {
        guard let path = screen.browse else { return nil }
        let state = self[keyPath: path]
        return state.opened ?? name(of: screen, at: state.list.cursor) ?? state.list.pinned
    }
}
