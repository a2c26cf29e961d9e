import ArgumentParser
import Console
import Control
import Model

/// `weir group …`
struct GroupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "group", abstract: "List, describe, reset and delete consumer groups; change a share group's settings.",
        subcommands: [List.self, Describe.self, Reset.self, Alter.self, Delete.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "ls", abstract: "List consumer groups.")

        @OptionGroup var door: AdminDoor
        @OptionGroup var list: ListOptions

        func run() async throws {
            let rows = try await door.rows(list.query) { list throws(CommandFailure) in
                try await door.snapshot(SnapshotQuery(groups: list, historyPoints: 0)).groups
            }
            if door.json { return try JSONOutput.print(rows.map(GroupJSON.init)) }
            table(rows).print()
        }
    }

    struct Describe: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "describe", abstract: "Show a group's members and its lag by partition.")

        @OptionGroup var door: AdminDoor
        @Argument var name: String

        func run() async throws {
            let group = try await door.group(name)
            if door.json { return try JSONOutput.print(group.partitions.map(GroupPartitionJSON.init)) }
            table([group.row]).print()
            print()
            var partitions = Table([
                .text("TOPIC"), .number("PARTITION"), .number("COMMITTED"), .number("END"), .number("LAG"), .number("BEHIND"),
                .text("STATUS"),
                .text("MEMBER"),
            ])
            for row in group.partitions {
                partitions.add([
                    row.topic, "\(row.partition)", number(row.committed), number(row.end), number(row.lag), time(row.behindMs),
                    row.status.rawValue, row.member ?? "-",
                ])
            }
            partitions.print()
            if group.members.isEmpty { return }
            print()
            var members = Table([.text("MEMBER"), .text("CLIENT"), .text("HOST"), .number("PARTITIONS")])
            for row in group.members { members.add([row.id, row.client, row.host, "\(row.partitions)"]) }
            members.print()
        }
    }

    struct Alter: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "alter", abstract: "Change a share group's settings: retries, delivery limit, dead letters, lock.",
            discussion: "weir group alter billing --config retry.levels=10s,1m --config dead.letter=auto --unset delivery.limit")

        @OptionGroup var options: AlterOptions
        func command() throws -> Command { try options.command(.group) }
        func run() async throws { try await options.run(.group) }
    }

    struct Delete: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "delete", abstract: "Delete an empty consumer or share group and its offsets.")

        @OptionGroup var door: AdminDoor
        @Argument var name: String
        @Flag(help: "Do it without being asked.") var yes = false

        func run() async throws {
            try Confirmation.ask(act: "deletes group '\(name)' with its offsets", name: name, yes: yes)
            try door.report(try await door.perform(.deleteGroup(name: name)), name: name)
        }
    }

    static func table(_ rows: [GroupRow]) -> Table {
        var table = Table([
            .text("GROUP"), .text("STATE"), .text("STATUS"), .number("MEMBERS"), .number("LAG"), .number("BEHIND"), .number("RATE/s"),
            .number("ETA"),
        ])
        for row in rows {
            let eta = Short.eta(ms: row.etaMs, drains: row.drains, lag: row.lag)
            table.add([
                row.group, row.state, row.status.rawValue, "\(row.members)", number(row.lag), time(row.behindMs),
                "\(Int64(row.rate.rounded()))",
                eta,
            ])
        }
        return table
    }

    static func number(_ value: Int64?) -> String { value.map(String.init) ?? Short.unknown }
    static func time(_ ms: Int64?) -> String { Short.duration(ms: ms) }
}

extension GroupCommand {
    struct Reset: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "reset", abstract: "Move an empty group's committed offsets, or a share group's place.",
            discussion: "Shows what moves where, then asks. --dry-run only shows.")

        @OptionGroup var door: AdminDoor
        @Argument var name: String
        @Option(help: "Only this topic.") var topic: String?
        @Option(help: "Only this partition of --topic.") var partition: Int32?
        @Option(help: ArgumentHelp("earliest, latest, or an offset.", valueName: "where")) var to: String?
        @Option(
            name: .customLong("to-time"),
            help: ArgumentHelp(
                "The first record at or after a time: ms since 1970, ISO 8601, or a span ago such as 15m.", valueName: "time"))
        var toTime: String?
        @Flag(help: "Take members out first; they join again and go on from there.") var force = false
        @Flag(help: "Only show what would move.") var dryRun = false
        @Flag(help: "Do it without being asked.") var yes = false

        func validate() throws {
            guard (to == nil) != (toTime == nil) else { throw ValidationError("say where to with one of --to and --to-time") }
            if partition != nil, topic == nil { throw ValidationError("--partition needs --topic") }
            if let partition, partition < 0 { throw ValidationError("--partition must be 0 or more") }
            _ = try target(now: Timestamp(ms: 0))
        }

        func run() async throws {
            var reset = OffsetReset(
                group: name, topic: topic, partition: partition, target: try target(now: SystemClock().now), dryRun: true,
                force: force)
            var outcome = try await door.perform(.resetOffsets(reset))
            if !dryRun {
                if !yes { show(outcome) }
                try Confirmation.ask(act: "moves the offsets of group '\(name)' as shown", name: name, yes: yes)
                reset.dryRun = false
                outcome = try await door.perform(.resetOffsets(reset))
            }
            if door.json { return try JSONOutput.print(outcome.moves.map { OffsetMoveJSON(group: name, move: $0) }) }
            if dryRun || yes { show(outcome) }
            print(outcome.message)
        }

        private func target(now: Timestamp) throws -> OffsetReset.Target {
            if let toTime {
                do throws(MisreadText) {
                    return .time(ms: try WhenText.parse(toTime, .ago, now: now))
                } catch {
                    throw ValidationError("--to-time: \(error)")
                }
            }
            switch to {
            case "earliest": return .earliest
            case "latest": return .latest
            case let text?:
                guard let offset = Int64(text), offset >= 0 else {
                    throw ValidationError("--to takes earliest, latest or an offset, not '\(text)'")
                }
                return .offset(offset)
            case nil: throw ValidationError("say where to with one of --to and --to-time")
            }
        }

        private func show(_ outcome: CommandOutcome) {
            guard !door.json else { return }
            var table = Table([.text("TOPIC"), .number("PARTITION"), .number("FROM"), .number("TO"), .number("END"), .number("TO READ")])
            for move in outcome.moves {
                table.add([
                    move.topic, "\(move.partition)", number(move.from), "\(move.to)", "\(move.end)", "\(max(0, move.end - move.to))",
                ])
            }
            table.print()
        }
    }
}

extension AdminDoor {
    func group(_ name: String) async throws(CommandFailure) -> GroupDetail {
        guard let group = try await snapshot(SnapshotQuery(group: name, historyPoints: 0)).group else {
            throw CommandFailure("there is no group '\(name)': 'weir group ls' lists them")
        }
        return group
    }
}
