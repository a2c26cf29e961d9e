import ArgumentParser
import Console
import Control
import Model

/// `weir delay …`: messages that wait for their time, and failed ones that wait for their next attempt.
struct DelayVerbs: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delay", abstract: "List, look at, cancel, run and reschedule messages that wait for their time.",
        subcommands: [List.self, Show.self, Cancel.self, Run.self, Reschedule.self, Jitter.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "ls", abstract: "The release schedule of all queues, or one queue's waiting messages by due time.")

        @OptionGroup var door: AdminDoor
        @Argument(help: "A queue; without one, the schedule.") var queue: String?
        @Flag(help: "Failed messages that wait for their next attempt, instead of delayed ones.") var retries = false
        @Option(help: ArgumentHelp("Due at this time or later: ms since 1970, ISO 8601, or a span from now.", valueName: "time"))
        var from: String?
        @Option(help: ArgumentHelp("Due before this time.", valueName: "time")) var until: String?
        @OptionGroup var window: WindowOptions
        @Flag(help: "With --json: totals, next due, overdue, forecast and attempts as one object, instead of the schedule's lines.")
        var totals = false

        func validate() throws {
            if totals, queue != nil || !door.json { throw ValidationError("--totals goes with --json and without a queue") }
            _ = try query("", now: Timestamp(ms: 0))
        }

        private func query(_ queue: String, now: Timestamp) throws -> MessageQuery {
            var query = MessageQuery(queue: queue, state: retries ? .waiting : .delayed)
            do throws(MisreadText) {
                if let from { query.fromMs = try WhenText.parse(from, .ahead, now: now) }
                if let until { query.toMs = try WhenText.parse(until, .ahead, now: now) }
            } catch {
                throw ValidationError("\(error)")
            }
            return query
        }

        func run() async throws {
            guard let queue else { return try await schedule() }
            let query = try query(queue, now: SystemClock().now)
            let page = try await door.messages(query, window)
            if door.json { return try JSONOutput.print(page.rows.map(MessageText.json)) }
            MessageText.print(page, now: SystemClock().now, due: true)
        }

        private func schedule() async throws {
            var query = SnapshotQuery(historyPoints: 0)
            query.delay = DelayQuery()
            guard let delay = try await door.snapshot(query).delay else {
                throw CommandFailure("this broker does not say what is delayed")
            }
            if totals { return try JSONOutput.print([DelayText.totals(delay)]) }
            if door.json { return try JSONOutput.print(delay.buckets.map(DelayText.json)) }
            DelayText.print(delay)
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "show", abstract: "Show one waiting message whole.")

        @OptionGroup var message: MessageOptions
        func run() async throws { try await message.run() }
    }

    struct Cancel: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "cancel", abstract: "Take messages out; they are never delivered.")

        @OptionGroup var messages: WaitingOptions
        var command: QueueCommand { .cancelDelayed(queue: messages.queue, ids: messages.ids) }
        func run() async throws { try await messages.perform(command) }
    }

    struct Run: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "run", abstract: "Release messages now.")

        @OptionGroup var messages: WaitingOptions
        var command: QueueCommand { .runDelayed(queue: messages.queue, ids: messages.ids) }
        func run() async throws { try await messages.perform(command) }
    }

    struct Reschedule: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "reschedule", abstract: "Give messages another due time.")

        @OptionGroup var messages: WaitingOptions
        @Option(help: ArgumentHelp("When: ms since 1970 or ISO 8601.", valueName: "time")) var at: String?
        @Option(name: .customLong("in"), help: ArgumentHelp("How long from now: 10m.", valueName: "span")) var after: String?

        func validate() throws {
            guard (at == nil) != (after == nil) else { throw ValidationError("say when with one of --at and --in") }
            _ = try command(now: Timestamp(ms: 0))
        }

        func command(now: Timestamp) throws -> QueueCommand {
            do throws(MisreadText) {
                let due = if let after { now.ms + (try TimeSpan.parse(after)) } else { try WhenText.parse(at ?? "", .ahead, now: now) }
                return .reschedule(queue: messages.queue, ids: messages.ids, dueMs: due)
            } catch {
                throw ValidationError("\(error)")
            }
        }

        func run() async throws { try await messages.perform(try command(now: SystemClock().now)) }
    }

    struct Jitter: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "jitter", abstract: "Spread messages that come due together over a longer span.",
            discussion: "weir delay jitter orders --from 5m --until 6m --spread 2m")

        @OptionGroup var door: AdminDoor
        @Argument(help: "The queue they wait for.") var queue: String?
        @Flag(help: "All queues.") var all = false
        @Option(help: ArgumentHelp("First due time: ms since 1970, ISO 8601, or a span from now.", valueName: "time")) var from: String
        @Option(help: ArgumentHelp("End of due times, exclusive.", valueName: "time")) var until: String
        @Option(help: ArgumentHelp("How much longer they spread than they did.", valueName: "span")) var spread: String

        func validate() throws {
            guard (queue == nil) == all else { throw ValidationError("name a queue, or say --all") }
            _ = try command(now: Timestamp(ms: 0))
        }

        func command(now: Timestamp) throws -> QueueCommand {
            do throws(MisreadText) {
                let fromMs = try WhenText.parse(from, .ahead, now: now)
                let toMs = try WhenText.parse(until, .ahead, now: now)
                guard fromMs < toMs else { throw MisreadText("--until must lie after --from") }
                return .jitter(queue: queue, fromMs: fromMs, toMs: toMs, spreadMs: try TimeSpan.parse(spread))
            } catch {
                throw ValidationError("\(error)")
            }
        }

        func run() async throws {
            try door.report(try await door.perform(.queue(try command(now: SystemClock().now))), name: queue ?? "")
        }
    }

    /// A queue and ids of messages that wait in it.
    struct WaitingOptions: ParsableArguments {
        @OptionGroup var door: AdminDoor
        @Argument var queue: String
        @Argument(help: "Messages: dSHARD-SEQUENCE, or PARTITION/OFFSET of a waiting retry; 'weir delay ls QUEUE' lists them.")
        var ids: [String]

        func perform(_ command: QueueCommand) async throws { try door.report(try await door.perform(.queue(command)), name: queue) }
    }
}
