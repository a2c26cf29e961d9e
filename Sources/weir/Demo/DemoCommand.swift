import ArgumentParser
import FoundationEssentials
import Glibc
import KafkaClient
import Model
import ServiceLifecycle

/// `weir demo`
struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo", abstract: "Start a broker with a live workload, to look around in.",
        discussion: """
            Topics with tides, groups that keep up, fall behind, stall, come and go; and a shop: orders that cancel themselves when unpaid,
            payments that fail, are tried again and sometimes die, a flash sale whose gate sheds load. All of it goes through the real Kafka
            door, so that your own clients may join in. Nothing is kept unless --data names a directory. --against drives a broker that
            runs already.
            """)

    @Option(help: "End after this many seconds; without it, go on.") var seconds: Int?
    @Option(
        help: ArgumentHelp("Drive the broker at this Kafka door instead of starting one.", valueName: "host:port"),
        transform: { try HostPort($0) })
    var against: HostPort?
    @Option(help: ArgumentHelp("Where records are kept: a directory, or 'memory'. (default: memory)", valueName: "dir")) var data: String?
    @Option(help: ArgumentHelp("Kafka door. (default: 127.0.0.1:9092)", valueName: "host:port"), transform: { try HostPort($0) })
    var kafka: HostPort?
    @Option(help: ArgumentHelp("Admin door. (default: 127.0.0.1:15672)", valueName: "host:port"), transform: { try Door($0) })
    var http: Door?
    @Flag(inversion: .prefixedNo, help: "Show the console. (default: on a terminal)") var console: Bool?
    @Option(help: ArgumentHelp("The console's theme.", valueName: "name")) var theme: String?
    @Flag(help: "Draw the console with 7-bit characters only.") var ascii = false

    func validate() throws {
        if let seconds, seconds < 1 { throw ValidationError("--seconds must be 1 or more") }
        if against != nil, data != nil || kafka != nil || http != nil || console != nil || theme != nil || ascii {
            throw ValidationError("--against drives a broker that runs already: its doors, data and console are its own")
        }
    }

    func run() async throws {
        if let against {
            let seconds = seconds
            return try await Interrupt.cancelling { try await Self.drive(against, seconds: seconds) }
        }
        let settings = BrokerSettings(
            name: "demo", data: data ?? "memory", kafka: kafka.map { .open($0) }, amqp: nil, http: http, advertise: nil, flush: nil,
            console: console, theme: theme, ascii: ascii ? true : nil, readOnly: nil)
        var configuration = try settings.configuration(
            environment: ProcessInfo.processInfo.environment, hostName: "demo",
            isTerminal: isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1)
        configuration.endsWithTerminal = true
        try await runBroker(configuration) { running in
            guard let door = running.kafka, let port = UInt16(exactly: door.advertised.port) else { return [] }
            return [DemoService(address: HostPort(host: door.advertised.host, port: port), seconds: seconds)]
        }
    }

    static func drive(_ address: HostPort, seconds: Int?) async throws {
        do {
            try await DemoWorkload.run(against: address, seconds: seconds, clock: SystemClock())
        } catch let error as ClientError {
            throw CommandFailure("\(error)")
        }
    }
}

/// The workload beside the broker of the same process. When its time is over, the broker ends too.
private struct DemoService: Service {
    let address: HostPort
    let seconds: Int?

    func run() async throws {
        try await cancelWhenGracefulShutdown { try await DemoCommand.drive(address, seconds: seconds) }
    }
}
