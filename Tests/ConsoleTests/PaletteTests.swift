import Control
import Terminal
import Testing

@testable import Console

/// `:` takes the command line's words: what a dialog shows can be pasted.
@Suite struct PaletteTests {
    /// The command that a line is, or that the dialog it opens is about: told by its command line where the form counts first.
    private static func meaning(_ line: String, _ model: ConsoleModel) throws -> String? {
        var model = model
        for effect in Palette.run(line, on: &model) {
            if case .perform(let command, _) = effect, !command.onlyPreviews { return command.commandLine }
        }
        guard let dialog = model.dialog else { return model.status?.note.text }
        switch dialog.kind {
        case .confirm(_, let commands): return commands[0].commandLine
        case .form(let action): return try action.commands(dialog.form, nowMs: model.brokerNowMs, offset: 0)[0].commandLine
        default: return dialog.commandLine ?? dialog.notes.first?.text
        }
    }

    @Test(arguments: 0..<RandomCommand.kinds) func `every command's line is that command again`(kind: Int) async throws {
        let model = try await Bench().model
        var random = RandomCommand(seed: UInt64(kind))
        for _ in 0..<200 {
            let command = random.command(kind)
            #expect(try Self.meaning(command.commandLine, model) == command.commandLine)
        }
    }

    @Test(arguments: 0..<RandomCommand.kinds) func `what is quoted is split into the same words`(kind: Int) throws {
        var random = RandomCommand(seed: 77 + UInt64(kind))
        for _ in 0..<100 {
            let line = random.command(kind).commandLine
            let words = try ShellWords.split(line)
            #expect(try ShellWords.split(words.map(ShellWords.quoted).joined(separator: " ")) == words)
        }
    }

    @Test func `quotes and backslashes are a shell's`() throws {
        #expect(try ShellWords.split(#"a 'b c'\''d' "e \"f\" \g" h\ i ''"#) == ["a", "b c'd", #"e "f" \g"#, "h i", ""])
        #expect(throws: ShellWords.Unfinished(sign: "'")) { try ShellWords.split("publish q 'x") }
        #expect(throws: ShellWords.Unfinished(sign: "\\")) { try ShellWords.split("x \\") }
    }

    @Test func `weir before a line and a prompt before weir are no words of it`() async throws {
        var bench = try await Bench()
        for line in ["queue hold thumbs", "weir queue hold thumbs", "$ weir queue hold 'thumbs'"] {
            try await bench.type(":" + line)
            try await bench.press(.enter)
        }
        #expect(bench.queueChanges == Array(repeating: .gate(queue: "thumbs", .delivery, held: true), count: 3))
        try await bench.type(":publish thumbs 'never closed")
        try await bench.press(.enter)
        #expect(bench.status == "`'` is not closed; nothing was done")
    }

    @Test func `a whole line means what it says, a typed one adds the guards`() async throws {
        let model = try await Bench().model
        #expect(try Self.meaning("weir redrive payments.dlq", model) == "weir redrive payments.dlq")
        #expect(try Self.meaning("redrive payments.dlq", model)?.contains("--canary 1") == true)
    }

    @Test func `every header and id counts`() async throws {
        let model = try await Bench().model
        let line = "redrive payments.dlq --header a=1 --header 'b=2 3' --id 0/1 --id 0/2 --match x"
        let shown = try #require(try Self.meaning(line, model))
        #expect(shown.contains("--id 0/1 --id 0/2 --header a=1 --header 'b=2 3' --match x"))
        #expect(try Self.meaning("redrive payments.dlq --rate 1 --rate 2", model) == "`--rate` is given twice; nothing was done")
    }

