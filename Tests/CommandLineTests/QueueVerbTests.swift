import ArgumentParser
import Control
import Model
import Testing

@testable import weir

/// The command lines that console and audit log show are the verbs of the command line: parsed, they are the same commands.
@Suite struct QueueVerbTests {
    static let everyCommand: [QueueCommand] = [
        .declare(queue: "orders", settings: ["retry.levels": "10s,30s,1m", "max.depth": "5000", "dead.letter": "auto"]),
        .declare(queue: "plain", settings: [:]), .delete(queue: "orders"), .purge(queue: "orders", delayed: false),
        .purge(queue: "orders", delayed: true), .undo(id: "p17"), .gate(queue: "orders", .delivery, held: true),
        .gate(queue: "billing group@orders", .delivery, held: false), .gate(queue: "orders", .publishing, held: true),
        .gate(queue: "orders", .publishing, held: false), .cancelDelayed(queue: "orders", ids: ["d0-1234", "0/8917"]),
        .runDelayed(queue: "orders", ids: ["d1-7"]), .reschedule(queue: "orders", ids: ["d0-1", "d0-2"], dueMs: 1_800_000_000_000),
        .jitter(queue: "orders", fromMs: 1_800_000_000_000, toMs: 1_800_000_060_000, spreadMs: 90_000),
        .jitter(queue: nil, fromMs: 5, toMs: 6, spreadMs: 0), .redrive(Redrive(queue: "orders.dlq")), .redrive(fullRedrive),
        .replay(Replay(queue: "orders")), .replay(fullReplay), .discard(queue: "orders.dlq", ids: ["0/1", "0/2"]), .cancelJob(id: 17),
        .write(queue: "orders", key: nil, value: "hello", headers: [], delayMs: nil),
        .write(
            queue: "orders", key: "-k 'quoted'", value: "--not an option",
            headers: [MessageHeader(name: "a", value: "x=y z"), MessageHeader(name: "b", value: "")], delayMs: 1_500),
        .write(queue: "orders", key: "", value: "", headers: [], delayMs: nil),
    ]

    private static var filter: MessageFilter {
        var filter = MessageFilter()
        filter.ids = ["0/5", "1/9"]
        filter.reason = "rejected: it's broken"
        filter.headers = [MessageHeader(name: "tenant", value: "a b")]
        filter.match = "-?[0-9]+ \"x\"$"
        filter.fromMs = 1_700_000_000_000
        filter.toMs = 1_700_000_000_500
        return filter
    }

    private static var fullRedrive: Redrive {
        var redrive = Redrive(queue: "orders.dlq")
        redrive.target = "orders.checked"
        redrive.watermark = [214, 0, 9]
        redrive.filter = filter
        redrive.rate = 50
        redrive.rampFrom = 2.5
        redrive.holdAbove = 5_000
        redrive.canary = 1
        redrive.canaryWaitMs = 2_500
        redrive.stopIfDead = 0.07
        redrive.skipIfRedriven = 2
        redrive.dryRun = true
        return redrive
    }

    private static var fullReplay: Replay {
        var replay = Replay(queue: "orders")
        replay.from = .time(ms: 1_700_000_000_000)
        replay.to = .offset(1_200)
        replay.partition = 3
        replay.into = "orders.check"
        replay.filter = filter
        replay.dryRun = true
        return replay
    }

    @Test(arguments: everyCommand)
    func `a command's own command line means that command`(command: QueueCommand) throws {
        let words = Self.shellWords(command.commandLine)
        #expect(words.first == "weir")
        #expect(try Self.command(Weir.parseAsRoot(Array(words.dropFirst()))) == command, "\(command.commandLine)")
    }

    /// What the parsed verb would send.
    private static func command(_ verb: any ParsableCommand) throws -> QueueCommand? {
        let now = Timestamp(ms: 1_750_000_000_000)
        switch verb {
        case let verb as QueueVerbs.Declare: return try verb.command()
        case let verb as QueueVerbs.Delete: return verb.command
        case let verb as QueueVerbs.Purge: return verb.command
        case let verb as QueueVerbs.Hold: return verb.command
        case let verb as QueueVerbs.Resume: return verb.command
        case let verb as UndoVerb: return verb.command
        case let verb as DelayVerbs.Cancel: return verb.command
        case let verb as DelayVerbs.Run: return verb.command
        case let verb as DelayVerbs.Reschedule: return try verb.command(now: now)
        case let verb as DelayVerbs.Jitter: return try verb.command(now: now)
        case let verb as RedriveVerb: return .redrive(try verb.redrive(now: now))
        case let verb as ReplayVerb: return .replay(try verb.replay(now: now))
        case let verb as DeadVerbs.Discard: return verb.command
        case let verb as JobVerbs.Cancel: return verb.command
        case let verb as PublishCommand:
            return .write(
                queue: verb.topic, key: verb.key, value: verb.text ?? "", headers: try HeaderText.parse(verb.headers),
                delayMs: try verb.delayMs())
        default: return nil
        }
    }

