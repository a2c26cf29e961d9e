import Control
import Terminal

enum MessageColumns {
    /// Messages of one queue: what waits in it.
    static func queue(nowMs: Int64) -> [Column<MessageRow>] {
        [
            id,
            Column(title: "STATE", width: 8, priority: 1, role: .text) { row, _ in (row.state.rawValue, look(row.state)) },
            Column(title: "ATT", width: 3, priority: 3) { row, _ in (String(row.attempts), row.attempts > 1 ? .retry : .dim) },
            age("AGE", nowMs: nowMs), key, size, value,
        ]
    }

    /// Delayed messages and waiting retries.
    static func delay(nowMs: Int64, offset: Int64) -> [Column<MessageRow>] {
        [
            id,
            Column<MessageRow>(title: "DUE IN", width: 7, priority: 1) { row, _ in
                guard let due = row.dueMs else { return (Short.unknown, .dim) }
                return due <= nowMs ? ("overdue", .warn) : (Short.duration(ms: due - nowMs), .text)
            },
            Column<MessageRow>(title: "DUE AT", width: 8, priority: 4, role: .text) { row, _ in
                (row.dueMs.map { Short.clock(ms: $0, offset: offset) } ?? "", .dim)
            },
            Column<MessageRow>(title: "ATT", width: 3, priority: 3) { row, _ in
                (row.state == .waiting ? String(row.attempts + 1) : "-", row.state == .waiting ? .retry : .dim)
            },
            key, size, value,
        ]
    }

    static func dead(nowMs: Int64, offset: Int64) -> [Column<MessageRow>] {
        [
            id,
            Column(title: "DIED", width: 8, priority: 2, role: .text) { row, _ in
                (row.diedMs.map { Short.clock(ms: $0, offset: offset) } ?? Short.unknown, .dim)
            },
            Column(title: "ATT", width: 3, priority: 4) { row, _ in (String(row.attempts), .dim) },
            Column(title: "RED", width: 3, priority: 3) { row, _ in (String(row.redriven), row.redriven > 0 ? .retry : .dim) },
            Column(title: "ORIGIN", width: 12, priority: 3, role: .text, maxWidth: 24) { row, _ in (row.origin ?? Short.unknown, .text) },
            Column(title: "REASON", width: 16, priority: 1, role: .text, maxWidth: 44) { row, _ in
                (row.reason.map { reason in row.error.map { "\(reason): \($0)" } ?? reason } ?? Short.unknown, .dead)
            },
            key, size, value,
        ]
    }

    private static var id: Column<MessageRow> {
        Column(title: "ID", width: 10, priority: 0, role: .text, maxWidth: 16) { row, _ in (row.id, .text) }
    }
    private static var key: Column<MessageRow> {
        Column(title: "KEY", width: 10, priority: 3, role: .text, maxWidth: 24) { row, _ in (row.key ?? "-", row.key == nil ? .dim : .text)
        }
    }
    private static var size: Column<MessageRow> {
        Column(title: "SIZE", width: 5, priority: 6) { row, _ in (Short.bytes(Int64(row.bytes)), .dim) }
    }
    private static var value: Column<MessageRow> {
        Column(title: "VALUE", width: 14, priority: 2, role: .name, maxWidth: 200) { row, _ in (row.value, .text) }
    }
    private static func age(_ title: String, nowMs: Int64) -> Column<MessageRow> {
        Column(title: title, width: 6, priority: 2) { row, _ in (row.atMs.map { Short.duration(ms: nowMs - $0) } ?? Short.unknown, .text) }
    }

    static func look(_ state: MessageRow.State) -> ThemeKey {
        switch state {
        case .ready: .ready
        case .acquired: .unacked
        case .waiting: .retry
        case .delayed: .delayed
        case .dead, .expired: .dead
        case .settled, .purged: .dim
        }
    }
}

/// A window of messages under its head, or why there is none.
enum MessageList {
    static func draw(
        _ model: ConsoleModel, _ page: Page<MessageRow>?, columns: [Column<MessageRow>], look: ListPanel.Look, rect: Rect,
        on painter: inout Painter
    ) {
        ListPanel.drawTable(page ?? Page(), columns: columns, list: model.browse.messages, look: look, rect: rect, on: &painter) {
            ($0.markName, nil)
        }
    }

    /// What a list without messages says; `hint` is for one without a filter.
    static func empty(_ model: ConsoleModel, isAnswered: Bool, hint: String) -> Note {
        if !isAnswered { return Note("asking…", .dim) }
        let filter = model.browse.messages.filter
        return Note(filter.isEmpty ? hint : "No message matches \(filter). Esc shows all.", .dim)
    }
}
