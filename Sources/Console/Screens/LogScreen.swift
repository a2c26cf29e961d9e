import Control
import Terminal

/// The broker's events, the newest at the bottom.
enum LogScreen {
    static func draw(_ model: ConsoleModel, on painter: inout Painter) {
        let rect = model.layout.body
        let lines = model.logLines
        let inner = painter.panel(rect, title: "Log", isFocused: true, remark: lines.count > rect.height - 2 ? "\(lines.count)" : "")
        if lines.isEmpty {
            painter.text(model.log.filter.isEmpty ? "Nothing happened yet." : "Nothing matches.", x: inner.x + 3, y: inner.y, .dim)
        }
        // Until it is scrolled the log follows its end.
        let top = model.log.pinned == nil ? max(0, lines.count - inner.height) : model.log.top
        Self.lines(lines.dropFirst(top).prefix(inner.height), offset: model.utcOffset, in: inner, on: &painter)
    }

    /// The last events that fit, each with its time.
    static func lines(_ events: ArraySlice<Event>, offset: Int64, in rect: Rect, on painter: inout Painter) {
        for (row, event) in events.suffix(rect.height).enumerated() {
            let key: ThemeKey = event.level == "error" ? .crit : event.level == "warning" ? .warn : .text
            painter.spans(
                [(Short.clock(ms: event.atMs, offset: offset) + "  ", .dim), (event.text, key)], x: rect.x + 1, y: rect.y + row,
                limit: rect.maxX)
        }
    }
}
