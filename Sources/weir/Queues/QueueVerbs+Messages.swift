import ArgumentParser
import Console
import Control
import Model

extension QueueVerbs {
    struct Messages: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "messages", abstract: "List a queue's messages: those that wait to be delivered, or those in one state.")

        @OptionGroup var door: AdminDoor
        @Argument var name: String
        @Option(help: "ready, acquired, waiting, delayed, dead (on the way to the dead-letter queue) or settled.") var state: StateArgument?
        @OptionGroup var filter: FilterOptions
        @OptionGroup var window: WindowOptions

        func run() async throws {
            var query = MessageQuery(queue: name, state: state?.state)
            query.filter = try filter.filter(now: SystemClock().now)
            let page = try await door.messages(query, window)
            if door.json { return try JSONOutput.print(page.rows.map(MessageText.json)) }
            MessageText.print(page, now: SystemClock().now, due: state == .delayed || state == .waiting)
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "show", abstract: "Show one message whole: headers, value and what happened to it.")

        @OptionGroup var message: MessageOptions
        func run() async throws { try await message.run() }
    }
}

/// `--state`
enum StateArgument: String, ExpressibleByArgument, CaseIterable {
    case ready, acquired, waiting, delayed, dead, settled

    var state: MessageRow.State {
        switch self {
        case .ready: .ready
        case .acquired: .acquired
        case .waiting: .waiting
        case .delayed: .delayed
        case .settled: .settled
        case .dead: .dead
        }
    }
}

/// How much of a list of messages.
struct WindowOptions: ParsableArguments {
    @Option(help: "Messages to pass over.") var start = 0
    @Option(help: "Messages at most.") var count = 100

    func validate() throws {
        if start < 0 { throw ValidationError("--start must be 0 or more") }
        if !(1...Limits().listRows).contains(count) { throw ValidationError("--count is 1 to \(Limits().listRows)") }
    }
}

/// The verb that shows one message: `weir queue show`, `weir delay show`, `weir dead show`.
struct MessageOptions: ParsableArguments {
    @OptionGroup var door: AdminDoor
    @Argument var queue: String
    @Argument(help: "The message: PARTITION/OFFSET, or dSHARD-SEQUENCE in the delay store.") var id: String

    func run() async throws { try await door.show(id, in: queue) }
}

extension AdminDoor {
    func messages(_ query: MessageQuery, _ window: WindowOptions) async throws(CommandFailure) -> Page<MessageRow> {
        var messages = query
        messages.start = window.start
        messages.count = window.count
        var query = SnapshotQuery(historyPoints: 0)
        query.messages = messages
        query.queue = messages.queue
        query.topic = messages.queue
        let snapshot = try await snapshot(query)
        if snapshot.queue == nil, snapshot.topic == nil { throw CommandFailure("there is no queue or topic '\(messages.queue)'") }
        return snapshot.messages
    }

    func show(_ id: String, in queue: String) async throws {
        var query = SnapshotQuery(historyPoints: 0)
        query.message = MessageName(queue: queue, id: id)
        guard let message = try await snapshot(query).message else {
            throw CommandFailure("there is no message '\(id)' in '\(queue)': it may have been settled and removed, or released")
        }
        if json { return try JSONOutput.print([MessageText.detailJSON(message)]) }
        MessageText.describe(message)
    }
}
