import Control
import Terminal

/// Who is connected: name, library, address, what goes through, what waits; `K` closes a connection.
enum ClientsScreen {
    static func draw(_ model: ConsoleModel, _ snapshot: Snapshot, on painter: inout Painter) {
        let layout = model.layout.browse(isOpened: model.isDetailOpened, hasGraph: false)
        if let rect = layout.list {
            let state = model.clients.list
            let empty = model.emptyNote(
                (snapshot.clients.matched, snapshot.clients.total), noun: "client", hint: "No client is connected.")
            ListPanel.draw(
                snapshot.clients, columns: model.visible(ClientColumns.all(nowMs: model.shownMs), of: .clients), list: state,
                look: .init(title: "Clients", isFocused: true, empty: empty, sort: state.sort, isDescending: state.isDescending),
                rect: rect, on: &painter
            ) { (String($0.id), nil) }
        }
        if let rect = layout.detail { detail(model, snapshot, rect, on: &painter) }
    }

    private static func detail(_ model: ConsoleModel, _ snapshot: Snapshot, _ rect: Rect, on painter: inout Painter) {
        guard let id = model.selected else {
            painter.panel(rect, title: "")
            return
        }
        let found = snapshot.clients.rows.first { String($0.id) == id }
        let inner = painter.panel(rect, title: "Client \(id)", isFocused: model.isDetailOpened)
        guard let client = found else {
            if model.isDetailOpened { painter.text("It is not connected now. Esc goes back.", x: inner.x + 3, y: inner.y, .dim) }
            return
        }
        for (row, line) in lines(client, model).prefix(inner.height).enumerated() {
            painter.spans(line, x: inner.x + 3, y: inner.y + row, limit: inner.maxX - 1)
        }
    }

    private static func lines(_ client: ClientRow, _ model: ConsoleModel) -> [[(String, ThemeKey)]] {
        func line(_ word: String, _ text: String, _ key: ThemeKey = .text) -> [(String, ThemeKey)] {
            [(word + String(repeating: " ", count: max(1, 12 - word.count)), .dim), (text, key)]
        }
        var lines = [
            line("client id", client.client.isEmpty ? Short.unknown : client.client, .title),
            line("software", client.software ?? Short.unknown), line("address", "\(client.address) by \(client.door)"),
            line("connected", CivilTime.text(ms: client.sinceMs, offset: model.utcOffset)),
            [
                ("traffic     ", .dim), (Short.bytes(Int64(client.inBytesRate)) + "/s", .graph_in), (" in  ", .dim),
                (Short.bytes(Int64(client.outBytesRate)) + "/s", .graph_out), (" out  ", .dim),
                (Short.number(client.requestRate) + "/s", .text), (" requests  ", .dim), ("\(client.inFlight)", .text),
                (" in flight", .dim),
            ],
            line("groups", client.groups.isEmpty ? "none" : client.groups.joined(separator: " "), client.groups.isEmpty ? .dim : .text),
        ]
        if !model.isReadOnly { lines.append([("K", .key), (" closes the connection; a client that lives connects again", .dim)]) }
        return lines
    }
}

enum ClientColumns {
    static let sortFields = ["client", "sinceMs", "inBytesRate", "outBytesRate", "requestRate", "inFlight", "id"]

    static func all(nowMs: Int64) -> [Column<ClientRow>] {
        [
            Column(title: "CLIENT", width: 14, priority: 0, role: .name, maxWidth: 40, field: "client") { row, _ in
                (row.client.isEmpty ? Short.unknown : row.client, row.client.isEmpty ? .dim : .text)
            },
            Column(title: "ID", width: 6, priority: 8, field: "id") { row, _ in (String(row.id), .dim) },
            Column(title: "SOFTWARE", width: 16, priority: 3, role: .text, maxWidth: 40) { row, _ in
                (row.software ?? Short.unknown, row.software == nil ? .dim : .text)
            },
            Column(title: "ADDRESS", width: 21, priority: 2, role: .text, maxWidth: 47) { row, _ in (row.address, .text) },
            Column(title: "DOOR", width: 5, priority: 9, role: .text) { row, _ in (row.door, .dim) },
            Column(title: "FOR", width: 6, priority: 6, field: "sinceMs") { row, _ in
                (Short.duration(ms: max(0, nowMs - row.sinceMs)), .dim)
            },
            Column(title: "IN/s", width: 6, priority: 4, field: "inBytesRate") { row, _ in
                (Short.bytes(Int64(row.inBytesRate)), Figure.quiet(row.inBytesRate))
            },
            Column(title: "OUT/s", width: 6, priority: 4, field: "outBytesRate") { row, _ in
                (Short.bytes(Int64(row.outBytesRate)), Figure.quiet(row.outBytesRate))
            },
            Column(title: "REQ/s", width: 6, priority: 5, field: "requestRate") { row, _ in
                (Short.number(row.requestRate), Figure.quiet(row.requestRate))
            },
            Column(title: "FLY", width: 3, priority: 7, field: "inFlight") { row, _ in
                (Short.count(Int64(row.inFlight)), row.inFlight > 0 ? .unacked : .dim)
            },
            Column(title: "GROUPS", width: 10, priority: 3, role: .text, maxWidth: 60) { row, _ in
                (row.groups.joined(separator: " "), .text)
            },
        ]
    }
}
