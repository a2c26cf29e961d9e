import ArgumentParser
import Console
import Control
import Model

/// `weir job …`
struct JobVerbs: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "job", abstract: "List, follow and cancel the broker's jobs.", subcommands: [List.self, Show.self, Cancel.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "ls", abstract: "List jobs, the newest first.")

        @OptionGroup var door: AdminDoor

        func run() async throws {
            let rows = try await door.jobs()
            if door.json { return try JSONOutput.print(rows.map(JobText.json)) }
            JobText.table(rows).print()
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "show", abstract: "Show a job and what became of its messages.")

        @OptionGroup var door: AdminDoor
        @Argument var id: Int64
        @Flag(help: "Wait until it is over.") var wait = false
        @Flag(help: "List what became of each message: messages side by side that fared alike are one line.") var outcomes = false

        func run() async throws {
            if wait { return try await JobWatch(door: door, id: id, waitAcked: false).finish() }
            guard outcomes else {
                let job = try await door.job(id)
                if door.json { return try JSONOutput.print([JobText.json(job)]) }
                return JobText.describe(job)
            }
            let (job, rows) = try await door.outcomes(of: id)
            if door.json { return try JSONOutput.print([JobText.json(job, rows)]) }
            JobText.describe(job, rows)
        }
    }

    struct Cancel: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "cancel", abstract: "Stop a job; what it has not sent stays where it is.")

        @OptionGroup var door: AdminDoor
        @Argument var id: Int64

        var command: QueueCommand { .cancelJob(id: id) }
        func run() async throws { try door.report(try await door.perform(.queue(command)), name: "\(id)") }
    }
}

/// `weir undo ID`
struct UndoVerb: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "undo", abstract: "Take back a purge, a hold, or a cancelling of delayed messages, while that can be.",
        discussion: "What can be taken back says its id; 'weir audit' and 'weir queue describe' list them.")

    @OptionGroup var door: AdminDoor
    @Argument(help: "What the command said after 'to take it back'.") var id: String

    var command: QueueCommand { .undo(id: id) }
    func run() async throws { try door.report(try await door.perform(.queue(command)), name: id) }
}

/// `weir audit`
struct AuditVerb: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit", abstract: "Who did what, when, and what came of it; newest first.")

    @OptionGroup var door: AdminDoor
    @Option(parsing: .unconditional, help: "Only lines that contain this.") var filter = ""
    @Option(help: "Lines at most.") var count = 100

    func validate() throws {
        if !(1...Limits().listRows).contains(count) { throw ValidationError("--count is 1 to \(Limits().listRows)") }
    }

    func run() async throws {
        var query = SnapshotQuery(historyPoints: 0)
        query.audit = ListQuery(filter: filter, sort: "id", descending: true, count: count)
        let rows = try await door.snapshot(query).audit.rows
        if door.json { return try JSONOutput.print(rows.map(JobText.auditJSON)) }
        JobText.auditTable(rows).print()
    }
}

extension AdminDoor {
    /// All jobs the broker remembers, the newest first.
    func jobs() async throws(CommandFailure) -> [JobRow] {
        try await rows(ListQuery(sort: "id", descending: true)) { list throws(CommandFailure) in
            var query = SnapshotQuery(historyPoints: 0)
            query.jobs = list
            return try await snapshot(query).jobs
        }
    }

    func job(_ id: Int64) async throws(CommandFailure) -> JobRow {
        var query = JobQuery(id: id)
        query.count = 0
        return try await job(query).row
    }

    private func job(_ wanted: JobQuery) async throws(CommandFailure) -> JobDetail {
        var query = SnapshotQuery(historyPoints: 0)
        query.job = wanted
        guard let job = try await snapshot(query).job else {
            throw CommandFailure("there is no job \(wanted.id): 'weir job ls' lists them")
        }
        return job
    }

    /// A job with all that it keeps of its messages, page by page.
    func outcomes(of id: Int64) async throws(CommandFailure) -> (JobDetail, [JobOutcomeRow]) {
        var query = JobQuery(id: id)
        query.count = Limits().listRows
        var rows: [JobOutcomeRow] = []
        while true {
            query.start = rows.count
            let detail = try await job(query)
            rows += detail.outcomes.rows
            if detail.outcomes.rows.isEmpty || rows.count >= detail.outcomes.matched { return (detail, rows) }
        }
    }
}
