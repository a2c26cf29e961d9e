import Broker
import Model

/// Everything a broker is told before it starts: defaults, then the configuration file, then the flags, each over the one before.
struct BrokerConfiguration: Equatable, Sendable {
    enum DataPlace: Equatable, Sendable {
        case memory
        case directory(String)
    }

    /// When a produce with acks=all is answered.
    enum Flush: String, CaseIterable, Sendable {
        /// After an fdatasync, shared by all that wait for one.
        case commit
        /// After the write; an fdatasync follows at an interval.
        case interval
        /// After the write; the operating system decides when to sync.
        case os
    }

    /// Shown in the console's header and in `/metrics`.
    var name: String
    var data: DataPlace
    /// nil: the door stays closed. Port 0: a free one.
    var kafka: HostPort?
    var http: HostPort?
    /// What Kafka clients are told to connect to; nil: where the door listens.
    var advertise: HostPort?
    var flush: Flush
    var console: Bool
    var theme: String
    /// The console draws with 7-bit characters only.
    var ascii = false
    var readOnly: Bool
    /// Bytes of settled messages that all queues keep together.
    var settledBytes = BrokerOptions().settledRetentionBytes
    var retentionCheckMs = BrokerOptions().retentionCheckMs
    /// Where publishers are held; nil: by the disk's size.
    var diskFreeLow = BrokerOptions().diskFreeLow
    var memoryHigh = BrokerOptions().memoryHigh
    var delayLevels = BrokerOptions().delayLevels
    /// Messages a second that each shard releases from delay.
    var delayDrainRate = Limits().releasesPerSecond
    /// A broker outlives its terminal; a demo has nobody left to show anything to.
    var endsWithTerminal = false

    /// Throws for a mark that this process would never reach: it would be killed before.
    /// - Parameter memoryBytes: what it may use; nil when not known.
    func check(memoryBytes: Int64?) throws(CommandFailure) {
        guard case .bytes(let mark) = memoryHigh, let memoryBytes, mark >= memoryBytes else { return }
        throw CommandFailure(
            "memory-high is \(mark) bytes, and the broker may use \(memoryBytes): it would be killed before it holds publishers; "
                + "write a size below that, 1% to 95% of it, or none")
    }

    /// Where data goes unless told: `$XDG_DATA_HOME/weir`, else `~/.local/share/weir` (XDG Base Directory Specification, which also says
    /// that a relative XDG_DATA_HOME is to be ignored).
    static func defaultDirectory(environment: [String: String]) throws(CommandFailure) -> String {
        if let base = environment["XDG_DATA_HOME"], base.hasPrefix("/") { return base + "/weir" }
        guard let home = environment["HOME"], home.hasPrefix("/") else {
            throw CommandFailure("there is no home directory to keep data in: name one with --data DIR, or keep nothing with --data memory")
        }
        return home + "/.local/share/weir"
    }
}

/// The settings a person gave in one place, a flag or a line of the file; nil where nothing was said.
struct BrokerSettings: Equatable, Sendable {
    var name: String?
    var data: String?
    var kafka: Door?
    var amqp: Door?
    var http: Door?
    var advertise: HostPort?
    var flush: BrokerConfiguration.Flush?
    var console: Bool?
    var theme: String?
    var ascii: Bool?
    var readOnly: Bool?
    var settledBytes: Int64?
    var retentionCheckMs: Int64?
    var diskFreeLow: Watermark?
    var memoryHigh: Watermark?
    var delayLevels: DelayLevels?
    var delayDrainRate: Int?

    /// These settings, and where they say nothing, those.
    func over(_ other: BrokerSettings) -> BrokerSettings {
        BrokerSettings(
            name: name ?? other.name, data: data ?? other.data, kafka: kafka ?? other.kafka, amqp: amqp ?? other.amqp,
            http: http ?? other.http, advertise: advertise ?? other.advertise, flush: flush ?? other.flush,
            console: console ?? other.console, theme: theme ?? other.theme, ascii: ascii ?? other.ascii,
            readOnly: readOnly ?? other.readOnly, settledBytes: settledBytes ?? other.settledBytes,
            retentionCheckMs: retentionCheckMs ?? other.retentionCheckMs, diskFreeLow: diskFreeLow ?? other.diskFreeLow,
            memoryHigh: memoryHigh ?? other.memoryHigh, delayLevels: delayLevels ?? other.delayLevels,
            delayDrainRate: delayDrainRate ?? other.delayDrainRate)
    }

    /// Fills in the defaults. Throws for what no broker can do.
    func configuration(
        environment: [String: String], hostName: String, isTerminal: Bool
    ) throws(CommandFailure) -> BrokerConfiguration {
        if case .open(let address) = amqp {
            throw CommandFailure("there is no AMQP door yet, so \(address) is not opened: leave --amqp out, or say --amqp none")
        }
        let place: BrokerConfiguration.DataPlace
        switch data {
        case "memory": place = .memory
        case "": throw CommandFailure("the data directory has no name: use --data DIR or --data memory")
        case let directory?: place = .directory(directory)
        case nil: place = .directory(try BrokerConfiguration.defaultDirectory(environment: environment))
        }
        var configuration = BrokerConfiguration(
            name: name ?? hostName, data: place, kafka: (kafka ?? .open(HostPort(host: "127.0.0.1", port: 9092))).address,
            http: (http ?? .open(HostPort(host: "127.0.0.1", port: 15672))).address, advertise: advertise, flush: flush ?? .commit,
            console: console ?? isTerminal, theme: theme ?? "default", ascii: ascii ?? false, readOnly: readOnly ?? false)
        if let settledBytes { configuration.settledBytes = settledBytes }
        if let retentionCheckMs { configuration.retentionCheckMs = retentionCheckMs }
        if let diskFreeLow { configuration.diskFreeLow = diskFreeLow }
        if let memoryHigh { configuration.memoryHigh = memoryHigh }
        if let delayLevels { configuration.delayLevels = delayLevels }
        if let delayDrainRate { configuration.delayDrainRate = delayDrainRate }
        return configuration
    }
}

/// A door as people name it: `HOST:PORT`, or `none` to leave it closed.
enum Door: Equatable, Sendable {
    case closed
    case open(HostPort)

    init(_ text: String) throws(MisreadText) {
        self = text == "none" ? .closed : .open(try HostPort(text))
    }

    var address: HostPort? {
        if case .open(let address) = self { address } else { nil }
    }
}
