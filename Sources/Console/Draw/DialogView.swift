import Control
import Terminal

/// The open dialog, in the middle; full width on narrow terminals.
enum DialogView {
    static func draw(_ model: ConsoleModel, on painter: inout Painter) {
        guard var dialog = model.dialog else { return }
        painter.ground = .dialog
        defer { painter.ground = .text }
        let inset = model.size.columns >= 90 ? 6 : 0
        let width = min(96, model.size.columns - 2 * inset)
        dialog.notes = dialog.notes.flatMap { wrapped($0, width: width - 6) }
        let lines = body(dialog)
        let command = dialog.commandLine.map { commandNotes($0, width: width - 6) } ?? []
        let extra = (command.isEmpty ? 0 : 1 + command.count) + (dialog.form.buttons.isEmpty ? 1 : 2) + (dialog.message == nil ? 0 : 1)
        let height = min(model.size.rows, lines + extra + 3)
        let rect = Rect(
            x: (model.size.columns - width) / 2, y: max(0, (model.size.rows - height) / 2), width: width, height: height)
        painter.canvas.fill(rect, style: painter.style(.dialog))
        let inner = painter.panel(rect, title: dialog.title, isFocused: true)
        var y = inner.y + (inner.height > lines + extra ? 1 : 0)
        let (x, room) = (inner.x + 2, inner.width - 4)
        if case .moves(let moves, let top, _) = dialog.kind {
            drawMoves(moves, top: top, rect: Rect(x: x, y: y, width: room, height: inner.maxY - y - 1), on: &painter)
            painter.spans([("j k", .key), (" move  ", .dim), ("Esc", .key), (" back to the form", .dim)], x: x, y: inner.maxY - 1)
            return
        }
        if case .columns(let pick) = dialog.kind {
            ColumnsView.draw(
                model, pick, message: dialog.message, rect: Rect(x: x, y: y, width: room, height: inner.maxY - y), on: &painter)
            return
        }
        if case .listing(let lines, let top, _) = dialog.kind {
            for (row, note) in lines.dropFirst(top).prefix(max(0, inner.maxY - y - 2)).enumerated() {
                painter.text(note.text, x: x, y: y + row, width: room, note.key)
            }
            painter.spans([("j k", .key), (" move  ", .dim), ("Esc", .key), (" back to the form", .dim)], x: x, y: inner.maxY - 1)
            return
        }
        // A form with a dry run comes before what it would do, a warning before what is to be typed.
        if dialog.hasDryRun {
            y = fields(dialog, x: x, y: y, width: room, on: &painter)
            y = notes(dialog, x: x, y: y, width: room, on: &painter)
        } else {
            y = notes(dialog, x: x, y: y, width: room, on: &painter)
            y = fields(dialog, x: x, y: y, width: room, on: &painter)
        }
        if let message = dialog.message {
            painter.text(message.text, x: x, y: y, width: room, message.key)
            y += 1
        }
        y += 1
        buttons(dialog, x: x, y: y, limit: inner.maxX - 1, on: &painter)
        for (row, note) in command.enumerated() { painter.text(note.text, x: x, y: y + 2 + row, width: room, note.key) }
    }

    /// Whether fields and buttons are all within the screen.
    static func fits(_ dialog: Dialog, _ size: Size) -> Bool {
        let width = min(96, size.columns) - 6
        var dialog = dialog
        dialog.notes = dialog.notes.flatMap { wrapped($0, width: width) }
        return body(dialog) + (dialog.form.buttons.isEmpty ? 1 : 2) + (dialog.message == nil ? 0 : 1) + 2 <= size.rows && size.columns >= 40
    }

    /// The equivalent command line, whole where it fits into four lines.
    private static func commandNotes(_ line: String, width: Int) -> [Note] {
        wrapped(Note("$ " + line, .dim), width: width).enumerated().map { Note(($0 > 0 ? "  " : "") + $1.text, $1.key) }
    }

    /// A note in lines of at most `width` columns, broken between words; at most four.
    static func wrapped(_ note: Note, width: Int) -> [Note] {
        guard CharacterWidth.of(note.text) > width, width > 10 else { return [note] }
        let indent = String(note.text.prefix { $0 == " " })
        var lines: [String] = []
        var line = indent
        for word in note.text.dropFirst(indent.count).split(separator: " ", omittingEmptySubsequences: false) {
            if line.count > indent.count, CharacterWidth.of(line) + 1 + CharacterWidth.of(word) > width, lines.count < 3 {
                lines.append(line)
                line = indent
            }
            line += line.count > indent.count ? " " + word : String(word)
        }
        return (lines + [line]).map { Note($0, note.key) }
    }

