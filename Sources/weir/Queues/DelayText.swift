import Console
import Control

/// What waits, as lines and as JSON.
enum DelayText {
    static func print(_ delay: DelayOverview) {
        let next = delay.nextDueMs.map { "  next due in \(Short.duration(ms: $0))" } ?? ""
        Swift.print("\(delay.delayed) delayed  \(delay.retrying) waiting for a retry  \(delay.overdue) overdue\(next)\n")
        var table = Table([.text("DUE IN"), .number("DELAYED"), .number("RETRIES"), .number("RELEASE/s")])
        for row in delay.buckets {
            table.add([row.label, "\(row.delayed)", "\(row.count - row.delayed)", Short.number(row.releaseRate)])
        }
        table.print()
        guard !delay.attempts.isEmpty else { return }
        Swift.print()
        Self.table(delay.attempts).print()
    }

    /// Does retrying help?
    static func table(_ attempts: [AttemptRow]) -> Table {
        var table = Table([.number("ATTEMPT"), .number("WAIT"), .number("COUNT"), .number("SUCCEEDED"), .number("DIED")])
        for row in attempts {
            table.add([
                "\(row.attempt)", row.waitMs.map { Short.duration(ms: $0) } ?? "-", "\(row.count)", "\(row.succeeded)", "\(row.died)",
            ])
        }
        return table
    }

    static func json(_ row: DelayBucketRow) -> JSONRow {
        JSONRow([
            ("label", row.label), ("fromMs", row.fromMs), ("toMs", row.toMs), ("delayed", row.delayed),
            ("retries", row.count - row.delayed), ("releaseRate", row.releaseRate),
        ])
    }
}
