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
    /// Starts and what ended each run, for the report of a failed seed.
    private(set) var starts = 0
    private let options: BrokerOptions

    init(turns: Turns, seed: UInt64) {
        self.turns = turns
        disk = FaultyFileSystem(seed: seed)
        var options = BrokerOptions()
        options.limits.initialRebalanceDelayMs = 20
        self.options = options
    }

    var isDown: Bool { disk.isDown }

    /// Begins to start a broker on what the disk holds; `done` is told when it serves or why it does not.
    func start(done: @escaping @Sendable (Result<Broker, any Error>) -> Void) {
        starts += 1
        let loops = [turns.makeLoop(), turns.makeLoop()]
        let disk = disk
        let options = options
        let turns = turns
        let run = UInt64(starts)
        Task { [self] in
            do {
                let clock = SimClock(turns: turns)
                var engine = FileEngineOptions()
                engine.segmentBytes = 64 << 10
                engine.factSegmentBytes = 16 << 10
                engine.checkpointBytes = 32 << 10
                engine.journalBytes = 32 << 10
                engine.scheduler = turns
                let logger = Logger(label: "sim", factory: { _ in SwiftLogNoOpLogHandler() })
                let log = try FileEngine(fileSystem: disk, root: "/data", shards: 2, options: engine, logger: logger)
                let store = try FileStore(fileSystem: disk, root: "/data/store", clock: clock, logger: logger, scheduler: turns)
                let random = SeededBox(seed: turns.random.next() ^ run)
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
        var faults = disk.faults
        faults.killAt = disk.points + max(1, points)
        disk.faults = faults
    }

    func setFaults(_ change: (inout FaultyFileSystem.Faults) -> Void) {
        var faults = disk.faults
        change(&faults)
        disk.faults = faults
    }

    /// Ends everything that runs on the machine and leaves the disk as the crash leaves it.
    func crash(_ loss: FaultyFileSystem.Loss) {
        turns.cut()
        broker = nil
        disk = disk.restarted(loss)
    }
}

/// A random source that closures share. `@unchecked Sendable`: a world has one thread.
final class SeededBox: @unchecked Sendable {
    private var random: SeededRandom
    init(seed: UInt64) { random = SeededRandom(seed: seed) }
    func next() -> UInt64 { random.next() }
}
