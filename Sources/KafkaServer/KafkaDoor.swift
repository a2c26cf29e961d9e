import Broker
import Logging
import Model
import NIOCore
import NIOPosix
import Synchronization

/// Where clients are told to connect.
public struct Advertised: Sendable, Equatable {
    public var host: String
    public var port: Int
    public init(host: String, port: Int) {
        self.host = host
        self.port = port
    }
}

/// The Kafka door: listens, accepts up to the limit, and closes in order.
public final class KafkaDoor: Sendable {
    public let address: SocketAddress
    public let advertised: Advertised
    private let channel: any Channel
    let state: DoorState

    /// This broker's node id; there is one.
    public static let nodeID: Int32 = 1

    private init(channel: any Channel, address: SocketAddress, state: DoorState) {
        self.channel = channel
        self.address = address
        self.state = state
        advertised = state.advertised
    }

    /// Binds and begins to accept.
    /// - Parameter advertise: what clients are told; the bound address where nil.
    /// - Throws: the bind's error (address in use, not permitted).
    public static func open(
        broker: Broker, host: String, port: Int, advertise: Advertised?, group: any EventLoopGroup, logger: Logger
    ) async throws -> KafkaDoor {
        let state = DoorState(broker: broker, logger: logger)
        let limits = broker.limits
        broker.keepsMemory { [weak state] in await state?.giveBackMemory() }
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 1024)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.socketOption(.tcp_nodelay), value: 1)
            .childChannelOption(.maxMessagesPerRead, value: 1)
            .childChannelOption(.writeBufferWaterMark, value: .init(low: 1 << 20, high: 8 << 20))
            .childChannelInitializer { channel in
                guard let number = state.admit() else {
                    logger.warning("kafka: connection refused, \(limits.connections) are open")
                    return channel.close()
                }
                return channel.eventLoop.makeCompletedFuture {
                    let idle = IdleStateHandler(readTimeout: .milliseconds(limits.connectionIdleMs))
                    let connection = Connection(door: state, number: number, loop: channel.eventLoop)
                    try channel.syncOptions?.setOption(.recvAllocator, value: connection.receiver)
                    try channel.pipeline.syncOperations.addHandlers([idle, connection])
                }
            }
        let channel = try await bootstrap.bind(host: host, port: port).get()
        guard let address = channel.localAddress, let bound = address.port else {
            throw ChannelError.unknownLocalAddress
        }
        state.advertised = advertise ?? Advertised(host: host == "0.0.0.0" || host == "::" ? "127.0.0.1" : host, port: bound)
        return KafkaDoor(channel: channel, address: address, state: state)
    }

    /// Stops accepting and closes every connection.
    public func close() async {
        do { try await channel.close() } catch { state.logger.debug("kafka: closing the listener: \(error)") }
        state.closeAll()
    }
}

/// What the connections of a door share. Any thread.
final class DoorState: Sendable {
    let broker: Broker
    let logger: Logger
    private let count = Atomic<Int>(0)
    private let lastNumber = Atomic<UInt64>(0)
    private let channels = Mutex<[ObjectIdentifier: any Channel]>([:])
    private let intakes = Mutex<[ObjectIdentifier: LoopIntake]>([:])
    private let advertisedBox = Mutex(Advertised(host: "127.0.0.1", port: 0))
    let sessions: FetchSessions
    let shareSessions: ShareSessions

    init(broker: Broker, logger: Logger) {
        self.broker = broker
        self.logger = logger
        sessions = FetchSessions(limit: broker.limits.fetchSessions)
        shareSessions = ShareSessions(limit: broker.limits.shareSessions)
    }

    var advertised: Advertised {
        get { advertisedBox.withLock { $0 } }
        set { advertisedBox.withLock { $0 = newValue } }
    }

    func intake(of loop: any EventLoop) -> LoopIntake {
        intakes.withLock { intakes in
            if let intake = intakes[ObjectIdentifier(loop)] { return intake }
            let intake = LoopIntake(loop: loop, clock: broker.clock, poolBytes: broker.limits.receivePoolBytes)
            intakes[ObjectIdentifier(loop)] = intake
            return intake
        }
    }

    /// Lets go of what all loops keep for the next large frames.
    func giveBackMemory() async {
        for intake in intakes.withLock({ Array($0.values) }) {
            do { try await intake.giveBack() } catch {
                // Its loop has ended, and so has what it kept.
                logger.debug("kafka: a loop's receive memory: \(error)")
            }
        }
    }

    /// A number for a new connection; nil when there are too many.
    func admit() -> UInt64? {
        let open = count.add(1, ordering: .relaxed).newValue
        if open > broker.limits.connections {
            count.subtract(1, ordering: .relaxed)
            return nil
        }
        broker.noteConnection(1)
        return lastNumber.add(1, ordering: .relaxed).newValue
    }

    /// - Returns: what the connection counts on.
    func opened(_ channel: any Channel) -> ClientConnection {
        channels.withLock { $0[ObjectIdentifier(channel)] = channel }
        channel.closeFuture.whenComplete { _ in _ = self.channels.withLock { $0.removeValue(forKey: ObjectIdentifier(channel)) } }
        let address = channel.remoteAddress.flatMap { address in
            address.ipAddress.map { "\($0.contains(":") ? "[\($0)]" : $0):\(address.port ?? 0)" }
        }
        return broker.clients.open(door: "kafka", address: address ?? "unknown", at: broker.clock.now) { channel.close(promise: nil) }
    }

    func closed() {
        count.subtract(1, ordering: .relaxed)
        broker.noteConnection(-1)
    }

    func malformed(from host: String, _ reason: String) {
        broker.noteMalformed()
        logger.warning("kafka: closed the connection from \(host): \(reason)")
    }

    func closeAll() {
        let open = channels.withLock { Array($0.values) }
        for channel in open { channel.close(promise: nil) }
    }
}
