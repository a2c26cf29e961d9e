import Control
import Terminal

/// Who did what, when, and what came of it; `u` takes back what still can be.
enum AuditScreen {
    static func draw(_ model: ConsoleModel, _ snapshot: Snapshot, on painter: inout Painter) {
        let layout = model.layout.browse(isOpened: model.isDetailOpened, hasGraph: false)
        if let rect = layout.list {
            let state = model.audit.list
            let empty = model.emptyNote(
                (snapshot.audit.matched, snapshot.audit.total), noun: "line",
                hint: "Nothing was done yet. Every action is written down here.")
            ListPanel.draw(
                snapshot.audit, columns: model.visible(AuditColumns.all(offset: model.utcOffset), of: .audit), list: state,
                look: .init(title: "Audit", isFocused: true, empty: empty, sort: nil, isDescending: true), rect: rect, on: &painter
            ) { (String($0.id), $0.ok ? nil : .crit) }
        }
        if let rect = layout.detail { detail(model, snapshot, rect, on: &painter) }
    }

    private static func detail(_ model: ConsoleModel, _ snapshot: Snapshot, _ rect: Rect, on painter: inout Painter) {
        guard let id = model.selected, let row = snapshot.audit.rows.first(where: { String($0.id) == id }) else {
            painter.panel(rect, title: "")
            return
        }
        let inner = painter.panel(
            rect, title: "\(CivilTime.text(ms: row.atMs, offset: model.utcOffset))  \(row.actor)", isFocused: model.isDetailOpened)
        var y = inner.y
        let notes =
            DialogView.wrapped(Note("$ " + row.command, .text), width: inner.width - 6)
            + DialogView.wrapped(Note(row.outcome, row.ok ? .ok : .crit), width: inner.width - 6)
        for note in notes where y < inner.maxY {
            painter.text(note.text, x: inner.x + 3, y: y, width: inner.width - 4, note.key)
            y += 1
        }
        if let undo = row.undo, y < inner.maxY {
            painter.spans([("u", .key), (" takes it back (weir undo \(undo))", .dim)], x: inner.x + 3, y: y)
        }
    }
}

enum AuditColumns {
    static func all(offset: Int64) -> [Column<AuditRow>] {
        [
            Column(title: "TIME", width: 8, priority: 0, role: .text) { row, _ in (Short.clock(ms: row.atMs, offset: offset), .dim) },
            Column(title: "BY", width: 8, priority: 4, role: .text, maxWidth: 24) { row, _ in (row.actor, .dim) },
            Column(title: "UNDO", width: 4, priority: 2, role: .text) { row, _ in (row.undo == nil ? "" : "u", .key) },
            Column(title: "COMMAND", width: 24, priority: 1, role: .name, maxWidth: 200) { row, _ in (row.command, .text) },
            Column(title: "OUTCOME", width: 24, priority: 3, role: .text, maxWidth: 80) { row, _ in (row.outcome, row.ok ? .ok : .crit) },
        ]
    }
}
