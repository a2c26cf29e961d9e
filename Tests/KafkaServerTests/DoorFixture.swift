import Broker
import KafkaWire
import Logging
import Model
import NIOCore
import NIOPosix
import Storage
import Synchronization

@testable import KafkaClient
@testable import KafkaServer

/// A broker in memory with its Kafka door open on a free port, and a client's connection to it.
final class DoorFixture: Sendable {
    struct WallClock: Clock {
        var now: Timestamp { Timestamp(ms: 1_700_000_000_000 + Int64(monotonic.ns / 1_000_000)) }
        var monotonic: Monotonic { Monotonic(ns: NIODeadline.now().uptimeNanoseconds) }
    }

    let broker: Broker
    let door: KafkaDoor
    let connection: BrokerConnection

    private init(broker: Broker, door: KafkaDoor, connection: BrokerConnection) {
        self.broker = broker
        self.door = door
        self.connection = connection
    }

    static func open(memoryHigh: Watermark = .none) async throws -> DoorFixture {
        var options = BrokerOptions()
        options.memoryHigh = memoryHigh
        options.limits.initialRebalanceDelayMs = 10
        let group = MultiThreadedEventLoopGroup.singleton
        let state = Mutex<UInt64>(7)
        let logger = Logger(label: "test")
        let parts = BrokerParts(
            options: options, log: MemoryEngine(), store: MemoryStore(clock: WallClock()), clock: WallClock(), logger: logger,
            random: {
                state.withLock {
                    $0 = $0 &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                    return $0
                }
            }, events: EventRing(limit: 10))
        let broker = try await Broker.start(parts, shardCount: 2, loops: [group.next()])
        let door = try await KafkaDoor.open(broker: broker, host: "127.0.0.1", port: 0, advertise: nil, group: group, logger: logger)
        return DoorFixture(broker: broker, door: door, connection: try await connect(to: door))
    }

    static func connect(to door: KafkaDoor) async throws -> BrokerConnection {
        let address = HostPort(host: "127.0.0.1", port: UInt16(door.advertised.port))
        return try await BrokerConnection.connect(
            to: address, options: ClientOptions(bootstrap: [address]), group: MultiThreadedEventLoopGroup.singleton)
    }

    /// Sends a request at exactly this version, or at the nearest there is.
    func send<Request: KafkaClientRequest>(_ request: Request, _ version: Int16 = Int16.max) async throws -> Request.Response {
        let versions = Request.versions
        return try await connection.send(request, limit: max(version, versions.lowerBound))
    }

    func close() async {
        connection.close()
        await door.close()
        await broker.close()
    }
}
