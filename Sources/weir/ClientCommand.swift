import ArgumentParser
import Console
import Control

/// `weir client …`
struct ClientCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "client", abstract: "List connected clients, and close a connection or remove a group's member.",
        subcommands: [List.self, Kill.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "ls", abstract: "List connections: client id, library, address, rates and groups.")

        @OptionGroup var door: AdminDoor
        @Option(parsing: .unconditional, help: "Only those whose client id, library, address or groups contain this.") var filter = ""
        @Option(help: "Field to sort by, named as --json names it.") var sort = "client"
        @Flag(help: "The largest first.") var descending = false

        func run() async throws {
            let list = ListQuery(filter: filter, sort: sort, descending: descending)
            let rows = try await door.rows(list) { list throws(CommandFailure) in
                var query = SnapshotQuery(historyPoints: 0)
                query.clients = list
                return try await door.snapshot(query).clients
            }
            if door.json { return try JSONOutput.print(rows.map(json)) }
            table(rows).print()
        }

        private func table(_ rows: [ClientRow]) -> Table {
            var table = Table([
                .number("ID"), .text("CLIENT"), .text("SOFTWARE"), .text("ADDRESS"), .text("DOOR"), .text("SINCE (UTC)"), .number("IN B/s"),
                .number("OUT B/s"), .number("REQ/s"), .number("IN FLIGHT"), .text("GROUPS"),
            ])
            for row in rows {
                table.add([
                    "\(row.id)", row.client.isEmpty ? Short.unknown : row.client, row.software ?? Short.unknown, row.address, row.door,
                    Short.clock(ms: row.sinceMs), Short.number(row.inBytesRate), Short.number(row.outBytesRate),
                    Short.number(row.requestRate), "\(row.inFlight)", row.groups.joined(separator: ","),
                ])
            }
            return table
        }

        private func json(_ row: ClientRow) -> JSONRow {
            JSONRow([
                ("id", row.id), ("door", row.door), ("client", row.client), ("software", row.software), ("address", row.address),
                ("sinceMs", row.sinceMs), ("inBytesRate", row.inBytesRate), ("outBytesRate", row.outBytesRate),
                ("requestRate", row.requestRate), ("inFlight", row.inFlight), ("groups", row.groups),
            ])
        }
    }

    struct Kill: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "kill", abstract: "Close a client's connection, or take a member out of its group.",
            discussion: """
                weir client kill 12
                weir client kill rdkafka-5f1d... --group billing
                A client that lives connects, or joins, again.
                """)

        @OptionGroup var door: AdminDoor
        @Argument(help: "The number of a connection ('weir client ls'), or with --group a member's id.") var id: String
        @Option(help: "The consumer or share group whose member it is.") var group: String?
        @Flag(help: "Don't ask.") var yes = false

        func command() throws(ValidationError) -> Command {
            if let group { return .removeMember(group: group, member: id) }
            guard let number = Int64(id) else {
                throw ValidationError("'\(id)' is no connection's number; a member's id needs --group")
            }
            return .killClient(id: number)
        }

        func validate() throws { _ = try command() }

        func run() async throws {
            let act = group.map { "takes member '\(id)' out of group '\($0)'" } ?? "closes the connection of client \(id)"
            try Confirmation.ask(act: act, name: id, yes: yes)
            try door.report(try await door.perform(try command()), name: id)
        }
    }
}
