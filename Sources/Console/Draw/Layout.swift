import Terminal

/// Where things are on a screen of a certain size. Shared by drawing and by keys, so that a page is what is seen.
public struct Layout: Equatable, Sendable {
    public let size: Size

    public init(size: Size) { self.size = size }

    /// Below this a frame is one line per problem.
    public var isTiny: Bool { size.columns < 60 || size.rows < 15 }
    /// Table and detail side by side.
    public var isWide: Bool { size.columns >= 160 }
    /// Room for the detail of the row under the cursor.
    public var hasPreview: Bool { !isTiny && (isWide || size.rows >= 28) }

    public var headerY: Int { 0 }
    public var tabsY: Int { 1 }
    public var crumbY: Int { 2 }
    public var body: Rect { Rect(x: 0, y: 3, width: size.columns, height: size.rows - 5) }
    public var statusY: Int { size.rows - 2 }
    public var footerY: Int { size.rows - 1 }

    public struct Overview: Equatable, Sendable {
        public var throughput: Rect
        public var backlog: Rect
        public var attention: Rect
        public var table: Rect
        /// Wide screens only: recent events, and the topics with most traffic.
        public var events: Rect?
        public var busiest: Rect?
    }

    public var overview: Overview {
        let body = body
        // Too low for graphs: what needs attention and where it piles up come first.
        if body.height < 17 {
            let none = Rect(x: 0, y: body.y, width: 0, height: 0)
            let attention = max(3, body.height * 45 / 100)
            return Overview(
                throughput: none, backlog: none, attention: Rect(x: 0, y: body.y, width: body.width, height: attention),
                table: Rect(x: 0, y: body.y + attention, width: body.width, height: body.height - attention))
        }
        let graphs = min(18, max(7, body.height * 36 / 100))
        let half = body.width / 2
        let below = body.height - graphs
        let y = body.y + graphs
        let top = Rect(x: 0, y: body.y, width: half, height: graphs)
        let topRight = Rect(x: half, y: body.y, width: body.width - half, height: graphs)
        if isWide {
            let upper = below < 24 ? below : below * 55 / 100
            let right = body.width - half
            var wide = Overview(
                throughput: top, backlog: topRight, attention: Rect(x: 0, y: y, width: half, height: upper),
                table: Rect(x: half, y: y, width: right, height: upper))
            if below > upper {
                wide.events = Rect(x: 0, y: y + upper, width: half, height: below - upper)
                wide.busiest = Rect(x: half, y: y + upper, width: right, height: below - upper)
            }
            return wide
        }
        let attention = min(14, max(5, below * 42 / 100))
        return Overview(
            throughput: top, backlog: topRight, attention: Rect(x: 0, y: y, width: body.width, height: attention),
            table: Rect(x: 0, y: y + attention, width: body.width, height: below - attention))
    }

    public struct Browse: Equatable, Sendable {
        public var list: Rect?
        public var detail: Rect?
        public var graph: Rect?
    }

    /// List, detail and graph of the Topics and Groups screens.
    public func browse(isOpened: Bool) -> Browse {
        let body = body
        if isOpened {
            guard body.height >= 22 else { return Browse(list: nil, detail: body, graph: nil) }
            let graph = min(14, body.height / 3)
            return Browse(
                list: nil, detail: Rect(x: 0, y: body.y, width: body.width, height: body.height - graph),
                graph: Rect(x: 0, y: body.y + body.height - graph, width: body.width, height: graph))
        }
        guard hasPreview else { return Browse(list: body, detail: nil, graph: nil) }
        if isWide {
            let left = body.width / 2
            let graph = min(16, body.height * 30 / 100)
            let right = Rect(x: left, y: body.y, width: body.width - left, height: body.height)
            return Browse(
                list: Rect(x: 0, y: body.y, width: left, height: body.height),
                detail: Rect(x: left, y: body.y, width: right.width, height: body.height - graph),
                graph: Rect(x: left, y: body.maxY - graph, width: right.width, height: graph))
        }
        let detail = body.height * 46 / 100
        return Browse(
            list: Rect(x: 0, y: body.y, width: body.width, height: body.height - detail),
            detail: Rect(x: 0, y: body.maxY - detail, width: body.width, height: detail), graph: nil)
    }

    /// Rows that a list shows, without its head.
    func listRows(_ model: ConsoleModel, _ list: ListID) -> Int {
        switch list {
        case .topics: max(1, (browse(isOpened: false).list?.height ?? 3) - 3)
        case .groups: max(1, (browse(isOpened: false).list?.height ?? 3) - 3)
        case .detail: max(1, (browse(isOpened: model.isDetailOpened).detail?.height ?? 4) - Self.detailFrame)
        case .attention: max(1, overview.attention.height - 2)
        case .backlog: max(1, overview.table.height - 3)
        case .log: max(1, body.height - 2)
        }
    }

    /// The screen rows of a list's entries, for the mouse; nil where the list is not drawn.
    func firstRow(_ model: ConsoleModel, _ list: ListID) -> Rect? {
        let rect: Rect?
        var head = 2
        switch list {
        case .topics, .groups: rect = browse(isOpened: false).list
        case .detail: (rect, head) = (browse(isOpened: model.isDetailOpened).detail, 3)
        case .attention: (rect, head) = (overview.attention, 1)
        case .backlog: rect = overview.table
        case .log: (rect, head) = (body, 1)
        }
        return rect.map { Rect(x: $0.x + 1, y: $0.y + head, width: $0.width - 2, height: listRows(model, list)) }
    }

    /// Border, summary line, head and the suspect line of a detail pane.
    static let detailFrame = 5
}

extension ConsoleModel {
    var isDetailOpened: Bool {
        switch screen {
        case .topics: topics.opened != nil
        case .groups: groups.opened != nil
        default: false
        }
    }
}
