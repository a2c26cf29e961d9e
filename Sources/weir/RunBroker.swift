import AdminServer
import Broker
import CWeir
import Control
import Glibc
import KafkaServer
import Logging
import Model
import NIOCore
import NIOPosix
import ServiceLifecycle
import Storage

/// Runs a broker until it is told to stop: by a signal, or from its console.
///
/// - Parameter alongside: what runs beside the broker once its doors are open. It is stopped first, and when it ends so does the broker.
func runBroker(
    _ configuration: BrokerConfiguration, alongside: (RunningBroker) -> [any Service] = { _ in [] }
) async throws {
    ProcessSetup.raiseOpenFileLimit()
    let running = try await RunningBroker.start(configuration)
    var services: [any Service] = [BrokerService(running: running, isHeadless: !configuration.console)] + alongside(running)
    if configuration.console {
        signal(SIGHUP, SIG_IGN)  // the broker outlives its terminal
        services.append(ConsoleService(running: running, configuration: configuration))
    }
    // Whichever ends first, the last one is stopped first: the console, what runs alongside, the broker.
    var lifecycle = ServiceGroupConfiguration(
        services: services.map { .init(service: $0, successTerminationBehavior: .gracefullyShutdownGroup) },
        gracefulShutdownSignals: configuration.console ? [.sigterm, .sigint] : [.sigterm, .sigint, .sighup], logger: running.logger)
    lifecycle.maximumGracefulShutdownDuration = .seconds(30)
    try await ServiceGroup(configuration: lifecycle).run()
}

/// A broker with its doors open.
struct RunningBroker: Sendable {
    let broker: Broker
    let view: BrokerView
    let kafka: KafkaDoor?
    let http: AdminServer?
    let group: MultiThreadedEventLoopGroup
    let logger: Logger

    static func start(_ configuration: BrokerConfiguration) async throws -> RunningBroker {
        let memoryLimit = weir_memory_limit_bytes()
        let memoryBytes = memoryLimit > 0 ? Int64(clamping: memoryLimit) : nil
        try configuration.check(memoryBytes: memoryBytes)
        let clock = SystemClock()
        let events = EventRing(limit: Limits().recentEvents)
        let logger = BrokerLog.logger(configuration, events: events, clock: clock)
        let group = MultiThreadedEventLoopGroup(numberOfThreads: System.coreCount)
        let (log, store, shards, resources) = try engine(configuration, clock: clock, logger: logger)
        var options = BrokerOptions()
        options.name = configuration.name
        options.version = Version.text
        options.flush = BrokerOptions.Flush(rawValue: configuration.flush.rawValue) ?? .commit
        options.readOnly = configuration.readOnly
        options.settledRetentionBytes = configuration.settledBytes
        options.retentionCheckMs = configuration.retentionCheckMs
        options.diskFreeLow = configuration.diskFreeLow
        options.memoryHigh = configuration.memoryHigh
        options.delayLevels = configuration.delayLevels
        options.limits.releasesPerSecond = configuration.delayDrainRate
        options.memoryBytes = memoryBytes
        options.data = configuration.dataText
        let parts = BrokerParts(
            options: options, log: log, store: store, clock: clock, logger: logger,
            random: { UInt64.random(in: .min ... .max) }, events: events, resources: resources)
        let loops = Array(group.makeIterator())
        let broker = try await Broker.start(parts, shardCount: shards, loops: loops)
        let view = BrokerView(broker: broker)
        do {
            let kafka = try await openKafka(configuration, broker: broker, group: group, logger: logger)
            view.doors = .init(kafka: kafka.map { $0.advertised.text })
            let http = try await openHTTP(configuration, view: view, group: group, logger: logger)
            view.doors = .init(kafka: kafka.map { $0.advertised.text }, http: http.map { $0.address.description })
            return RunningBroker(broker: broker, view: view, kafka: kafka, http: http, group: group, logger: logger)
        } catch {
            await broker.close()
            throw error
        }
    }

    private static func engine(
        _ configuration: BrokerConfiguration, clock: SystemClock, logger: Logger
    ) throws -> (any Log, any Store, shards: Int, @Sendable () -> ResourceReading) {
        switch configuration.data {
        case .memory:
            return (MemoryEngine(), MemoryStore(clock: clock), System.coreCount, { ResourceReading(residentBytes: residentBytes()) })
        case .directory(let path):
            do {
                let files = PosixFileSystem()
                let engine = try FileEngine(fileSystem: files, root: path, shards: System.coreCount, logger: logger)
                let store = try FileStore(fileSystem: files, root: path + "/store", clock: clock, logger: logger)
                return (
                    engine, store, engine.shardCount,
                    {
                        let space = engine.space()
                        return ResourceReading(
                            diskFreeBytes: space?.freeBytes, diskTotalBytes: space?.totalBytes, residentBytes: residentBytes())
                    }
                )
            } catch {
                throw CommandFailure("the data directory \(path) can't be opened: \(error)")
            }
        }
    }

    /// nil when not known.
    private static func residentBytes() -> Int64? {
        let bytes = weir_resident_bytes()
        return bytes > 0 ? Int64(clamping: bytes) : nil
    }

    private static func openKafka(
        _ configuration: BrokerConfiguration, broker: Broker, group: any EventLoopGroup, logger: Logger
    ) async throws -> KafkaDoor? {
        guard let address = configuration.kafka else { return nil }
        let advertise = configuration.advertise.map { Advertised(host: $0.host, port: Int($0.port)) }
        do {
            return try await KafkaDoor.open(
                broker: broker, host: address.host, port: Int(address.port), advertise: advertise, group: group, logger: logger)
        } catch {
            throw CommandFailure("the Kafka door can't listen on \(address): \(error); name another with --kafka HOST:PORT")
        }
    }

    private static func openHTTP(
        _ configuration: BrokerConfiguration, view: BrokerView, group: any EventLoopGroup, logger: Logger
    ) async throws -> AdminServer? {
        guard let address = configuration.http else { return nil }
        do {
            return try await AdminServer.start(
                .init(address: address, readOnly: configuration.readOnly), control: view.acting(as: "http"),
                claimed: { view.acting(as: "http (claims \($0))") }, group: group, logger: logger)
        } catch {
            throw CommandFailure("the admin door can't listen on \(address): \(error); name another with --http HOST:PORT")
        }
    }

    /// What a headless broker says when clients can connect.
    var readyLine: String {
        var line = "ready"
        if let kafka { line += " kafka=\(kafka.advertised.text)" }
        if let http { line += " http=\(http.address)" }
        return line + " data=\(broker.options.data)"
    }

    /// Doors first, then what is under way, then the log.
    func stop() async {
        await kafka?.close()
        await http?.close()
        await broker.close()
    }
}

/// The broker as a service, until the shutdown.
private struct BrokerService: Service {
    let running: RunningBroker
    let isHeadless: Bool

    func run() async throws {
        if isHeadless { StandardError.write(running.readyLine + "\n") }
        await untilShutdown()
        await running.stop()
    }
}

func untilShutdown() async {
    do { try await gracefulShutdown() } catch {
        // Cancelled: the shutdown is under way without grace.
    }
}

extension Advertised {
    var text: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}

extension BrokerConfiguration {
    var dataText: String {
        switch data {
        case .memory: "memory"
        case .directory(let path): path
        }
    }
}
