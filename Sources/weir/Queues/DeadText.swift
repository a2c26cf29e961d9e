import Console
import Control

/// Dead letters as lines and as JSON.
enum DeadText {
    static func table(_ rows: [DeadQueueRow]) -> Table {
        var table = Table([
            .text("QUEUE"), .number("MESSAGES"), .number("PER MINUTE"), .number("OLDEST"), .number("NEWEST"), .text("TOP REASON"),
            .text("FROM"),
        ])
        for row in rows {
            let cause = row.topReason.map { "\($0) \(DeadText.share(row))" }
            let unread = "\(row.unread) not read yet"
            table.add([
                row.name, "\(row.messages)", Short.net(row.perMinute), row.messages == 0 ? "-" : Short.duration(ms: row.oldestMs),
                row.messages == 0 ? "-" : Short.duration(ms: row.newestMs),
                row.unread > 0 ? cause.map { "\($0), \(unread)" } ?? "counting, \(unread)" : cause ?? "-",
                row.sources.joined(separator: ","),
            ])
        }
        return table
    }

    static func json(_ row: DeadQueueRow) -> JSONRow {
        JSONRow([
            ("name", row.name), ("messages", row.messages), ("unread", row.unread), ("perMinute", row.perMinute),
            ("oldestMs", row.oldestMs),
            ("newestMs", row.newestMs), ("topReason", row.topReason), ("topShare", row.topShare),
            ("lastInMs", row.lastInMs), ("sources", row.sources),
        ])
    }

    static func describe(_ dead: DeadDetail) {
        table([dead.row]).print()
        print()
        reasonTable(dead).print()
        print()
        MessageText.deadTable(dead.messages.rows).print()
        MessageText.printRest(dead.messages)
    }

    private static func share(_ row: DeadQueueRow) -> String {
        let share = row.topShare ?? 0
        return row.unread > 0 ? "\(Int(share * 100))%+" : "\(Int((share * 100).rounded()))%"
    }

    /// One object a reason; what is beyond the broker's list of them stands under the reason null.
    static func reasons(_ dead: DeadDetail) -> [JSONRow] {
        let rows = dead.reasons.map { row in
            JSONRow([
                ("reason", row.reason), ("count", row.count), ("firstMs", row.firstMs), ("lastMs", row.lastMs), ("origins", row.origins),
            ])
        }
        guard dead.otherReasons > 0 else { return rows }
        return rows + [
            JSONRow([
                ("reason", String?.none), ("count", dead.otherReasons), ("firstMs", Int64?.none), ("lastMs", Int64?.none),
                ("origins", [String]()),
            ])
        ]
    }

    static func reasonTable(_ dead: DeadDetail) -> Table {
        var reasons = Table([.text("REASON"), .number("N"), .text("FIRST (UTC)"), .text("LAST (UTC)"), .text("ORIGIN")])
        // A part of them, while some are not read yet.
        let more = dead.row.unread > 0 ? "+" : ""
        for row in dead.reasons {
            reasons.add([row.reason, "\(row.count)\(more)", clock(row.firstMs), clock(row.lastMs), row.origins.joined(separator: ",")])
        }
        if dead.otherReasons > 0 { reasons.add(["others", "\(dead.otherReasons)\(more)", "", "", ""]) }
        return reasons
    }

    static func clock(_ ms: Int64?) -> String { ms.map { Short.clock(ms: $0) } ?? Short.unknown }
}
