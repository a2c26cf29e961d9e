import Console
import Control
import FoundationEssentials
import Model

/// Messages as lines and as JSON.
enum MessageText {
    /// - Parameter due: shows when they are due instead of how old they are.
    static func print(_ page: Page<MessageRow>, now: Timestamp, due: Bool) {
        var table = Table([
            .text("ID"), .text("STATE"), .number(due ? "DUE IN" : "AGE"), .number("ATTEMPTS"), .number("BYTES"), .text("KEY"),
            .text("VALUE"),
        ])
        for row in page.rows {
            let time = due ? row.dueMs.map { max(0, $0 - now.ms) } : row.atMs.map { max(0, now.ms - $0) }
            table.add([
                row.id, row.state.rawValue, Short.duration(ms: time), "\(row.attempts)", "\(row.bytes)", row.key ?? "-", cut(row.value),
            ])
        }
        table.print()
        printRest(page)
    }

    static func deadTable(_ rows: [MessageRow]) -> Table {
        var table = Table([
            .text("ID"), .text("DIED (UTC)"), .text("REASON"), .text("ERROR"), .text("ORIGIN"), .number("ATTEMPTS"), .number("REDRIVEN"),
            .text("KEY"), .text("VALUE"),
        ])
        for row in rows {
            table.add([
                row.id, DeadText.clock(row.diedMs), row.reason ?? Short.unknown, row.error ?? Short.unknown, row.origin ?? Short.unknown,
                "\(row.attempts)", "\(row.redriven)", row.key ?? "-", cut(row.value),
            ])
        }
        return table
    }

    /// Says how many more there are.
    static func printRest(_ page: Page<MessageRow>) {
        let shown = page.start + page.rows.count
        if shown < page.matched { StandardError.write("\(page.matched - shown) more: --start \(shown)\n") }
    }

    static func json(_ row: MessageRow) -> JSONRow { JSONRow(fields(row)) }

    private static func fields(_ row: MessageRow) -> [(String, any Encodable)] {
        [
            ("id", row.id), ("queue", row.queue), ("state", row.state.rawValue), ("attempts", row.attempts), ("dueMs", row.dueMs),
            ("atMs", row.atMs), ("key", row.key), ("value", row.value), ("bytes", row.bytes), ("reason", row.reason), ("error", row.error),
            ("origin", row.origin), ("diedMs", row.diedMs), ("redriven", row.redriven),
        ]
    }

    /// Key and value whole, as base 64 where they are not UTF-8.
    static func detailJSON(_ message: MessageDetail) -> JSONRow {
        JSONRow(
            fields(message.row).filter { $0.0 != "key" && $0.0 != "value" } + [
                ("key", text(message.key)), ("value", text(message.value)), ("keyBase64", message.key), ("valueBase64", message.value),
                ("topic", message.topic), ("partition", message.partition), ("offset", message.offset),
                ("timestampMs", message.timestampMs), ("compression", message.compression), ("headers", message.headers),
                ("timeline", message.timeline),
            ])
    }

    static func describe(_ message: MessageDetail) {
        var facts = Table([.text("MESSAGE"), .text(message.row.id)])
        facts.add(["queue", message.row.queue])
        facts.add(["place", "\(message.topic)-\(message.partition)\(message.offset.map { " offset \($0)" } ?? " delayed")"])
        // Deliveries are counted until a message is settled.
        let deliveries = message.row.state == .settled ? "" : ", \(message.row.attempts) deliveries"
        facts.add(["state", message.row.state.rawValue + deliveries])
        if let due = message.row.dueMs { facts.add(["due (UTC)", Short.clock(ms: due)]) }
        facts.add(["compression", message.compression])
        if let reason = message.row.reason { facts.add(["died of", reason]) }
        if let error = message.row.error { facts.add(["error", error]) }
        facts.add(["key", text(message.key) ?? message.key.map { "base 64 \($0)" } ?? "none"])
        facts.print()
        if !message.headers.isEmpty {
            var headers = Table([.text("HEADER"), .text("VALUE")])
            for header in message.headers { headers.add([header.name, header.value ?? "null"]) }
            Swift.print()
            headers.print()
        }
        if !message.timeline.isEmpty {
            var timeline = Table([.text("TIME (UTC)"), .text("WHAT")])
            for row in message.timeline { timeline.add([DeadText.clock(row.atMs), row.text]) }
            Swift.print()
            timeline.print()
        }
        Swift.print()
        var value = Table([.text("VALUE")])
        value.add([text(message.value) ?? message.value.map { "base 64 \($0)" } ?? "null"])
        value.print()
    }

    /// Base 64 as the UTF-8 text it stands for; nil when it is none.
    private static func text(_ base64: String?) -> String? {
        base64.flatMap { Data(base64Encoded: $0) }.flatMap { String(validating: $0, as: UTF8.self) }
    }

    private static func cut(_ text: String) -> String { text.count <= 60 ? text : text.prefix(59) + "…" }
}
