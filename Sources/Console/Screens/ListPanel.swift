import Control
import Terminal

/// A panel with a table and a cursor, shared by all list screens.
enum ListPanel {
    struct Look {
        var title: String
        var isFocused: Bool
        var empty: Note
        var sort: String?
        var isDescending = false
    }

    /// A page of the broker's list in a panel of its own.
    static func draw<Row>(
        _ page: Page<Row>, columns: [Column<Row>], list: ListState, look: Look, rect: Rect, on painter: inout Painter,
        row: (Row) -> (name: String, alarm: ThemeKey?)
    ) {
        let inner = painter.panel(rect, title: look.title, isFocused: look.isFocused, remark: remark(list, page.matched, rect.height - 3))
        drawTable(page, columns: columns, list: list, look: look, rect: inner, on: &painter, row: row)
    }

    /// A page of the broker's list, head and rows; rows outside the page show as `…` until they come.
    static func drawTable<Row>(
        _ page: Page<Row>, columns: [Column<Row>], list: ListState, look: Look, rect inner: Rect, on painter: inout Painter,
        row: (Row) -> (name: String, alarm: ThemeKey?)
    ) {
        let layout = TableLayout(columns, width: inner.width)
        layout.drawHead(x: inner.x, y: inner.y, sort: look.sort, isDescending: look.isDescending, on: &painter)
        if page.matched == 0 {
            painter.text(look.empty.text, x: inner.x + 3, y: inner.y + 1, width: inner.width - 4, look.empty.key)
            return
        }
        for line in 0..<max(0, inner.height - 1) where list.top + line < page.matched {
            let y = inner.y + 1 + line
            let index = list.top + line
            guard let item = list.row(index, in: page) else {
                painter.text(String(painter.glyphs.ellipsis), x: inner.x + 3, y: y, .dim)
                continue
            }
            let (name, alarm) = row(item)
            layout.draw(
                item, state: RowState(isCursor: look.isFocused && index == list.cursor, isMarked: list.marks.contains(name), alarm: alarm),
                x: inner.x, y: y, width: inner.width, on: &painter)
        }
    }

    /// Rows at hand, whole.
    static func drawRows<Row>(
        _ rows: [Row], columns: [Column<Row>], list: ListState, isFocused: Bool, empty: String, rect: Rect, on painter: inout Painter,
        alarm: (Row) -> ThemeKey? = { _ in nil }
    ) {
        let layout = TableLayout(columns, width: rect.width)
        layout.drawHead(x: rect.x, y: rect.y, sort: nil, isDescending: false, on: &painter)
        if rows.isEmpty { painter.text(empty, x: rect.x + 3, y: rect.y + 1, width: rect.width - 4, .dim) }
        for line in 0..<max(0, rect.height - 1) where rows.indices.contains(list.top + line) {
            let item = rows[list.top + line]
            layout.draw(
                item, state: RowState(isCursor: isFocused && list.top + line == list.cursor, alarm: alarm(item)), x: rect.x,
                y: rect.y + 1 + line, width: rect.width, on: &painter)
        }
    }

    /// `12-30 of 1,208` where not all is seen.
    static func remark(_ list: ListState, _ count: Int, _ visible: Int) -> String {
        guard count > visible else { return "" }
        return "\(list.top + 1)-\(min(count, list.top + max(1, visible))) of \(Short.exact(Int64(count)))"
    }
}
