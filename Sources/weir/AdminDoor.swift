import AdminClient
import ArgumentParser
import Control
import Model
import NIOPosix

/// The options of every verb that talks to a running broker.
struct AdminDoor: ParsableArguments {
    static let defaultAddress = HostPort(host: "127.0.0.1", port: 15672)

    @Option(
        help: ArgumentHelp("The broker's admin door. (default: 127.0.0.1:15672)", valueName: "host:port"), transform: { try HostPort($0) })
    var http: HostPort?

    @Flag(help: "Print JSON.")
    var json = false

    var control: RemoteControl {
        RemoteControl(address: http ?? Self.defaultAddress, group: MultiThreadedEventLoopGroup.singleton, who: ProcessSetup.who)
    }

    func snapshot(_ query: SnapshotQuery) async throws(CommandFailure) -> Snapshot {
        do throws(ControlError) {
            return try await control.snapshot(query)
        } catch {
            throw CommandFailure(error)
        }
    }

    func perform(_ command: Command) async throws(CommandFailure) -> CommandOutcome {
        do throws(ControlError) {
            return try await control.perform(command)
        } catch {
            throw CommandFailure(error)
        }
    }

    /// All rows of a list, page by page.
    func rows<Row: Codable & Equatable & Sendable>(
        _ list: ListQuery, _ page: @Sendable (ListQuery) async throws(CommandFailure) -> Page<Row>
    ) async throws(CommandFailure) -> [Row] {
        var list = list
        list.count = Limits().listRows
        var rows: [Row] = []
        while true {
            list.start = rows.count
            let next = try await page(list)
            rows += next.rows
            if next.rows.isEmpty || rows.count >= next.matched { return rows }
        }
    }

    /// Prints what became of a command, and how to take it back.
    func report(_ outcome: CommandOutcome, name: String) throws {
        if json {
            return try JSONOutput.print([OutcomeRow(name: name, message: outcome.message, undo: outcome.undo, job: outcome.job)])
        }
        print(outcome.message)
        if let undo = outcome.undo { StandardError.write("to take it back: weir undo \(undo)\n") }
    }
}
