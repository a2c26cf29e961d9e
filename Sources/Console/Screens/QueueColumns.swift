import Control
import Terminal

extension QueueRow {
    /// What makes it stand out: dead letters, or messages that nobody takes.
    var alarm: ThemeKey? {
        if isDeadLetter { return ready > 0 ? .dead : nil }
        return ready > 0 && consumers == 0 && !held ? .warn : nil
    }
    var waiting: Int64 { delayed + retrying }
}

enum QueueColumns {
    static let sortFields = [
        "name", "ready", "unacked", "delayed", "dead", "inRate", "outRate", "consumers", "oldestMs", "etaMs", "bytes",
    ]

    static func all(_ glyphs: Glyphs) -> [Column<QueueRow>] {
        [
            Column(title: "NAME", width: 14, priority: 0, role: .name, maxWidth: 80, field: "name") { row, _ in (row.name, .text) },
            Column(title: "STATE", width: 5, priority: 2, role: .text) { row, _ in state(row) },
            Column(title: "READY", width: 5, priority: 1, field: "ready") { row, _ in (Short.count(row.ready), figure(row.ready, .ready)) },
            Column(title: "UNACK", width: 5, priority: 3, field: "unacked") { row, _ in
                (Short.count(row.unacked), figure(row.unacked, .unacked))
            },
            Column(title: "DELAY", width: 5, priority: 3, field: "delayed") { row, _ in
                (Short.count(row.waiting), figure(row.waiting, row.retrying > row.delayed ? .retry : .delayed))
            },
            Column(title: "DIED", width: 5, priority: 2, field: "dead") { row, _ in
                (row.isDeadLetter ? "-" : Short.count(row.dead), row.isDeadLetter ? .dim : figure(row.dead, .dead))
            },
            Column(title: "IN/s", width: 5, priority: 4, field: "inRate") { row, _ in (Short.number(row.inRate), Figure.quiet(row.inRate))
            },
            Column(title: "OUT/s", width: 5, priority: 5, field: "outRate") { row, _ in
                (Short.number(row.outRate), Figure.quiet(row.outRate))
            },
            Column(title: "CONS", width: 4, priority: 6, field: "consumers") { row, _ in
                (Short.count(row.consumers), row.consumers > 0 ? .text : .dim)
            },
            Column(title: "OLDEST", width: 6, priority: 5, field: "oldestMs") { row, _ in
                (row.ready == 0 ? "-" : Short.duration(ms: row.oldestMs), row.ready == 0 ? .dim : .text)
            },
            Column(title: "ETA", width: 5, priority: 4, field: "etaMs") { row, _ in
                let text = row.isDeadLetter ? "-" : Short.eta(ms: row.etaMs, drains: row.drains, lag: row.ready)
                return (text, text == "-" ? .dim : Figure.eta(text))
            },
            Column(title: "LIMIT", width: 5, priority: 11) { row, _ in
                guard let share = row.limitShare else { return ("-", .dim) }
                return ("\(Int((share * 100).rounded()))%", share >= 0.9 ? .crit : share >= 0.7 ? .warn : .text)
            },
            Column(title: "BYTES", width: 6, priority: 12, field: "bytes") { row, _ in (Short.bytes(row.bytes), .dim) },
            Column(title: "TREND 60s", width: 10, priority: 9, role: .trend, maxWidth: 40) { row, width in
                (Graph.spark(row.trend, width: width, glyphs: glyphs), row.isDeadLetter ? .dead : .trend)
            },
        ]
    }

    static func figure(_ count: Int64, _ key: ThemeKey) -> ThemeKey { count > 0 ? key : .dim }

    /// `HELD` no delivery, `BLOCK` no publishing, `H+B` both, `dlq` a dead-letter queue, `run`.
    static func state(_ row: QueueRow) -> (String, ThemeKey) {
        switch (row.held, row.blocked) {
        case (true, true): ("H+B", .warn)
        case (true, false): ("HELD", .warn)
        case (false, true): ("BLOCK", .warn)
        case (false, false): row.isDeadLetter ? ("dlq", .dim) : ("run", .dim)
        }
    }
}

