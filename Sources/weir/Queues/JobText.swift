import Console
import Control

/// Jobs and the audit log as lines and as JSON.
enum JobText {
    static func table(_ rows: [JobRow]) -> Table {
        var table = Table([
            .number("JOB"), .text("KIND"), .text("FROM"), .text("TO"), .text("STATE"), .number("SENT"), .number("TOTAL"), .number("ACKED"),
            .number("DIED"), .number("SKIPPED"), .number("RATE/s"), .text("NOTE"),
        ])
        for row in rows {
            table.add([
                "\(row.id)", row.kind, row.source, row.target ?? "origin", row.state.rawValue, "\(row.sent)", "\(row.total)",
                "\(row.acked)",
                "\(row.diedAgain)", "\(row.skipped)", Short.number(row.rate), row.note,
            ])
        }
        return table
    }

    static func describe(_ job: JobRow) {
        table([job]).print()
        print()
        for (reason, count) in job.skips.sorted(by: { $0.key < $1.key }) { print("skipped, \(reason): \(count)") }
        print(job.outcome)
    }

    static func describe(_ job: JobDetail, _ outcomes: [JobOutcomeRow]) {
        describe(job.row)
        print()
        var table = Table([.text("MESSAGES"), .number("COUNT"), .text("OUTCOME"), .text("COPIES"), .text("REASON")])
        for row in outcomes {
            table.add([row.fromText ?? "?", "\(row.count)", row.outcome.rawValue, row.toText ?? "-", row.reason.isEmpty ? "-" : row.reason])
        }
        table.print()
        for (outcome, count) in job.unlisted.sorted(by: { $0.key < $1.key }) { print("not listed any more, \(outcome): \(count)") }
    }

    static func json(_ job: JobDetail, _ outcomes: [JobOutcomeRow]) -> JSONRow {
        let rows = outcomes.map { row in
            JSONRow([
                ("from", row.from), ("count", row.count), ("outcome", row.outcome.rawValue), ("queue", row.queue), ("to", row.to),
                ("reason", row.reason.isEmpty ? nil : row.reason),
            ])
        }
        return JSONRow(fields(job.row) + [("outcomes", rows), ("unlisted", job.unlisted)])
    }

    static func json(_ row: JobRow) -> JSONRow { JSONRow(fields(row)) }

    private static func fields(_ row: JobRow) -> [(String, any Encodable)] {
        [
            ("id", row.id), ("kind", row.kind), ("source", row.source), ("target", row.target), ("state", row.state.rawValue),
            ("total", row.total), ("sent", row.sent), ("acked", row.acked), ("diedAgain", row.diedAgain), ("other", row.other ?? 0),
            ("skipped", row.skipped),
            ("skips", row.skips), ("rate", row.rate), ("startedMs", row.startedMs), ("endedMs", row.endedMs), ("etaMs", row.etaMs),
            ("note", row.note), ("outcome", row.outcome),
        ]
    }

    static func auditTable(_ rows: [AuditRow]) -> Table {
        var table = Table([.number("ID"), .text("TIME (UTC)"), .text("WHO"), .text("COMMAND"), .text("OUTCOME"), .text("UNDO")])
        for row in rows {
            table.add(["\(row.id)", DeadText.clock(row.atMs), row.actor, row.command, row.outcome, row.undo ?? "-"])
        }
        return table
    }

    static func auditJSON(_ row: AuditRow) -> JSONRow {
        JSONRow([
            ("id", row.id), ("atMs", row.atMs), ("actor", row.actor), ("command", row.command), ("outcome", row.outcome), ("ok", row.ok),
            ("undo", row.undo),
        ])
    }
}
