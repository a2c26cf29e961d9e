import Control

/// Where a list stands: cursor, first visible row, filter, order and marks.
///
/// The cursor follows its row's name once it was moved, so that a list that re-sorts itself under the operator's hand never
/// puts another row under the next key. At the very top it stays at the top, where the worst is.
public struct ListState: Equatable, Sendable {
    public var cursor = 0
    public var top = 0
    /// The name that the cursor follows; nil at the top.
    public var pinned: String?
    public var filter = ""
    public var sort: String
    public var isDescending: Bool
    public var marks: Set<String> = []
    /// Where `v` began a range.
    public var rangeStart: Int?

    /// Most rows that may be marked.
    public static let maxMarks = 10_000

    public init(sort: String = "name", isDescending: Bool = false) {
        self.sort = sort
        self.isDescending = isDescending
    }

    /// Moves the cursor and keeps it visible in a list of `count` rows of which `visible` are shown.
    public mutating func move(to index: Int, count: Int, visible: Int) {
        cursor = min(max(0, index), max(0, count - 1))
        keepVisible(count: count, visible: visible)
    }

    /// Scrolls so that the cursor is within the visible rows and no row is wasted at the end.
    public mutating func keepVisible(count: Int, visible: Int) {
        let rows = max(1, visible)
        cursor = min(max(0, cursor), max(0, count - 1))
        top = min(max(0, top), max(0, count - rows))
        if cursor < top { top = cursor }
        if cursor >= top + rows { top = cursor - rows + 1 }
    }

    /// What to ask the broker for: the visible rows with a page before and after, so that paging shows rows at once.
    public func query(visible: Int) -> ListQuery {
        let rows = max(10, visible)
        return ListQuery(
            filter: filter, sort: sort, descending: isDescending, start: max(0, top - rows), count: min(3 * rows, 300))
    }

    /// Takes over a new page: the cursor finds its row again.
    public mutating func settle<Row>(_ page: Page<Row>, visible: Int, name: (Row) -> String) {
        if let pinned, let place = page.rows.firstIndex(where: { name($0) == pinned }) {
            // The row keeps its line on the screen, as far as the list's ends allow.
            let line = cursor - top
            cursor = page.start + place
            top = max(0, cursor - line)
        }
        keepVisible(count: page.matched, visible: visible)
        // A cursor that was moved where no row was known yet follows its row from now on.
        if cursor > 0, pinned == nil { pinned = self.name(in: page, name: name) }
        // A row that left the list: the cursor stays on its line and follows what is there now.
        if pinned != nil { pinned = self.name(in: page, name: name) ?? pinned }
    }

    /// The row under the cursor, where the page holds it.
    public func row<Row>(in page: Page<Row>) -> Row? { row(cursor, in: page) }

    public func row<Row>(_ index: Int, in page: Page<Row>) -> Row? {
        page.rows.indices.contains(index - page.start) ? page.rows[index - page.start] : nil
    }

    private func name<Row>(in page: Page<Row>, name: (Row) -> String) -> String? { row(in: page).map(name) }
}
