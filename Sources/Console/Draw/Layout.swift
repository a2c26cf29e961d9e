import Terminal

/// Where things are on a screen of a certain size. Shared by drawing and by keys, so that a page is what is seen.
public struct Layout: Equatable, Sendable {
    public let size: Size
    /// Whether a job runs, which takes a line above the status.
    public let hasJobLine: Bool

    public init(size: Size, hasJobLine: Bool = false) {
        self.size = size
        self.hasJobLine = hasJobLine
    }

    /// Below this a frame is one line per problem.
    public var isTiny: Bool { size.columns < 60 || size.rows < 15 }
    /// Table and detail side by side.
    public var isWide: Bool { size.columns >= 160 }
    /// Room for the detail of the row under the cursor.
    public var hasPreview: Bool { !isTiny && (isWide || size.rows >= 28) }

    public var headerY: Int { 0 }
    public var tabsY: Int { 1 }
    public var crumbY: Int { 2 }
    public var body: Rect { Rect(x: 0, y: 3, width: size.columns, height: size.rows - (hasJobLine ? 6 : 5)) }
    public var jobY: Int { size.rows - 3 }
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

    /// List, detail and graph of the screens that browse a list; the detail has the graph's room where there is none.
    public func browse(isOpened: Bool, hasGraph: Bool = true) -> Browse {
        var browse = places(isOpened: isOpened)
        guard !hasGraph, let graph = browse.graph else { return browse }
        browse.detail?.height += graph.height
        browse.graph = nil
        return browse
    }

    private func places(isOpened: Bool) -> Browse {
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

    public struct Delay: Equatable, Sendable {
        public var schedule: Rect
        public var forecast: Rect
        public var attempts: Rect
    }

    /// The Delay screen: schedule, forecast, and whether retrying helps; the two lower panels go where there is no room.
    public var delay: Delay {
        let body = body
        let whole = 9 + 3
        let schedule = body.height >= whole + 5 ? whole : body.height
        let (y, below) = (body.y + schedule, body.height - schedule)
        let half = body.width / 2
        return Delay(
            schedule: Rect(x: 0, y: body.y, width: body.width, height: schedule),
            forecast: Rect(x: 0, y: y, width: below > 0 ? half : 0, height: below),
            attempts: Rect(x: half, y: y, width: below > 0 ? body.width - half : 0, height: below))
    }

    /// An opened dead-letter queue: the reasons above its messages.
    public var dead: (why: Rect, messages: Rect) {
        let body = body
        let why = min(14, max(4, body.height * 35 / 100))
        return (
            Rect(x: 0, y: body.y, width: body.width, height: why),
            Rect(x: 0, y: body.y + why, width: body.width, height: body.height - why)
        )
    }

    /// A list's panel, the lines above its first row (border included) and those below its last.
    struct Place {
        var rect: Rect
        var head = 2
        var foot = 1
    }

    /// Where a list of the model's screen is; nil where it is not drawn.
    func place(_ model: ConsoleModel, _ list: ListID) -> Place? {
        switch list {
        case .attention: return Place(rect: overview.attention, head: 1)
        case .backlog: return Place(rect: overview.table)
        case .log: return Place(rect: body, head: 1)
        case .list: return model.screen == .delay ? Place(rect: delay.schedule) : browse(isOpened: false).list.map { Place(rect: $0) }
        case .detail:
            if model.screen == .dead { return Place(rect: dead.why) }
            if model.screen == .jobs, model.isDetailOpened { return Place(rect: body, head: JobsScreen.summaryLines + 2) }
            return browse(isOpened: model.isDetailOpened).detail.map { Place(rect: $0, head: Self.detailHead, foot: Self.detailFoot) }
        case .messages:
            switch model.screen {
            case .dead where model.isDetailOpened: return Place(rect: dead.messages)
            case .delay: return Place(rect: body)
            default:
                return browse(isOpened: model.isDetailOpened).detail.map { Place(rect: $0, head: Self.detailHead, foot: Self.detailFoot) }
            }
        }
    }

    /// Rows that a list shows, without its head.
    func listRows(_ model: ConsoleModel, _ list: ListID) -> Int {
        guard let place = place(model, list) else { return 1 }
        return max(1, place.rect.height - place.head - place.foot)
    }

    /// The screen rows of a list's entries, for the mouse; nil where the list is not drawn.
    func firstRow(_ model: ConsoleModel, _ list: ListID) -> Rect? {
        place(model, list).map {
            Rect(x: $0.rect.x + 1, y: $0.rect.y + $0.head, width: $0.rect.width - 2, height: listRows(model, list))
        }
    }

    /// Border, summary line and head; suspect line and border of a detail pane.
    static let detailHead = 3
    static let detailFoot = 2
}
