import Broker
import Logging
import Model
import NIOCore
import Storage

/// A machine of a world: a disk, and a broker that runs on it until somebody pulls the plug.
///
/// `@unchecked Sendable`: a world has one thread.
final class Machine: @unchecked Sendable {
    let turns: Turns
    private(set) var disk: FaultyFileSystem
    private(set) var broker: Broker?
    /// Starts so far; the present run's number.
    private(set) var starts = 0
    /// What the broker complained of since it was last started.
    let reports = Reports()
    private let temper: Temper

    init(turns: Turns, seed: UInt64, temper: Temper) {
        self.turns = turns
        self.temper = temper
        disk = FaultyFileSystem(seed: seed)
    }

    var isDown: Bool { disk.isDown }

    /// Begins to start a broker on what the disk holds; `done` is told when it serves or why it does not.
    func start(done: @escaping @Sendable (Result<Broker, any Error>) -> Void) {
        starts += 1
        reports.lines = []
        setFaults { $0.coldReads = temper.coldReads }
        let loops = [turns.makeLoop(), turns.makeLoop()]
        let run = UInt64(starts)
        Task { [self] in
            do {
                let logger = Logger(label: "sim") { [reports] _ in ReportHandler(reports: reports) }
                let clock = SimClock(turns: turns)
                var engine = FileEngineOptions()
                engine.segmentBytes = 64 << 10
                engine.factSegmentBytes = 16 << 10
                engine.checkpointBytes = 32 << 10
                engine.journalBytes = 32 << 10
                engine.scheduler = turns
                let log = try FileEngine(fileSystem: disk, root: "/data", shards: 2, options: engine, logger: logger)
                let store = try FileStore(fileSystem: disk, root: "/data/store", clock: clock, logger: logger, scheduler: turns)
                let random = SeededBox(seed: turns.random.next() ^ run)
                var options = BrokerOptions()
                options.limits = temper.limits
                let parts = BrokerParts(
                    options: options, log: log, store: store, clock: clock, logger: logger, random: { random.next() },
                    events: EventRing(limit: 100))
                let broker = try await Broker.start(parts, shardCount: 2, loops: loops)
                self.broker = broker
                done(.success(broker))
            } catch { done(.failure(error)) }
        }
    }

    /// Lets the machine stop at its `points`-th change of the disk from now.
    func arm(killIn points: Int) {
        let at = disk.points + max(1, points)
        setFaults { $0.killAt = at }
    }

    func setFaults(_ change: (inout FaultyFileSystem.Faults) -> Void) {
        var faults = disk.faults
        change(&faults)
        disk.faults = faults
    }

    /// Nothing goes wrong any more.
    func heal() { setFaults { $0 = FaultyFileSystem.Faults() } }

    /// Ends everything that runs on the machine and leaves the disk as the crash leaves it.
    func crash(_ loss: FaultyFileSystem.Loss) {
        turns.cut()
        broker = nil
        disk = disk.restarted(loss)
    }

    /// Every file with bytes in it.
    func files(_ path: String = "/data") throws(FileError) -> [(path: String, bytes: Int)] {
        var found: [(path: String, bytes: Int)] = []
        for name in try disk.list(path) {
            let inner = "\(path)/\(name)"
            if let size = try disk.size(inner) {
                if size > 0 { found.append((inner, Int(size))) }
            } else {
                found += try files(inner)
            }
        }
        return found
    }
}

/// A random source that closures share. `@unchecked Sendable`: a world has one thread.
final class SeededBox: @unchecked Sendable {
    private var random: SeededRandom
    init(seed: UInt64) { random = SeededRandom(seed: seed) }
    func next() -> UInt64 { random.next() }
}

/// Warnings and errors of a broker. `@unchecked Sendable`: a world has one thread.
final class Reports: @unchecked Sendable {
    var lines: [String] = []
    private static let limit = 1_000

    func add(_ line: String) { if lines.count < Self.limit { lines.append(line) } }
}

private struct ReportHandler: LogHandler {
    let reports: Reports
    var logLevel = Logger.Level.warning
    var metadata: Logger.Metadata = [:]

    init(reports: Reports) { self.reports = reports }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) { reports.add("\(event.level): \(event.message)") }
}
