import ArgumentParser
import Console
import Control
import Model

/// `weir dead …`
struct DeadVerbs: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dead", abstract: "List dead-letter queues, look into them, redrive and discard.",
        subcommands: [List.self, Show.self, RedriveVerb.self, Discard.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "ls", abstract: "List dead-letter queues.")

        @OptionGroup var door: AdminDoor
        @OptionGroup var list: ListOptions

        func run() async throws {
            let rows = try await door.rows(list.query) { list throws(CommandFailure) in
                var query = SnapshotQuery(historyPoints: 0)
                query.deadQueues = list
                return try await door.snapshot(query).deadQueues
            }
            if door.json { return try JSONOutput.print(rows.map(DeadText.json)) }
            DeadText.table(rows).print()
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "show", abstract: "Why messages died and which, newest first; or one of them whole.")

        @OptionGroup var door: AdminDoor
        @Argument var queue: String
        @Argument(help: "One message: PARTITION/OFFSET.") var id: String?
        @OptionGroup var filter: FilterOptions
        @OptionGroup var window: WindowOptions
        @Flag(help: "Why they died, grouped, instead of the messages.") var reasons = false

        func validate() throws {
            if reasons, id != nil { throw ValidationError("--reasons is about the queue, not one message") }
        }

        func run() async throws {
            if let id { return try await door.show(id, in: queue) }
            var messages = MessageQuery(queue: queue)
            messages.filter = try filter.filter(now: SystemClock().now)
            messages.start = window.start
            messages.count = window.count
            var query = SnapshotQuery(historyPoints: 0)
            query.dead = messages
            query.queue = queue
            let snapshot = try await door.snapshot(query)
            guard let dead = snapshot.dead else {
                throw CommandFailure("there is no dead-letter queue '\(queue)': 'weir dead ls' lists them")
            }
            if snapshot.queue?.row.isDeadLetter == false {
                StandardError.write("'\(queue)' is no dead-letter queue: what is listed waits in it, and need not have died\n")
            }
            if reasons {
                if door.json { return try JSONOutput.print(DeadText.reasons(dead)) }
                return DeadText.reasonTable(dead).print()
            }
            if door.json { return try JSONOutput.print(dead.messages.rows.map(MessageText.json)) }
            DeadText.describe(dead)
        }
    }

    struct Discard: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "discard", abstract: "Settle messages without delivering them.")

        @OptionGroup var door: AdminDoor
        @Argument var queue: String
        @Argument(help: "Messages: PARTITION/OFFSET; 'weir dead show QUEUE' lists them.") var ids: [String]
        @Flag(help: "Do it without being asked.") var yes = false

        var command: QueueCommand { .discard(queue: queue, ids: ids) }

        func run() async throws {
            let count = Short.counted(ids.count, "message")
            try Confirmation.ask(act: "discards \(count) of '\(queue)' for good", name: queue, yes: yes)
            try door.report(try await door.perform(.queue(command)), name: queue)
        }
    }
}
