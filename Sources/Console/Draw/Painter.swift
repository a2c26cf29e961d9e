import Terminal

/// Draws panels and texts by meaning onto a canvas.
struct Painter {
    var canvas: Canvas
    let theme: Theme
    /// Whose background everything stands on: the screen's, or a dialog's.
    var ground = ThemeKey.text

    init(size: Size, theme: Theme) {
        canvas = Canvas(size: size, style: theme[.text])
        self.theme = theme
    }

    var glyphs: Glyphs { theme.glyphs }

    /// The look of a key's text on the present ground, in ordinary text's colour where it has none of its own.
    func style(_ key: ThemeKey) -> Style {
        var style = theme[key]
        // Ordinary text's ground is the screen's; in a dialog it stands on the dialog's.
        if key == .text { style.background = .own }
        return style.over(Style(foreground: theme[.text].foreground, background: theme[ground].background))
    }

    @discardableResult
    mutating func text(_ text: String, x: Int, y: Int, width: Int = .max, _ key: ThemeKey = .text) -> Int {
        canvas.text(glyphs.printable(text), x: x, y: y, width: width, style: style(key), ellipsis: glyphs.ellipsis)
    }

    mutating func right(_ text: String, right: Int, y: Int, width: Int, _ key: ThemeKey = .text) {
        canvas.rightText(glyphs.printable(text), right: right, y: y, width: width, style: style(key))
    }

    /// Texts one after the other; returns the column after them.
    @discardableResult
    mutating func spans(_ spans: [(String, ThemeKey)], x: Int, y: Int, limit: Int = .max) -> Int {
        var column = x
        let end = limit == .max ? canvas.size.columns : limit
        for (text, key) in spans where column < end {
            column = self.text(text, x: column, y: y, width: end - column, key)
        }
        return column
    }

    /// A border with a title at its left and a remark at its right; returns what lies inside.
    @discardableResult
    mutating func panel(_ rect: Rect, title: String, isFocused: Bool = false, remark: String = "") -> Rect {
        guard rect.width >= 2, rect.height >= 2 else { return Rect(x: rect.x, y: rect.y, width: 0, height: 0) }
        let key = isFocused ? ThemeKey.focus : .border
        let edge = style(key)
        let (right, bottom) = (rect.maxX - 1, rect.maxY - 1)
        for x in (rect.x + 1)..<max(rect.x + 1, right) {
            canvas[x, rect.y] = Cell(glyphs.horizontal, style: edge)
            canvas[x, bottom] = Cell(glyphs.horizontal, style: edge)
        }
        for y in (rect.y + 1)..<max(rect.y + 1, bottom) {
            canvas[rect.x, y] = Cell(glyphs.vertical, style: edge)
            canvas[right, y] = Cell(glyphs.vertical, style: edge)
        }
        canvas[rect.x, rect.y] = Cell(glyphs.topLeft, style: edge)
        canvas[right, rect.y] = Cell(glyphs.topRight, style: edge)
        canvas[rect.x, bottom] = Cell(glyphs.bottomLeft, style: edge)
        canvas[right, bottom] = Cell(glyphs.bottomRight, style: edge)
        var used = rect.x + 1
        if !title.isEmpty { used = text(" \(title) ", x: rect.x + 1, y: rect.y, width: rect.width - 2, .title) }
        let wide = CharacterWidth.of(remark) + 2
        if !remark.isEmpty, right - wide - 1 > used { text(" \(remark) ", x: right - wide - 1, y: rect.y, .dim) }
        return rect.inner
    }
}
