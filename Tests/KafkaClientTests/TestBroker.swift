import Glibc
import KafkaClient
import KafkaServer
import Logging
import Model
import NIOCore
import NIOPosix
import Storage

@testable import Broker

/// A whole broker in memory behind a real Kafka door, whose door can be shut and opened again at the same port.
final class TestBroker {
    let broker: Broker
    let group: MultiThreadedEventLoopGroup
    private var door: KafkaDoor
    private let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    var address: HostPort { HostPort(host: "127.0.0.1", port: UInt16(door.advertised.port)) }

    init() async throws {
        group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
        let clock = WallClock()
        let parts = BrokerParts(
            options: BrokerOptions(), log: MemoryEngine(), store: MemoryStore(clock: clock), clock: clock, logger: logger,
            random: { UInt64.random(in: .min ... .max) }, events: EventRing(limit: 100))
        broker = try await Broker.start(parts, shardCount: 2, loops: Array(group.makeIterator()))
        door = try await KafkaDoor.open(broker: broker, host: "127.0.0.1", port: 0, advertise: nil, group: group, logger: logger)
    }

    /// Tells the broker that its disk is all but full, or that it is not any more.
    func setShort(_ isShort: Bool) async {
        await broker.obey(ResourceReading(diskFreeBytes: isShort ? 1 : 1 << 39, diskTotalBytes: 1 << 40))
    }

    /// Records refused while publishers were held.
    var refusedRecords: Int64 { broker.health.refused.load(ordering: .relaxed) }

    func client(_ change: (inout ClientOptions) -> Void = { _ in }) -> Client {
        var options = ClientOptions(bootstrap: [address])
        options.deliveryTimeoutMs = 20_000
        change(&options)
        return Client(options: options, clock: WallClock(), group: group)
    }

    /// Shuts the door, which ends every connection, and opens it at the same port.
    func reopenDoor(afterMs ms: Int64) async throws {
        let port = door.advertised.port
        await door.close()
        try await Task.sleep(for: .milliseconds(ms))
        door = try await KafkaDoor.open(broker: broker, host: "127.0.0.1", port: port, advertise: nil, group: group, logger: logger)
    }

    func stop() async throws {
        await door.close()
        await broker.close()
        try await group.shutdownGracefully()
    }

    /// Runs `body` with a broker and stops it afterwards.
    static func with(_ body: (TestBroker) async throws -> Void) async throws {
        let broker = try await TestBroker()
        do {
            try await body(broker)
        } catch {
            try await broker.stop()
            throw error
        }
        try await broker.stop()
    }
}

/// The machine's clocks: these tests run over real sockets.
struct WallClock: Clock {
    var now: Timestamp { Timestamp(ms: Int64(Self.nanoseconds(CLOCK_REALTIME) / 1_000_000)) }
    var monotonic: Monotonic { Monotonic(ns: Self.nanoseconds(CLOCK_MONOTONIC)) }

    private static func nanoseconds(_ clock: clockid_t) -> UInt64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
