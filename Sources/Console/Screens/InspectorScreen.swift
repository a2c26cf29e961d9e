import Control
import Terminal

/// One message, whole: its value as text (JSON laid out), as bytes, its headers, why it died, and what happened to it.
enum InspectorScreen {
    static func draw(_ model: ConsoleModel, on painter: inout Painter) {
        guard let inspector = model.inspector else { return }
        let rect = model.layout.body
        guard let message = model.inspected else {
            let inner = painter.panel(rect, title: "\(inspector.name.queue) \(inspector.name.id)", isFocused: true)
            let text = model.isInspectedGone ? "It is not there any more. Esc goes back." : "asking…"
            painter.text(text, x: inner.x + 3, y: inner.y, .dim)
            return
        }
        if model.layout.isWide {
            wide(model, inspector, message, rect, on: &painter)
            return
        }
        let inner = painter.panel(rect, title: title(message), isFocused: true)
        DetailTabs.draw(Inspector.Tab.allCases.map(\.rawValue), selected: place(inspector.tab), rect: rect, on: &painter)
        summary(message, model, x: inner.x + 1, y: inner.y, width: inner.width - 2, on: &painter)
        body(
            InspectorText.lines(message, tab: inspector.tab, width: inner.width - 4, model: model), top: inspector.top,
            rect: Rect(x: inner.x, y: inner.y + 1, width: inner.width, height: inner.height - 1), on: &painter)
    }

    static func place(_ tab: Inspector.Tab) -> Int { Inspector.Tab.allCases.firstIndex(of: tab) ?? 0 }

    private static func title(_ message: MessageDetail) -> String {
        let place = message.offset.map { "\(message.topic)/\(message.partition)/\($0)" } ?? "\(message.topic) \(message.row.id)"
        return "\(place)  \(message.row.state.rawValue)"
    }

    /// Everything at once: the value at the left, the rest at the right.
    private static func wide(
        _ model: ConsoleModel, _ inspector: Inspector, _ message: MessageDetail, _ rect: Rect, on painter: inout Painter
    ) {
        let left = Rect(x: rect.x, y: rect.y, width: rect.width / 2, height: rect.height)
        let inner = painter.panel(left, title: title(message), isFocused: true)
        let tab = inspector.tab == .hex ? Inspector.Tab.hex : .text
        DetailTabs.draw(["text", "hex"], selected: tab == .hex ? 1 : 0, rect: left, on: &painter)
        summary(message, model, x: inner.x + 1, y: inner.y, width: inner.width - 2, on: &painter)
        body(
            InspectorText.lines(message, tab: tab, width: inner.width - 4, model: model), top: inspector.top,
            rect: Rect(x: inner.x, y: inner.y + 1, width: inner.width, height: inner.height - 1), on: &painter)
        let third = rect.height / 3
        let titles: [(Inspector.Tab, String)] = [(.headers, "Headers"), (.death, "Death history"), (.timeline, "Time line")]
        for (index, (tab, title)) in titles.enumerated() {
            let y = rect.y + index * third
            let panel = Rect(x: left.maxX, y: y, width: rect.width - left.width, height: index == 2 ? rect.maxY - y : third)
            let inner = painter.panel(panel, title: title)
            body(InspectorText.lines(message, tab: tab, width: inner.width - 4, model: model), top: 0, rect: inner, on: &painter)
        }
    }

    private static func summary(_ message: MessageDetail, _ model: ConsoleModel, x: Int, y: Int, width: Int, on painter: inout Painter) {
        var spans: [(String, ThemeKey)] = [
            ("key ", .dim), (message.row.key ?? "none", message.row.key == nil ? .dim : .title), ("  ", .dim),
            (Short.bytes(Int64(message.row.bytes)), .text), ("  attempts ", .dim), (String(message.row.attempts), .text),
        ]
        if message.compression != "none" { spans.append(("  \(message.compression), decompressed", .dim)) }
        if let ms = message.timestampMs { spans += [("  at ", .dim), (CivilTime.text(ms: ms, offset: model.utcOffset), .text)] }
        if let due = message.row.dueMs { spans += [("  due ", .dim), (CivilTime.text(ms: due, offset: model.utcOffset), .delayed)] }
        painter.spans(spans, x: x, y: y, limit: x + width)
    }

    private static func body(_ lines: [[(String, ThemeKey)]], top: Int, rect: Rect, on painter: inout Painter) {
        let top = min(top, max(0, lines.count - rect.height))
        for row in 0..<max(0, rect.height) where lines.indices.contains(top + row) {
            painter.spans(lines[top + row], x: rect.x + 1, y: rect.y + row, limit: rect.maxX - 1)
        }
    }
}
