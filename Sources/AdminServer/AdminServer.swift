import Control
import Logging
import Model
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// The admin door: a ``Control`` as JSON under `/weir/v1/`, and `/metrics`, over HTTP/1.1 on a loopback address.
///
///     GET  /weir/v1/snapshot            Snapshot (?topic= &group= &queue= &filter= &sort= &descending= &start= &count= &history=)
///     POST /weir/v1/snapshot            SnapshotQuery → Snapshot
///     POST /weir/v1/command             Command → CommandOutcome
///     GET  /weir/v1/topics[/NAME]       Page of TopicRow, TopicDetail
///     GET  /weir/v1/groups[/NAME]       Page of GroupRow, GroupDetail
///     GET  /weir/v1/health              {"status":"ok",…}
///     GET  /metrics                     Prometheus text
///
/// Errors are a ControlError as JSON: 400 invalid, 403 readOnly, 404 notFound, 409 conflict, 500 failed, 503 unreachable.
/// A connection's bounds are the `http…` values of ``Limits``.
public struct AdminServer: Sendable {
    public struct Configuration: Sendable {
        /// A loopback host; port 0 picks a free one.
        public var address: HostPort
        /// Refuse commands here, whatever the broker allows.
        public var readOnly: Bool
        public var limits: Limits

        public init(address: HostPort, readOnly: Bool = false, limits: Limits = Limits()) {
            self.address = address
            self.readOnly = readOnly
            self.limits = limits
        }
    }

    /// Where the door listens, its port resolved.
    public let address: HostPort
    private let channel: any Channel

    /// Binds and serves until ``close()``. Throws ``AdminServerError``.
    /// - Parameter claimed: the control for commands of a client that says who it is (``Control/ControlHeader/client``); nil: `control` is
    ///   for them too.
    public static func start(
        _ configuration: Configuration, control: any Control, claimed: (@Sendable (String) -> any Control)? = nil,
        group: any EventLoopGroup, logger: Logger
    ) async throws(AdminServerError) -> AdminServer {
        guard configuration.address.isLoopback else { throw .notLoopback(configuration.address) }
        let router = Router(control: control, claimed: claimed, readOnly: configuration.readOnly, limits: configuration.limits)
        let room = ConnectionRoom(limit: configuration.limits.httpConnections)
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 128)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try configure(channel, router, room, configuration.limits, logger)
                }
            }
        do {
            let channel = try await bootstrap.bind(host: configuration.address.host, port: Int(configuration.address.port)).get()
            guard let local = channel.localAddress, let host = local.ipAddress, let port = local.port,
                HostPort(host: host, port: 0).isLoopback
            else {
                try await channel.close()
                throw AdminServerError.notLoopback(configuration.address)
            }
            return AdminServer(address: HostPort(host: host, port: UInt16(port)), channel: channel)
        } catch let error as AdminServerError {
            throw error
        } catch {
            throw .cannotBind(configuration.address, reason: "\(error)")
        }
    }

    /// Stops listening; requests in work are still answered.
    public func close() async {
        do {
            try await channel.close()
        } catch ChannelError.alreadyClosed {
            return
        } catch {
            // The listening socket is gone either way, and nothing can be done about why.
            return
        }
    }

    private static func configure(
        _ channel: any Channel, _ router: Router, _ room: ConnectionRoom, _ limits: Limits, _ logger: Logger
    ) throws {
        let fits = room.enter()
        channel.closeFuture.whenComplete { _ in room.leave() }
        if !fits { logger.warning("admin door: connection refused, all \(limits.httpConnections) are in use") }
        var parsing = NIOHTTPDecoderLimitConfiguration()
        parsing.maxHeaderFieldSize = limits.httpHeaderFieldBytes
        parsing.maxHeaderListSize = limits.httpHeaderBytes
        parsing.maxHeaderFieldCount = limits.httpHeaderFields
        let headGuard = HeadGuard(limits: limits)
        try channel.pipeline.syncOperations.addHandler(headGuard)
        try channel.pipeline.syncOperations.configureHTTPServerPipeline(
            withPipeliningAssistance: false, withErrorHandling: true, withEncoderConfiguration: .init(),
            withDecoderLimitConfiguration: parsing)
        try channel.pipeline.syncOperations.addHandler(
            RequestHandler(router: router, limits: limits, headGuard: headGuard, crowded: !fits))
    }
}

/// Counts the open connections of a door. Shared by the loops that accept; touched twice per connection.
final class ConnectionRoom: Sendable {
    private let open = Mutex(0)
    private let limit: Int

    init(limit: Int) { self.limit = limit }

    /// Whether the one that entered fits.
    func enter() -> Bool {
        open.withLock {
            $0 += 1
            return $0 <= limit
        }
    }

    func leave() { open.withLock { $0 -= 1 } }
}

/// Why the admin door did not open.
public enum AdminServerError: Error, Equatable, Sendable, CustomStringConvertible {
    case notLoopback(HostPort)
    case cannotBind(HostPort, reason: String)

    public var description: String {
        switch self {
        case .notLoopback(let address):
            "the admin door has no users and passwords yet and is not opened on \(address): "
                + "use 127.0.0.1, [::1] or localhost (and an SSH tunnel from elsewhere), or --http none"
        case .cannotBind(let address, let reason):
            "the admin door cannot listen on \(address) (\(reason)): free the port, or choose another with --http"
        }
    }
}