enum ConsumerColumns {
    static let all: [Column<ConsumerRow>] = [
        Column(title: "CONSUMER", width: 16, priority: 0, role: .name, maxWidth: 40) { row, _ in
            (row.client.isEmpty ? row.id : row.client, .text)
        },
        Column(title: "HOST", width: 15, priority: 3, role: .text, maxWidth: 30) { row, _ in (row.host, .text) },
        Column(title: "UNACK", width: 6, priority: 1) { row, _ in (Short.count(row.unacked), QueueColumns.figure(row.unacked, .unacked)) },
        Column(title: "ACK/s", width: 6, priority: 2) { row, _ in (Short.number(row.ackRate), Figure.quiet(row.ackRate)) },
        Column(title: "P50", width: 5, priority: 4) { row, _ in (Short.fine(ms: row.ackP50Ms), .dim) },
        Column(title: "P99", width: 5, priority: 4) { row, _ in (Short.fine(ms: row.ackP99Ms), .dim) },
        Column(title: "LAST ACK", width: 8, priority: 2) { row, _ in (lastAck(row), .dim) },
        Column(title: "", width: 8, priority: 5, role: .text, maxWidth: 60) { row, width in
            isStuck(row) ? (width < 38 ? "< stuck" : "< stuck, has messages and answers none", .warn) : ("", .dim)
        },
    ]

    /// Holds messages and has answered none for half a minute. One that has just got its first is not.
    static func isStuck(_ row: ConsumerRow) -> Bool { row.unacked > 0 && row.ackRate == 0 && (row.silentMs ?? 0) >= 30_000 }

    /// Who holds messages and is remembered without an answer has never given one; of others it is not known.
    private static func lastAck(_ row: ConsumerRow) -> String {
        row.lastAckMs.map { Short.duration(ms: $0) } ?? (row.silentMs == nil ? Short.unknown : "never")
    }
}

enum QueuePartitionColumns {
    static let all: [Column<QueuePartitionRow>] = [
        Column(title: "TOPIC", width: 14, priority: 4, role: .name, maxWidth: 40) { row, _ in (row.topic, .text) },
        Column(title: "P", width: 4, priority: 0) { row, _ in (String(row.partition), .text) },
        Column(title: "START", width: 11, priority: 5) { row, _ in (String(row.start), .dim) },
        Column(title: "FIRST OPEN", width: 11, priority: 2) { row, _ in (String(row.firstOpen), .text) },
        Column(title: "END", width: 11, priority: 3) { row, _ in (String(row.end), .text) },
        Column(title: "READY", width: 6, priority: 1) { row, _ in (Short.count(row.ready), QueueColumns.figure(row.ready, .ready)) },
        Column(title: "UNACK", width: 6, priority: 1) { row, _ in (Short.count(row.unacked), QueueColumns.figure(row.unacked, .unacked)) },
        Column(title: "RETRY", width: 6, priority: 2) { row, _ in (Short.count(row.retrying), QueueColumns.figure(row.retrying, .retry)) },
        Column(title: "NET/s", width: 6, priority: 2) { row, _ in (Short.net(row.netRate), .text) },
        Column(title: "ETA", width: 5, priority: 1) { row, _ in
            let text = row.netRate == nil ? Short.unknown : Short.eta(ms: row.etaMs, drains: row.etaMs != nil, lag: row.ready)
            return (text, text == "never" ? .warn : .text)
        },
    ]
}

/// Whether retrying helps: one line an attempt.
enum AttemptColumns {
    static let all: [Column<AttemptRow>] = [
        Column(title: "ATT", width: 4, priority: 0) { row, _ in (String(row.attempt), .text) },
        Column(title: "WAIT", width: 5, priority: 2) { row, _ in (row.waitMs.map { Short.duration(ms: $0) } ?? "-", .dim) },
        Column(title: "COUNT", width: 6, priority: 1) { row, _ in (Short.count(row.count), .text) },
        Column(title: "SUCCEEDED", width: 9, priority: 1) { row, _ in percent(row.succeeded, of: row.count, good: true) },
        Column(title: "TO DLQ", width: 6, priority: 2) { row, _ in percent(row.died, of: row.count, good: false) },
    ]

    private static func percent(_ part: Int64, of whole: Int64, good: Bool) -> (String, ThemeKey) {
        guard whole > 0 else { return ("-", .dim) }
        if !good, part == 0 { return ("-", .dim) }
        let share = Double(part) / Double(whole)
        let text = "\(Int((share * 100).rounded()))%"
        if !good { return (text, .dead) }
        return (text, share >= 0.5 ? .ok : share >= 0.2 ? .warn : .crit)
    }
}

enum UndoColumns {
    static func all(offset: Int64, nowMs: Int64) -> [Column<UndoRow>] {
        [
            Column(title: "ID", width: 8, priority: 1, role: .text, maxWidth: 24) { row, _ in (row.id, .text) },
            Column(title: "DONE", width: 8, priority: 2, role: .text) { row, _ in (Short.clock(ms: row.atMs, offset: offset), .dim) },
            Column(title: "WHAT", width: 24, priority: 0, role: .name, maxWidth: 80) { row, _ in (row.text, .text) },
            Column(title: "LEFT", width: 6, priority: 1) { row, _ in (Short.duration(ms: max(0, row.untilMs - nowMs)), .text) },
        ]
    }
}
