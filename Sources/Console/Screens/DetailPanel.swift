import Control
import Terminal

/// The panel of one thing's detail: its name, its tables on the border, a summary line, and room for the table that is shown.
enum DetailPanel {
    struct Look {
        var title: String
        /// The broker was asked for it and has none.
        var isGone = false
        var noun: String
    }

    /// Draws the frame; returns what lies inside, nil when there is nothing to show in it (yet).
    static func frame(_ model: ConsoleModel, look: Look, hasDetail: Bool, rect: Rect, on painter: inout Painter) -> Rect? {
        let inner = painter.panel(rect, title: look.title, isFocused: model.isDetailOpened)
        guard hasDetail else {
            let text = look.isGone ? "There is no \(look.noun) \(look.title) now. Esc goes back." : ""
            painter.text(text, x: inner.x + 3, y: inner.y, width: inner.width - 4, .dim)
            return nil
        }
        // The preview of a queue shows its consumers, whatever table was opened last.
        let tab = model.screen == .queues && !model.isDetailOpened ? 1 : model.browse.tab
        DetailTabs.draw(model.detailTabs, selected: tab, rect: rect, on: &painter)
        return inner
    }

    /// The table's part of a frame, below the summary and above the last line.
    static func table(_ inner: Rect) -> Rect { Rect(x: inner.x, y: inner.y + 1, width: inner.width, height: inner.height - 2) }
}

extension ConsoleModel {
    /// The note of a list that has no rows.
    func emptyNote(_ page: (matched: Int, total: Int), noun: String, hint: String) -> Note {
        if isFrozen, page.total == 0 { return Note("Nothing of this list was kept at this instant; z goes back to now.", .dim) }
        let filter = browse.list.filter
        return Note(filter.isEmpty ? hint : "No \(noun) matches \(filter). Esc shows all.", .dim)
    }
}
