import Terminal

/// A column of a table: a fixed width, so that nothing shifts when numbers change.
struct Column<Row>: Sendable {
    enum Role: Equatable, Sendable {
        case number
        case text
        /// Takes spare width first; the row's name.
        case name
        /// Takes what is left; dropped when narrower than its width.
        case trend
    }
    var title: String
    var width: Int
    /// Lower stays longer: columns are dropped from the highest when there is no room.
    var priority: Int
    var role: Role = .number
    /// Most columns it grows to.
    var maxWidth = 0
    /// The broker's field name for sorting.
    var field: String?
    /// Text and colour; the width is what the column has got.
    var cell: @Sendable (Row, Int) -> (String, ThemeKey)
}

/// A row's place in a table.
struct RowState {
    var isCursor = false
    var isMarked = false
    /// An alarm sign before the name.
    var alarm: ThemeKey?
}

/// Which columns fit, and how wide they are.
struct TableLayout<Row> {
    let columns: [Column<Row>]
    /// Cursor sign, mark, alarm.
    static var gutter: Int { 3 }

    init(_ all: [Column<Row>], width: Int) {
        var kept = all
        let room = width - Self.gutter
        func needed() -> Int { kept.reduce(0) { $0 + $1.width + 1 } }
        while needed() > room, kept.count > 1, let drop = kept.indices.max(by: { kept[$0].priority < kept[$1].priority }) {
            kept.remove(at: drop)
        }
        var spare = room - needed()
        // Names first, up to a readable width, then trends, then names again.
        for (role, limit) in [(Column<Row>.Role.name, 32), (.trend, .max), (.name, .max), (.text, .max)] {
            for index in kept.indices where kept[index].role == role && spare > 0 {
                let grow = min(spare, max(0, min(kept[index].maxWidth, limit) - kept[index].width))
                kept[index].width += grow
                spare -= grow
            }
        }
        columns = kept
    }

    /// Draws the head; the sorted column carries its direction.
    func drawHead(x: Int, y: Int, sort: String?, isDescending: Bool, on painter: inout Painter) {
        var column = x + Self.gutter
        for item in columns {
            let isSorted = sort != nil && item.field == sort
            let key: ThemeKey = isSorted ? .title : .dim
            if item.role == .number {
                painter.right(item.title, right: column + item.width, y: y, width: item.width, key)
            } else {
                painter.text(item.title, x: column, y: y, width: item.width, key)
            }
            if isSorted {
                let arrow = painter.glyphs.level == .ascii ? (isDescending ? "v" : "^") : (isDescending ? "▾" : "▴")
                let place = item.role == .number ? column + item.width - item.title.count - 1 : column + item.title.count
                painter.text(arrow, x: place, y: y, width: 1, .title)
            }
            column += item.width + 1
        }
    }

    func draw(_ row: Row, state: RowState, x: Int, y: Int, width: Int, on painter: inout Painter) {
        if state.isMarked { painter.text("*", x: x + 1, y: y, .mark) }
        if let alarm = state.alarm { painter.text("!", x: x + 2, y: y, alarm) }
        var column = x + Self.gutter
        for item in columns {
            let (text, key) = item.cell(row, item.width)
            if item.role == .number {
                painter.right(text, right: column + item.width, y: y, width: item.width, key)
            } else {
                painter.text(text, x: column, y: y, width: item.width, key)
            }
            column += item.width + 1
        }
        if state.isCursor {
            painter.text(">", x: x, y: y, .text)
            let selection = painter.theme[.selection]
            painter.canvas.restyle(Rect(x: x, y: y, width: width, height: 1)) { $0.selected(by: selection) }
        }
    }
}