    /// Lines that notes and fields take.
    private static func body(_ dialog: Dialog) -> Int {
        if case .moves(let moves, _, _) = dialog.kind { return min(20, moves.count + 2) }
        if case .columns(let pick) = dialog.kind { return min(20, pick.table.columns.count + 1) }
        if case .listing(let lines, _, _) = dialog.kind { return min(20, lines.count + 1) }
        if case .themes = dialog.kind { return themeLines(dialog) }
        return dialog.notes.count + dialog.form.lines.count
    }

    private static func themeLines(_ dialog: Dialog) -> Int {
        guard case .choice(let names, _) = dialog.form.fields.first?.kind else { return 1 }
        return min(12, names.count)
    }

    private static func notes(_ dialog: Dialog, x: Int, y: Int, width: Int, on painter: inout Painter) -> Int {
        for (index, note) in dialog.notes.enumerated() { painter.text(note.text, x: x, y: y + index, width: width, note.key) }
        return y + dialog.notes.count
    }

    private static func fields(_ dialog: Dialog, x: Int, y: Int, width: Int, on painter: inout Painter) -> Int {
        if case .themes = dialog.kind { return themes(dialog, x: x, y: y, on: &painter) }
        return FormView.draw(dialog.form, x: x, y: y, width: width, on: &painter)
    }

    private static func themes(_ dialog: Dialog, x: Int, y: Int, on painter: inout Painter) -> Int {
        guard case .choice(let names, let selected) = dialog.form.fields.first?.kind else { return y }
        let rows = themeLines(dialog)
        let top = min(max(0, selected - rows / 2), names.count - rows)
        for row in 0..<rows {
            let isChosen = top + row == selected
            painter.text(
                isChosen ? "> \(names[top + row])" : "  \(names[top + row])", x: x, y: y + row, width: 24, isChosen ? .button : .text)
        }
        let samples: [(String, ThemeKey)] = [
            ("ok ", .ok), ("warn ", .warn), ("CRIT ", .crit), ("info ", .info), ("in ", .graph_in), ("out ", .graph_out), ("lag ", .ready),
            ("dim", .dim),
        ]
        painter.spans(samples, x: x + 28, y: y)
        return y + rows
    }

    private static func buttons(_ dialog: Dialog, x: Int, y: Int, limit: Int, on painter: inout Painter) {
        var column = x
        for (index, button) in dialog.form.buttons.enumerated() {
            let isFocused = dialog.form.focusedButton == index
            column = painter.text("[ \(button.label) ]", x: column, y: y, isFocused ? .button : .text)
            var key = index == 0 ? "Esc" : dialog.form.isTyped ? "enter" : String(button.hotkey)
            if index > 0, case .themes = dialog.kind { key = "enter" }
            column = painter.spans([(" ", .dim), (key, .key)], x: column, y: y) + 3
        }
        if dialog.hasDryRun { column = painter.spans([("d", .key), (" dry-run list", .dim)], x: column, y: y, limit: limit) + 3 }
        if dialog.commandLine != nil, !dialog.form.isTyped, !dialog.form.fields.isEmpty {
            painter.spans([("y", .key), (" copy command", .dim)], x: column, y: y, limit: limit)
        }
    }

    private static func drawMoves(_ moves: [OffsetMove], top: Int, rect: Rect, on painter: inout Painter) {
        painter.text("TOPIC", x: rect.x, y: rect.y, .dim)
        for (title, right) in [("P", 32), ("FROM", 46), ("TO", 60), ("END", 74)] {
            painter.right(title, right: rect.x + right, y: rect.y, width: 12, .dim)
        }
        for row in 0..<max(0, rect.height - 1) where moves.indices.contains(top + row) {
            let move = moves[top + row]
            let y = rect.y + 1 + row
            painter.text(move.topic, x: rect.x, y: y, width: 26)
            painter.right(String(move.partition), right: rect.x + 32, y: y, width: 5)
            painter.right(move.from.map(String.init) ?? "none", right: rect.x + 46, y: y, width: 13, .dim)
            painter.right(String(move.to), right: rect.x + 60, y: y, width: 13, move.from == move.to ? .dim : .title)
            painter.right(String(move.end), right: rect.x + 74, y: y, width: 13, .dim)
        }
    }
}
