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

    /// All queues in one object; `forecast` is messages that come due per second, one figure every `forecastStepMs`.
    static func totals(_ delay: DelayOverview) -> JSONRow {
        let attempts = delay.attempts.map { row in
            JSONRow([
                ("attempt", row.attempt), ("waitMs", row.waitMs), ("count", row.count), ("succeeded", row.succeeded), ("died", row.died),
            ])
        }
        return JSONRow([
            ("delayed", delay.delayed), ("retrying", delay.retrying), ("overdue", delay.overdue), ("nextDueMs", delay.nextDueMs),
            ("drainLimit", delay.drainLimit), ("forecastStepMs", delay.forecastStepMs), ("forecast", delay.forecast),
            ("attempts", attempts),
        ])
    }

    static func json(_ row: DelayBucketRow) -> JSONRow {
        JSONRow([
            ("label", row.label), ("fromMs", row.fromMs), ("toMs", row.toMs), ("delayed", row.delayed),
            ("retries", row.count - row.delayed), ("releaseRate", row.releaseRate),
        ])
    }
}
