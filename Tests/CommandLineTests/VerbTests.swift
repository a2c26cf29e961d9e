import ArgumentParser
import Control
import Model
import Testing

@testable import weir

@Suite struct VerbTests {
    @Test(arguments: [
        ["serve", "--kafka", "9092"], ["serve", "--nonsense"], ["topic", "create"], ["topic", "create", "t", "--partitions", "0"],
        ["topic", "create", "t", "--config", "retention.ms"], ["topic", "purge", "t", "--before", "-1"], ["group", "reset", "g"],
        ["group", "reset", "g", "--to", "latest", "--to-time", "5m"], ["group", "reset", "g", "--to", "somewhere"],
        ["group", "reset", "g", "--to", "latest", "--partition", "1"], ["group", "reset", "g", "--to-time", "soon"], ["explode"],
        ["topic", "ls", "--http", "nowhere"], ["serve", "--flush", "never"],
    ])
    func wrongUseIs64(arguments: [String]) {
        let error = #expect(throws: (any Error).self) { try Weir.parseAsRoot(arguments) }
        #expect(error.map { Weir.exitCode(for: $0).rawValue } == 64)
    }

    @Test func settingsMayCarryUnits() throws {
        let arguments = ["topic", "create", "t", "--config", "retention.ms=7d", "--config", "retention.bytes=1GiB", "--config", "flush=os"]
        let create = try #require(try Weir.parseAsRoot(arguments) as? TopicCommand.Create)
        #expect(try create.settings() == ["retention.ms": "604800000", "retention.bytes": "1073741824", "flush": "os"])
        #expect(throws: (any Error).self) { try Weir.parseAsRoot(["topic", "create", "t", "--config", "retention.ms=7parsecs"]) }
    }

    @Test func aFailureIs1AndSaysItsMessage() {
        let failure = CommandFailure("there is no topic 'x'")
        #expect(Weir.exitCode(for: failure).rawValue == 1)
        #expect(Weir.fullMessage(for: failure) == "Error: there is no topic 'x'")
    }

    @Test func theMessageSaysWhatIsWrongWithAValue() throws {
        let error = try #require(#expect(throws: (any Error).self) { try Weir.parseAsRoot(["serve", "--kafka", "9092"]) })
        #expect(Weir.fullMessage(for: error).contains("'9092' has no port: write HOST:PORT, such as 127.0.0.1:9092"))
    }

    @Test(arguments: [
        Command.createTopic(name: "t", partitions: 3, configs: ["retention.ms": "1000", "segment.bytes": "5"]), .deleteTopic(name: "t"),
        .deleteRecords(topic: "t", partition: 2, before: 7), .deleteRecords(topic: "t", partition: nil, before: -1),
        .resetOffsets(OffsetReset(group: "g", topic: "t", partition: 3, target: .offset(5), dryRun: true)),
        .resetOffsets(OffsetReset(group: "g", target: .time(ms: 1_700_000_000_000), dryRun: false)),
        .resetOffsets(OffsetReset(group: "g", target: .earliest, dryRun: false, force: true)), .deleteGroup(name: "g"),
    ])
    func theLineAConsoleShowsIsAVerb(command: Command) throws {
        let words = command.commandLine.split(separator: " ").map(String.init)
        #expect(words.first == "weir")
        #expect(throws: Never.self) { try Weir.parseAsRoot(Array(words.dropFirst())) }
    }

    @Test func tablesAlignOnATerminalAndAreTabbedElsewhere() {
        var table = Table([.text("NAME"), .number("RECORDS"), .text("NOTE")])
        table.add(["orders", "5", ""])
        table.add(["a", "1204", "x\u{1B}[2J"])
        #expect(table.text(aligned: true) == "NAME    RECORDS  NOTE\norders        5\na          1204  x?[2J\n")
        #expect(table.text(aligned: false) == "NAME\tRECORDS\tNOTE\norders\t5\t\na\t1204\tx?[2J\n")
    }

    @Test func jsonHasPlainNamesAndNullForTheUnknown() throws {
        let topic = TopicRow(name: "orders", partitions: 3, records: 5, bytes: 100)
        #expect(
            String(decoding: try ControlJSON.encode([TopicJSON(row: topic)]), as: UTF8.self)
                == #"[{"bytes":100,"groups":0,"inRate":0,"lag":null,"name":"orders","oldestMs":null,"outRate":0,"#
                + #""partitions":3,"records":5}]"#
        )
        let partition = GroupPartitionRow(topic: "t", partition: 0, committed: nil, end: 9, lag: nil, behindMs: nil)
        #expect(
            String(decoding: try ControlJSON.encode([GroupPartitionJSON(row: partition)]), as: UTF8.self)
                == #"[{"behindMs":null,"committed":null,"end":9,"lag":null,"member":null,"partition":0,"status":"OK","topic":"t"}]"#)
    }
}