    static let otherCommands: [Command] = [
        .createTopic(name: "clicks", partitions: 3, configs: ["retention.ms": "1000", "dead.letter": "x"]), .deleteTopic(name: "clicks"),
        .deleteRecords(topic: "clicks", partition: 2, before: 9), .deleteRecords(topic: "clicks", partition: nil, before: -1),
        .deleteGroup(name: "a group"), .killClient(id: 7), .removeMember(group: "a group", member: "m 1"),
        .alter(SettingsChange(.topic, "clicks", set: ["retention.ms": "1000", "flush": ""], unset: ["segment.bytes"])),
        .alter(SettingsChange(.queue, "orders", set: ["retry.levels": "10s,1m"])),
        .alter(SettingsChange(.group, "a group", set: ["delivery.limit": "4"], unset: ["retry.levels", "rate.out"])),
    ]

    @Test(arguments: otherCommands) func `a topic's, group's and client's line means its command`(command: Command) throws {
        let words = Self.shellWords(command.commandLine)
        let verb = try Weir.parseAsRoot(Array(words.dropFirst()))
        switch verb {
        case let verb as TopicCommand.Create:
            #expect(.createTopic(name: verb.name, partitions: verb.partitions, configs: try verb.settings()) == command)
        case let verb as TopicCommand.Delete: #expect(.deleteTopic(name: verb.name) == command && verb.yes)
        case let verb as TopicCommand.Purge:
            #expect(.deleteRecords(topic: verb.name, partition: verb.partition, before: verb.before ?? -1) == command && verb.yes)
        case let verb as GroupCommand.Delete: #expect(.deleteGroup(name: verb.name) == command && verb.yes)
        case let verb as ClientCommand.Kill: #expect(try verb.command() == command && verb.yes)
        case let verb as TopicCommand.Alter: #expect(try verb.command() == command)
        case let verb as QueueVerbs.Alter: #expect(try verb.command() == command)
        case let verb as GroupCommand.Alter: #expect(try verb.command() == command)
        default: Issue.record("\(command.commandLine) is \(verb)")
        }
    }

