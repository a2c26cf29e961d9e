import Terminal

/// The fields of a dialog, line by line.
enum FormView {
    /// Returns the line below the last.
    static func draw(_ form: Form, x: Int, y: Int, width: Int, on painter: inout Painter) -> Int {
        let label = min(34, form.fields.filter { !$0.joins }.map { CharacterWidth.of($0.label) }.max() ?? 0) + 2
        let lines = form.lines
        for (row, line) in lines.enumerated() {
            var column = x
            for index in line {
                let field = form.fields[index]
                let isFocused = form.focus == index
                if !field.joins {
                    painter.text(field.label, x: x, y: y + row, width: label - 1, isFocused ? .title : .text)
                    column = x + label
                }
                column = draw(field, isFocused: isFocused, x: column, y: y + row, limit: x + width, on: &painter)
            }
        }
        return y + lines.count
    }

    private static func draw(_ field: Form.Field, isFocused: Bool, x: Int, y: Int, limit: Int, on painter: inout Painter) -> Int {
        var column = x
        if !field.before.isEmpty { column = painter.text(field.before + " ", x: column, y: y, width: limit - column, .text) }
        switch field.kind {
        case .text(let editor, let hint):
            // The hint is read in full before the box gets long.
            let free = max(16, min(36, limit - column - CharacterWidth.of(hint) - 3))
            let wide = max(1, min(field.width ?? free, limit - column - 2))
            painter.text("[", x: column, y: y, .dim)
            PaletteView.input(editor, x: column + 1, y: y, width: wide, isFocused: isFocused, on: &painter)
            painter.text("]", x: column + 1 + wide, y: y, .dim)
            column += wide + 2
            if !hint.isEmpty { column = painter.text(" " + hint, x: column, y: y, width: limit - column, .dim) }
        case .choice(let options, let selected):
            for (place, option) in options.enumerated() where column < limit {
                let isChosen = place == selected
                column =
                    painter.text(
                        (isChosen ? "(x) " : "( ) ") + option, x: column, y: y, width: limit - column,
                        isChosen ? (isFocused ? .button : .title) : .text) + 2
            }
            column -= 2
        case .check(let isOn):
            let words = (isOn ? "[x] " : "[ ] ") + field.after
            return painter.text(words, x: column, y: y, width: limit - column, isFocused ? .button : isOn ? .title : .text) + 1
        }
        if !field.after.isEmpty { column = painter.text(field.after, x: column, y: y, width: max(0, limit - column), .text) }
        return column + 2
    }
}
