import ArgumentParser
import FoundationEssentials
import Glibc
import Model

/// `weir serve`, and plain `weir`.
struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Start a broker (the default verb).",
        discussion: """
            On a terminal the console comes up; headless, one line 'ready kafka=HOST:PORT http=HOST:PORT data=DIR' on standard error says
            that clients can connect. Port 0 picks a free port, 'none' leaves a door closed.

            A configuration file holds the same settings in TOML, one a line: kafka = "127.0.0.1:9092", read-only = true. Flags win over it.
            """)

    @Option(help: ArgumentHelp("Where records are kept: a directory, or 'memory'. (default: $XDG_DATA_HOME/weir)", valueName: "dir"))
    var data: String?

    @Option(help: ArgumentHelp("Kafka door. (default: 127.0.0.1:9092)", valueName: "host:port"), transform: { try Door($0) })
    var kafka: Door?

    @Option(help: ArgumentHelp("AMQP door: only 'none' until AMQP is there.", valueName: "host:port"), transform: { try Door($0) })
    var amqp: Door?

    @Option(
        help: ArgumentHelp("Admin door, on a loopback address only. (default: 127.0.0.1:15672)", valueName: "host:port"),
        transform: { try Door($0) })
    var http: Door?

    @Option(
        help: ArgumentHelp("What Kafka clients are told to connect to. (default: the Kafka door)", valueName: "host:port"),
        transform: { try HostPort($0) })
    var advertise: HostPort?

    @Option(help: ArgumentHelp("Read settings from a TOML file.", valueName: "file"))
    var config: String?

    @Option(help: ArgumentHelp("The broker's name in console and metrics. (default: the host's name)", valueName: "name"))
    var name: String?

    @Option(
        help: ArgumentHelp(
            "When acks=all is answered: 'commit' after an fdatasync, 'interval' or 'os' after the write. (default: commit)",
            valueName: "when"))
    var flush: BrokerConfiguration.Flush?

    @Flag(inversion: .prefixedNo, help: "Show the console. (default: on a terminal)")
    var console: Bool?

    @Option(help: ArgumentHelp("The console's theme: default, dark, light, mono, or one of your own.", valueName: "name"))
    var theme: String?

    @Flag(help: "Draw the console with 7-bit characters only.")
    var ascii = false

    @Option(
        help: ArgumentHelp(
            "Settled messages that all queues keep together for replay; the largest give first. (default: 16GiB)", valueName: "size"),
        transform: { try Serve.settledBytes($0) })
    var settledBytes: Int64?

    @Option(
        help: ArgumentHelp("How often retention is looked at. (default: 30s)", valueName: "span"),
        transform: { try Serve.retentionCheckMs($0) })
    var retentionCheck: Int64?

    @Option(
        help: ArgumentHelp(
            "Publishers are held while less is free on the disk, once settled messages are given back: a size, a share, 'none'. "
                + "(default: 2%, from 512MiB to 10GiB)", valueName: "mark"),
        transform: { try Watermark.parse(diskFree: $0) })
    var diskFreeLow: Watermark?

    @Option(
        help: ArgumentHelp(
            "Publishers are held while the broker uses more memory: a size, a share of what it may use, 'none'. (default: 60%)",
            valueName: "mark"),
        transform: { try Watermark.parse(memory: $0) })
    var memoryHigh: Watermark?

    @Option(
        help: ArgumentHelp(
            "What delay levels 1, 2 … stand for, for queues whose level is set from now on. (default: \(DelayLevels.standard.text))",
            valueName: "spans"),
        transform: { try DelayLevels.parse($0) })
    var delayLevels: DelayLevels?

    @Option(
        help: ArgumentHelp(
            "Messages a second that each shard (one a processor) releases from delay at most, so that what is overdue after a downtime "
                + "does not come all at once. (default: \(Limits().releasesPerSecond))", valueName: "n"),
        transform: { try Serve.delayDrainRate($0) })
    var delayDrainRate: Int?

    @Flag(help: "Refuse every command from console and admin door.")
    var readOnly = false

    func run() async throws {
        let settings = try config.map { path throws(CommandFailure) in try flags.over(ConfigurationFile.read(path: path)) } ?? flags
        let configuration = try settings.configuration(
            environment: ProcessInfo.processInfo.environment, hostName: ProcessSetup.hostName ?? "weir",
            isTerminal: isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1)
        try await runBroker(configuration)
    }

    /// What the flags say. A flag can only switch read-only on: the file may too, and nothing takes it back.
    var flags: BrokerSettings {
        BrokerSettings(
            name: name, data: data, kafka: kafka, amqp: amqp, http: http, advertise: advertise, flush: flush, console: console,
            theme: theme, ascii: ascii ? true : nil, readOnly: readOnly ? true : nil, settledBytes: settledBytes,
            retentionCheckMs: retentionCheck, diskFreeLow: diskFreeLow, memoryHigh: memoryHigh, delayLevels: delayLevels,
            delayDrainRate: delayDrainRate)
    }

    static func settledBytes(_ text: String) throws(MisreadText) -> Int64 { try ByteSize.parse(text) }

    static func delayDrainRate(_ text: String) throws(MisreadText) -> Int {
        guard let rate = Int(text), (1...10_000_000).contains(rate) else {
            throw MisreadText("'\(text)' is no rate: write a whole number of messages a second from 1 to 10000000")
        }
        return rate
    }

    static func retentionCheckMs(_ text: String) throws(MisreadText) -> Int64 {
        let ms = try TimeSpan.parse(text)
        guard (100...3_600_000).contains(ms) else { throw MisreadText("\(text) is too short or too long: use 100ms to 1h") }
        return ms
    }
}

extension BrokerConfiguration.Flush: ExpressibleByArgument {}