    @Test(arguments: [
        ["topic", "alter", "x"], ["group", "alter", "g"], ["queue", "alter", "q"], ["topic", "alter", "x", "--config", "k"],
    ])
    func `alter needs a setting`(words: [String]) { #expect(throws: (any Error).self) { try Weir.parseAsRoot(words) } }

    @Test func `alter takes times and sizes with their units`() throws {
        let line = ["topic", "alter", "t", "--config", "retention.ms=7d", "--config", "segment.bytes=64MiB"]
        let verb = try #require(try Weir.parseAsRoot(line) as? TopicCommand.Alter)
        #expect(try verb.command() == .alter(SettingsChange(.topic, "t", set: ["retention.ms": "604800000", "segment.bytes": "67108864"])))
    }

    /// A line as a POSIX shell splits it, as far as single quotes and backslashes go.
    static func shellWords(_ line: String) -> [String] {
        var words: [String] = []
        var word: String?
        var inQuotes = false
        var isEscaped = false
        for character in line {
            if isEscaped {
                word = (word ?? "") + String(character)
                isEscaped = false
            } else if inQuotes {
                if character == "'" { inQuotes = false } else { word = (word ?? "") + String(character) }
            } else if character == "'" {
                inQuotes = true
                word = word ?? ""
            } else if character == "\\" {
                isEscaped = true
            } else if character == " " {
                if let done = word { words.append(done) }
                word = nil
            } else {
                word = (word ?? "") + String(character)
            }
        }
        return words + (word.map { [$0] } ?? [])
    }

    @Test func `options of declare are settings`() throws {
        let line = [
            "queue", "declare", "q", "--delay", "30s", "--retry-backoff", "1s,2,5m", "--retry-jitter", "0.2", "--delivery-limit", "6",
            "--dead-letter", "auto", "--max-depth", "5000", "--max-bytes", "2GiB", "--overflow", "reject-publish", "--rate-in", "100",
            "--rate-out", "0.5", "--ttl", "1h", "--config", "retention.settled.ms=7d",
        ]
        let declare = try #require(try Weir.parseAsRoot(line) as? QueueVerbs.Declare)
        #expect(
            try declare.options.settings() == [
                "delay.ms": "30000", "retry.backoff": "1s,2,5m", "retry.jitter": "0.2", "delivery.limit": "6", "dead.letter": "auto",
                "max.depth": "5000", "max.bytes": "2147483648", "overflow": "reject-publish", "rate.in": "100", "rate.out": "0.5",
                "ttl.ms": "3600000", "retention.settled.ms": "604800000",
            ])
        let levels = try #require(
            try Weir.parseAsRoot(["queue", "declare", "q", "--delay-level", "3", "--retry-levels", "10s,1m"]) as? QueueVerbs.Declare)
        #expect(try levels.options.settings() == ["delay.level": "3", "retry.levels": "10s,1m"])
    }

    @Test(arguments: [
        ["queue", "declare", "q", "--delay", "30"], ["queue", "declare", "q", "--delay", "1s", "--delay-level", "2"],
        ["queue", "declare", "q", "--delay-level", "0"], ["queue", "declare", "q", "--overflow", "explode"],
        ["queue", "declare", "q", "--retry-levels", "1s", "--retry-backoff", "1s,2,5m"], ["queue", "declare", "q", "--max-depth", "0"],
        ["queue", "declare", "q", "--rate-in", "nan"], ["queue", "hold"], ["queue", "messages", "q", "--state", "odd"],
        ["delay", "cancel", "q"], ["delay", "reschedule", "q", "d0-1"], ["delay", "reschedule", "q", "d0-1", "--at", "5", "--in", "5m"],
        ["delay", "jitter", "--from", "1m", "--until", "2m", "--spread", "1m"],
        ["delay", "jitter", "q", "--from", "2m", "--until", "1m", "--spread", "1m"], ["dead", "discard", "q", "--yes"],
        ["redrive"], ["redrive", "q", "--rate", "0"], ["redrive", "q", "--ramp", "5"], ["redrive", "q", "--stop-if-dead", "101"],
        ["redrive", "q", "--match", "("], ["redrive", "q", "--detach", "--wait-acked"], ["redrive", "q", "--header", "novalue"],
        ["redrive", "q", "--watermark", "x"], ["replay", "q"], ["replay", "q", "--from", "-3"], ["replay", "q", "--from", "yesterday"],
        ["job", "show", "x"], ["undo"], ["audit", "--count", "0"], ["publish", "q", "a", "--value", "b"], ["publish", "q", "--delay", "5"],
    ])
    func `what cannot be meant is refused as usage`(arguments: [String]) throws {
        let error = try #require(throws: (any Error).self) { try Weir.parseAsRoot(arguments) }
        #expect(Weir.exitCode(for: error).rawValue == 64)
    }

    @Test func `times are ms, dates, or spans from now`() throws {
        let now = Timestamp(ms: 1_750_000_000_000)
        #expect(try WhenText.parse("1700000000000", .ago, now: now) == 1_700_000_000_000)
        #expect(try WhenText.parse("@1700000000000", .ago, now: now) == 1_700_000_000_000)
        #expect(try WhenText.parse("2023-11-14T22:13:20Z", .ago, now: now) == 1_700_000_000_000)
        #expect(try WhenText.parse("15m", .ago, now: now) == 1_749_999_100_000)
        #expect(try WhenText.parse("1h30m", .ahead, now: now) == 1_750_005_400_000)
        #expect(throws: MisreadText.self) { try WhenText.parse("soon", .ahead, now: now) }
    }

    @Test func `a job is over when it is done, and acknowledged where that was asked for`() {
        var job = JobRow()
        job.id = 17
        job.kind = "redrive"
        job.source = "refunds.dlq"
        job.target = "refunds"
        job.total = 198
        job.sent = 132
        job.rate = 50
        #expect(!JobWatch.isOver(job, waitAcked: false))
        #expect(JobWatch.line(job) == "job 17 redrive refunds.dlq > refunds  [################········] 132/198  50/s  0 died")
        job.state = .done
        job.sent = 198
        job.acked = 196
        job.diedAgain = 1
        #expect(JobWatch.isOver(job, waitAcked: false))
        #expect(!JobWatch.isOver(job, waitAcked: true))
        job.diedAgain = 2
        #expect(JobWatch.isOver(job, waitAcked: true))
        #expect(job.outcome == "198 sent, 196 acked, 2 died again")
        // What was purged or moved on is neither, and nobody waits for it.
        job.diedAgain = 1
        #expect(JobWatch.line(job).hasSuffix("waiting for 1 to be acked or die (^C leaves it to the broker)"))
        job.other = 1
        #expect(JobWatch.isOver(job, waitAcked: true))
        #expect(job.outcome == "198 sent, 196 acked, 1 died again, 1 moved or removed")
        job.state = .stopped
        #expect(JobWatch.isOver(job, waitAcked: true))
    }

    @Test func `queue json has the promised names, null where nothing is known`() throws {
        var row = QueueRow(name: "orders")
        row.ready = 5
        row.held = true
        #expect(
            String(decoding: try ControlJSON.encode([QueueText.json(row)]), as: UTF8.self)
                == #"[{"ackRate":0,"blocked":false,"bytes":0,"consumers":0,"dead":0,"delayed":0,"drains":true,"dropped":0,"etaMs":null,"#
                + #""held":true,"inRate":0,"isDeadLetter":false,"limitShare":null,"name":"orders","netRate":0,"oldestMs":null,"outRate":0,"#
                + #""ready":5,"refused":0,"retrying":0,"unacked":0}]"#)
        #expect(QueueText.state(row) == "held")
    }
}
