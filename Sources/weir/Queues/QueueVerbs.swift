import ArgumentParser
import Console
import Control
import Model

/// `weir queue …`
struct QueueVerbs: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "queue", abstract: "List, declare, alter, describe, purge, hold and delete queues.",
        subcommands: [
            List.self, Declare.self, Alter.self, Describe.self, Messages.self, Show.self, Purge.self, Hold.self, Resume.self, Delete.self,
        ])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "ls", abstract: "List queues, and share groups on other topics as GROUP@TOPIC.")

        @OptionGroup var door: AdminDoor
        @OptionGroup var list: ListOptions

        func run() async throws {
            let rows = try await door.rows(list.query) { list throws(CommandFailure) in
                var query = SnapshotQuery(historyPoints: 0)
                query.queues = list
                return try await door.snapshot(query).queues
            }
            if door.json { return try JSONOutput.print(rows.map(QueueText.json)) }
            QueueText.table(rows).print()
        }
    }

    struct Declare: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "declare", abstract: "Make a queue, or change one's settings.",
            discussion: """
                weir queue declare payments --retry-levels 10s,30s,1m --delivery-limit 5 --dead-letter auto
                weir queue declare flash-sale --max-depth 5000 --overflow reject-publish --rate-out 50
                """)

        @OptionGroup var door: AdminDoor
        @Argument(help: "Its name: letters, digits, '.', '_' and '-'.") var name: String
        @OptionGroup var options: DeclareOptions

        func command() throws -> QueueCommand { .declare(queue: name, settings: try options.settings()) }

        func run() async throws { try door.report(try await door.perform(.queue(try command())), name: name) }
    }

    struct Alter: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "alter", abstract: "Change a queue's settings; a topic that is no queue is not made one.",
            discussion: "weir queue alter payments --delivery-limit 8 --config retry.levels=10s,1m --unset max.depth")

        @OptionGroup var door: AdminDoor
        @Argument var name: String
        @OptionGroup var options: DeclareOptions
        @Option(
            parsing: .unconditionalSingleValue,
            help: ArgumentHelp("A setting that goes back to its default; may be repeated.", valueName: "key"))
        var unset: [String] = []

        func validate() throws {
            guard try !options.settings().isEmpty || !unset.isEmpty else {
                throw ValidationError("name a setting to change, by its option, --config KEY=VALUE or --unset KEY")
            }
        }

        func command() throws -> Command { .alter(SettingsChange(.queue, name, set: try options.settings(), unset: unset)) }

        func run() async throws { try door.report(try await door.perform(try command()), name: name) }
    }

    struct Describe: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "describe", abstract: "Show a queue's counts, policy, consumers, attempts and settings.")

        @OptionGroup var door: AdminDoor
        @Argument var name: String

        func run() async throws {
            let queue = try await door.queue(name)
            if door.json { return try JSONOutput.print([QueueText.detailJSON(queue)]) }
            QueueText.describe(queue)
        }
    }

    struct Delete: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "delete", abstract: "Delete a queue and its messages.")

        @OptionGroup var door: AdminDoor
        @Argument var name: String
        @Flag(help: "Do it without being asked.") var yes = false

        var command: QueueCommand { .delete(queue: name) }

        func run() async throws {
            if !yes {
                let row = try await door.queue(name).row
                let count = row.ready + row.unacked + row.delayed + row.retrying
                try Confirmation.ask(act: "deletes queue '\(name)' with its \(count) messages", name: name, yes: yes)
            }
            try door.report(try await door.perform(.queue(command)), name: name)
        }
    }

    struct Purge: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "purge", abstract: "Move a queue's messages out of the way; 'weir undo' brings them back for a while.")

        @OptionGroup var door: AdminDoor
        @Argument var name: String
        @Flag(help: "The delayed ones too.") var delayed = false
        @Flag(help: "Do it without being asked.") var yes = false

        var command: QueueCommand { .purge(queue: name, delayed: delayed) }

        func run() async throws {
            if !yes {
                let row = try await door.queue(name).row
                let count = row.ready + row.retrying + (delayed ? row.delayed : 0)
                try Confirmation.ask(act: "purges \(count) messages of queue '\(name)'", name: name, yes: yes)
            }
            try door.report(try await door.perform(.queue(command)), name: name)
        }
    }

    struct Hold: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "hold", abstract: "Stop delivery (or publishing) until it is resumed, over restarts too.")

        @OptionGroup var gate: GateOptions
        var command: QueueCommand { gate.command(held: true) }
        func run() async throws { try await gate.run(held: true) }
    }

    struct Resume: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "resume", abstract: "Let delivery (or publishing) go on.")

        @OptionGroup var gate: GateOptions
        var command: QueueCommand { gate.command(held: false) }
        func run() async throws { try await gate.run(held: false) }
    }

    struct GateOptions: ParsableArguments {
        @OptionGroup var door: AdminDoor
        @Argument(help: "A queue, or a share group on a topic as GROUP@TOPIC.") var name: String
        @Flag(help: "The publishing gate instead of delivery.") var publishing = false

        func command(held: Bool) -> QueueCommand { .gate(queue: name, publishing ? .publishing : .delivery, held: held) }

        func run(held: Bool) async throws { try door.report(try await door.perform(.queue(command(held: held))), name: name) }
    }
}

extension AdminDoor {
    func queue(_ name: String) async throws(CommandFailure) -> QueueDetail {
        var query = SnapshotQuery(historyPoints: 0)
        query.queue = name
        guard let queue = try await snapshot(query).queue else {
            throw CommandFailure("there is no queue '\(name)': 'weir queue ls' lists them")
        }
        return queue
    }
}
