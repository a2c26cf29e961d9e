import ArgumentParser
import Console
import Control
import Model

/// `weir topic …`
struct TopicCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "topic", abstract: "List, create, describe, alter, delete and purge topics.",
        subcommands: [List.self, Create.self, Describe.self, Alter.self, Delete.self, Purge.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "ls", abstract: "List topics.")

        @OptionGroup var door: AdminDoor
        @OptionGroup var list: ListOptions

        func run() async throws {
            let rows = try await door.rows(list.query) { list throws(CommandFailure) in
                try await door.snapshot(SnapshotQuery(topics: list, historyPoints: 0)).topics
            }
            if door.json { return try JSONOutput.print(rows.map(TopicJSON.init)) }
            var table = Table([.text("NAME"), .number("PARTITIONS"), .number("RECORDS"), .number("BYTES"), .number("IN/s"), .number("LAG")])
            for row in rows {
                table.add([
                    row.name, "\(row.partitions)", "\(row.records)", Short.bytes(row.bytes), "\(Int64(row.inRate.rounded()))",
                    row.lag.map(String.init) ?? "n/a",
                ])
            }
            table.print()
        }
    }

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "create", abstract: "Create a topic.")

        @OptionGroup var door: AdminDoor
        @Argument(help: "Its name: letters, digits, '.', '_' and '-'.") var name: String
        @Option(help: "Number of partitions.") var partitions = 1
        @Option(
            name: .customLong("config"),
            help: ArgumentHelp("A setting, such as retention.ms=3600000; may be repeated.", valueName: "key=value"))
        var configs: [String] = []

        func validate() throws {
            guard partitions > 0 else { throw ValidationError("--partitions must be 1 or more") }
            _ = try settings()
        }

        func run() async throws {
            let outcome = try await door.perform(.createTopic(name: name, partitions: partitions, configs: try settings()))
            try door.report(outcome, name: name)
        }

        func settings() throws -> [String: String] { try Settings.parse(configs) }
    }

    struct Describe: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "describe", abstract: "Show a topic's partitions, groups and settings.")

        @OptionGroup var door: AdminDoor
        @Argument var name: String

        func run() async throws {
            let topic = try await door.topic(name)
            if door.json { return try JSONOutput.print(topic.partitions.map(TopicPartitionJSON.init)) }
            print("\(name)  id \(topic.id)  \(topic.row.records) records  \(Short.bytes(topic.row.bytes))\n")
            var partitions = Table([.number("PARTITION"), .number("START"), .number("END"), .number("RECORDS"), .number("BYTES")])
            for row in topic.partitions {
                partitions.add(["\(row.partition)", "\(row.start)", "\(row.end)", "\(row.end - row.start)", Short.bytes(row.bytes)])
            }
            partitions.print()
            if !topic.groups.isEmpty {
                print()
                GroupCommand.table(topic.groups).print()
            }
            print()
            var configs = Table([.text("SETTING"), .text("VALUE"), .text("SOURCE")])
            for row in topic.configs { configs.add([row.name, row.value, row.isDefault ? "default" : "topic"]) }
            configs.print()
        }
    }

    struct Alter: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "alter", abstract: "Change a topic's settings; 'weir topic describe' shows them.",
            discussion: "weir topic alter clicks --config retention.ms=3d --unset segment.bytes")

        @OptionGroup var options: AlterOptions
        func command() throws -> Command { try options.command(.topic) }
        func run() async throws { try await options.run(.topic) }
    }

    struct Delete: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "delete", abstract: "Delete a topic and its records.")

        @OptionGroup var door: AdminDoor
        @Argument var name: String
        @Flag(help: "Do it without being asked.") var yes = false

        func run() async throws {
            if !yes {
                let topic = try await door.topic(name)
                try Confirmation.ask(act: "deletes topic '\(name)' with its \(topic.row.records) records", name: name, yes: yes)
            }
            try door.report(try await door.perform(.deleteTopic(name: name)), name: name)
        }
    }

    struct Purge: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "purge", abstract: "Delete a topic's records, up to the end or below an offset.")

        @OptionGroup var door: AdminDoor
        @Argument var name: String
        @Option(help: "Only this partition.") var partition: Int32?
        @Option(help: "Only records below this offset.") var before: Int64?
        @Flag(help: "Do it without being asked.") var yes = false

        func validate() throws {
            if let partition, partition < 0 { throw ValidationError("--partition must be 0 or more") }
            if let before, before < 0 { throw ValidationError("--before must be 0 or more") }
        }

        func run() async throws {
            let which = partition.map { "partition \($0) of '\(name)'" } ?? "'\(name)'"
            let act = "deletes the records of \(which) \(before.map { "below offset \($0)" } ?? "up to the end")"
            try Confirmation.ask(act: act, name: name, yes: yes)
            let command = Command.deleteRecords(topic: name, partition: partition, before: before ?? -1)
            try door.report(try await door.perform(command), name: name)
        }
    }
}

extension AdminDoor {
    func topic(_ name: String) async throws(CommandFailure) -> TopicDetail {
        guard let topic = try await snapshot(SnapshotQuery(topic: name, historyPoints: 0)).topic else {
            throw CommandFailure("there is no topic '\(name)': 'weir topic ls' lists them")
        }
        return topic
    }
}

/// `weir topic ls --json`. A value that is not known is null.
struct TopicJSON: Encodable {
    let row: TopicRow

    private enum CodingKeys: String, CodingKey { case name, partitions, records, bytes, inRate, outRate, groups, lag, oldestMs }

    func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: CodingKeys.self)
        try fields.encode(row.name, forKey: .name)
        try fields.encode(row.partitions, forKey: .partitions)
        try fields.encode(row.records, forKey: .records)
        try fields.encode(row.bytes, forKey: .bytes)
        try fields.encode(row.inRate, forKey: .inRate)
        try fields.encode(row.outRate, forKey: .outRate)
        try fields.encode(row.groups, forKey: .groups)
        try fields.encode(row.lag, forKey: .lag)
        try fields.encode(row.oldestMs, forKey: .oldestMs)
    }
}

/// `weir topic describe --json`
struct TopicPartitionJSON: Encodable {
    var topic: String
    var partition: Int32
    var start: Int64
    var end: Int64
    var records: Int64
    var bytes: Int64

    init(_ row: PartitionRow) {
        topic = row.topic
        partition = row.partition
        start = row.start
        end = row.end
        records = row.end - row.start
        bytes = row.bytes
    }
}