    @Test func `declare and alter take the options of the command line`() async throws {
        var bench = try await Bench()
        for line in [
            "queue declare q --retry-backoff 1s,2,5m --retry-jitter 0.2 --delay 30s --max-bytes 2GiB --rate-out 0.5 --ttl=1h",
            "queue alter q --dead-letter auto --unset max.depth --config retention.settled.ms=7d",
            "topic alter orders --config retention.ms=3d --unset flush", "group alter billing --config retry.levels=10s",
        ] {
            try await bench.type(":" + line)
            try await bench.press(.enter)
        }
        #expect(
            bench.changes == [
                .queue(
                    .declare(
                        queue: "q",
                        settings: [
                            "retry.backoff": "1s,2,5m", "retry.jitter": "0.2", "delay.ms": "30000", "max.bytes": "2147483648",
                            "rate.out": "0.5", "ttl.ms": "3600000",
                        ])),
                .alter(
                    SettingsChange(.queue, "q", set: ["dead.letter": "auto", "retention.settled.ms": "604800000"], unset: ["max.depth"])),
                .alter(SettingsChange(.topic, "orders", set: ["retention.ms": "259200000"], unset: ["flush"])),
                .alter(SettingsChange(.group, "billing", set: ["retry.levels": "10s"])),
            ])
        try await bench.type(":queue declare q --delay 30")
        try await bench.press(.enter)
        #expect(bench.status == "`--delay 30`: a time such as 10s or 5m; nothing was done")
    }

    @Test func `replay of a consumer group resets it`() async throws {
        var bench = try await Bench()
        try await bench.type(":replay etl --from 1200")
        try await bench.press(.enter)
        #expect(bench.model.dialog?.title == "Reset offsets of group etl")
        #expect(bench.model.dialog?.commandLine == "weir group reset etl --topic orders --to 1200")
    }

    @Test func `screens have their verbs too`() async throws {
        var bench = try await Bench()
        for (line, screen) in [("queue ls", ScreenID.queues), ("weir dead ls", .dead), ("job ls", .jobs), ("weir audit", .audit)] {
            try await bench.type(":" + line)
            try await bench.press(.enter)
            #expect(bench.model.screen == screen, "\(line)")
        }
        try await bench.type(":job show 3")
        try await bench.press(.enter)
        #expect(bench.model.jobs.opened == "3")
        try await bench.type(":queue show shop.orders 0/58000")
        try await bench.press(.enter)
        #expect(bench.model.inspector?.name == MessageName(queue: "shop.orders", id: "0/58000"))
    }

    @Test func `options complete, those given already do not`() async throws {
        let bench = try await Bench()
        var model = bench.model
        model.live?.queues.rows.append(QueueRow(name: "billing@orders"))
        func lines(_ text: String) -> [String] { Palette.completions(for: text, in: model).map(\.line) }
        let all = lines("redrive q ")
        for option in ["--hold-above", "--canary-wait", "--skip-if-redriven", "--header", "--id", "--since", "--watermark"] {
            #expect(all.contains("redrive q \(option) "), "\(option)")
        }
        #expect(lines("redrive q --ra") == ["redrive q --rate ", "redrive q --ramp "])
        #expect(!lines("redrive q --rate 5 ").contains("redrive q --rate "))
        #expect(lines("redrive q --rate ").isEmpty)
        #expect(lines("queue purge q --d") == ["queue purge q --delayed"])
        #expect(lines("group reset g --to ").isEmpty && lines("group reset g --t").contains("group reset g --to earliest"))
        #expect(lines("group alter b") == ["group alter billing"])
    }

    @Test func `a line that was cut is not run`() async throws {
        var bench = try await Bench()
        bench.model.prompt = .init(
            kind: .palette, editor: LineEditor("delay cancel q " + String(repeating: "d", count: 4_081)), choice: nil)
        try await bench.type("1")
        try await bench.press(.enter)
        #expect(bench.status?.contains("nothing was done") == true && bench.changes.isEmpty)
    }

    @Test func `y copies every command of a dialog`() async throws {
        var bench = try await Bench()
        try await bench.type("7aK")
        #expect(bench.model.dialog?.title == "Kill 3 clients")
        try await bench.type("y")
        guard case .copy(let text) = bench.effects.last else {
            Issue.record("nothing copied")
            return
        }
        #expect(text.split(separator: "\n").count == 3)
        #expect(text.hasPrefix("weir client kill ") && !text.contains("more"))
    }
}
