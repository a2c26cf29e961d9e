import Terminal

/// The lines of the dialog in which columns are chosen.
enum ColumnsView {
    static func draw(_ model: ConsoleModel, _ pick: ColumnPick, message: Note?, rect: Rect, on painter: inout Painter) {
        let columns = pick.table.columns
        let hidden = model.hiddenColumns[pick.table] ?? []
        let visible = max(1, rect.height - 1)
        let top = max(0, min(pick.cursor - visible + 1, columns.count - visible))
        for (row, column) in columns.dropFirst(top).prefix(visible).enumerated() {
            let isCursor = top + row == pick.cursor
            let isHidden = hidden.contains(column.title)
            painter.spans(
                [
                    (isCursor ? "> " : "  ", .text), (isHidden ? "[ ] " : "[x] ", column.mayHide ? .key : .dim),
                    (column.title.isEmpty ? "(remark)" : column.title, isHidden ? .dim : .text),
                ], x: rect.x, y: rect.y + row, limit: rect.maxX)
        }
        if let message {
            painter.text(message.text, x: rect.x, y: rect.maxY - 1, width: rect.width, message.key)
        } else {
            painter.spans(
                [("space", .key), (" show or hide  ", .dim), ("a", .key), (" all  ", .dim), ("Esc", .key), (" done", .dim)], x: rect.x,
                y: rect.maxY - 1, limit: rect.maxX)
        }
    }
}
