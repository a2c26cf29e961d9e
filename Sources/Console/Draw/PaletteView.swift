import Terminal

/// The `:` line over the footer, with what completes it above.
enum PaletteView {
    static func draw(_ model: ConsoleModel, on painter: inout Painter) {
        guard let prompt = model.prompt, prompt.kind == .palette else { return }
        let y = model.layout.statusY
        let completions = Palette.completions(for: prompt.editor.text, in: model)
        if !completions.isEmpty {
            let width = min(model.size.columns, 72)
            let rect = Rect(x: 0, y: y - completions.count - 2, width: width, height: completions.count + 2)
            painter.ground = .dialog
            defer { painter.ground = .text }
            painter.canvas.fill(rect, style: painter.style(.dialog))
            let inner = painter.panel(rect, title: "", isFocused: true)
            for (row, item) in completions.enumerated() {
                let isChosen = row == prompt.choice
                painter.text(isChosen ? ">" : " ", x: inner.x, y: inner.y + row)
                painter.text(item.line, x: inner.x + 1, y: inner.y + row, width: inner.width - 30, .text)
                painter.text(item.meaning, x: inner.x + inner.width - 28, y: inner.y + row, width: 28, .dim)
                guard isChosen else { continue }
                let selection = painter.theme[.selection]
                painter.canvas.restyle(Rect(x: inner.x, y: inner.y + row, width: inner.width, height: 1)) { $0.selected(by: selection) }
            }
        }
        painter.canvas.fill(Rect(x: 0, y: y, width: model.size.columns, height: 1), style: painter.style(.text))
        let x = painter.spans([(" :", .prompt)], x: 0, y: y)
        input(prompt.editor, x: x, y: y, width: model.size.columns - x - 1, on: &painter)
    }

    /// A line of text with its cursor shown by reversing the cell.
    static func input(_ editor: LineEditor, x: Int, y: Int, width: Int, isFocused: Bool = true, on painter: inout Painter) {
        guard width > 0 else { return }
        let characters = Array(editor.text)
        // The cursor stays visible in a line longer than its field.
        let first = max(0, editor.cursor - width + 1)
        let shown = String(characters[min(first, characters.count)...])
        let style = painter.style(.input)
        painter.canvas.fill(Rect(x: x, y: y, width: width, height: 1), style: style)
        painter.canvas.text(painter.glyphs.printable(shown), x: x, y: y, width: width, style: style)
        guard isFocused else { return }
        let before = CharacterWidth.of(String(characters[first..<editor.cursor]))
        painter.canvas.restyle(Rect(x: x + before, y: y, width: 1, height: 1)) {
            Style(foreground: $0.foreground, background: $0.background, attributes: [.reverse])
        }
    }
}

/// Help over the screen.
enum HelpView {
    private static func height(_ lines: Int, _ size: Size) -> Int { min(lines + 2, size.rows - 3) }

    /// The first line that is shown when the last one is.
    static func bottom(_ model: ConsoleModel) -> Int {
        let lines = HelpText.lines(for: model).count
        return max(0, lines - height(lines, model.size) + 2)
    }

    static func draw(_ model: ConsoleModel, on painter: inout Painter) {
        guard let top = model.helpTop else { return }
        let lines = HelpText.lines(for: model)
        painter.ground = .dialog
        defer { painter.ground = .text }
        let width = min(82, model.size.columns)
        let height = height(lines.count, model.size)
        let rect = Rect(x: (model.size.columns - width) / 2, y: max(1, (model.size.rows - height) / 2), width: width, height: height)
        painter.canvas.fill(rect, style: painter.style(.dialog))
        let inner = painter.panel(
            rect, title: "Keys: \(model.screen.title)", isFocused: true, remark: lines.count > height - 2 ? "j k for more" : "")
        for row in 0..<inner.height where lines.indices.contains(top + row) {
            let (key, meaning) = lines[top + row]
            let y = inner.y + row
            if key.isEmpty {
                painter.text(meaning, x: inner.x + 1, y: y, width: inner.width - 2, .title)
            } else {
                painter.text(key, x: inner.x + 3, y: y, width: 16, .key)
                painter.text(meaning, x: inner.x + 20, y: y, width: inner.width - 21, .text)
            }
        }
    }
}
