import KafkaWire
import Model
import NIOCore
import NIOPosix
import Synchronization
import Wire

/// One connection to one broker, with the versions that both sides speak.
///
/// Requests are answered in the order in which ``submit(_:version:timeoutMs:)`` was called. A connection never comes back: when it
/// ends, everything that waits fails, and ``Client`` makes another.
final class BrokerConnection: Sendable {
    let address: HostPort
    private let channel: any Channel
    private let clientID: String
    private let requestTimeoutMs: Int64
    private let correlation = Atomic<Int32>(0)
    private let versions: [APIKey: ClosedRange<Int16>]

    var isOpen: Bool { channel.isActive }

    private init(channel: any Channel, address: HostPort, options: ClientOptions, versions: [APIKey: ClosedRange<Int16>]) {
        self.channel = channel
        self.address = address
        clientID = options.clientID
        requestTimeoutMs = options.requestTimeoutMs
        self.versions = versions
    }

    /// Connects and asks for the broker's versions (KIP-35).
    static func connect(to address: HostPort, options: ClientOptions, group: any EventLoopGroup) async throws -> BrokerConnection {
        let channel: any Channel
        do {
            channel = try await ClientBootstrap(group: group)
                .connectTimeout(.milliseconds(options.connectTimeoutMs))
                .channelOption(.tcpOption(.tcp_nodelay), value: 1)
                .channelOption(
                    .recvAllocator, value: AdaptiveRecvByteBufferAllocator(minimum: 1_024, initial: 16_384, maximum: 1 << 20)
                )
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(
                            ResponseHandler(address: address, responseBytes: options.responseBytes))
                    }
                }
                .connect(host: address.host, port: Int(address.port)).get()
        } catch {
            throw ClientError.unreachable(address, reason: "\(error)")
        }
        let bare = BrokerConnection(channel: channel, address: address, options: options, versions: [.apiVersions: 0...3])
        do {
            let versions = try await bare.negotiate()
            return BrokerConnection(channel: channel, address: address, options: options, versions: versions)
        } catch {
            channel.close(promise: nil)
            throw error
        }
    }

    func close() {
        channel.close(promise: nil)
    }

    /// The newest version of `key` that the broker, the layouts and `limit` allow.
    func version(_ key: APIKey, limit: Int16 = Int16.max) throws(ClientError) -> Int16 {
        guard let theirs = versions[key] else { throw .unsupported(key, address) }
        let newest = min(theirs.upperBound, key.versions.upperBound, limit)
        guard newest >= theirs.lowerBound, newest >= key.versions.lowerBound else { throw .unsupported(key, address) }
        return newest
    }

    /// Sends a request and decodes its answer. Cancelling the task ends the wait, not the request.
    func send<Request: KafkaClientRequest>(
        _ request: Request, limit: Int16 = Int16.max, waitMs: Int64 = 0
    ) async throws -> Request.Response {
        let version = try version(Request.key, limit: limit)
        let promise = channel.eventLoop.makePromise(of: ByteBuffer.self)
        write(request, version: version, timeoutMs: requestTimeoutMs + waitMs, promise: promise, written: nil)
        let frame = try await withTaskCancellationHandler {
            try await promise.futureResult.get()
        } onCancel: {
            promise.fail(CancellationError())
        }
        return try Self.decode(frame, version: version)
    }

    /// Puts a request on its way at once; the order of calls is the order on the wire.
    func submit<Request: KafkaClientRequest>(_ request: Request, version: Int16, timeoutMs: Int64? = nil) -> EventLoopFuture<ByteBuffer> {
        let promise = channel.eventLoop.makePromise(of: ByteBuffer.self)
        write(request, version: version, timeoutMs: timeoutMs ?? requestTimeoutMs, promise: promise, written: nil)
        return promise.futureResult
    }

    /// Sends a request that has no answer (produce with acks=0); done when the kernel has taken it.
    func submitUnanswered<Request: KafkaClientRequest>(_ request: Request, version: Int16) -> EventLoopFuture<Void> {
        let promise = channel.eventLoop.makePromise(of: Void.self)
        write(request, version: version, timeoutMs: requestTimeoutMs, promise: nil, written: promise)
        return promise.futureResult
    }

    static func decode<Response: KafkaClientResponse>(
        _ frame: ByteBuffer, as type: Response.Type = Response.self, version: Int16
    ) throws(ClientError) -> Response {
        var reader = WireReader(frame)
        do {
            _ = try ResponseHeader(reading: &reader, key: Response.key, version: version)
            return try Response(reading: &reader, version: version)
        } catch {
            throw .malformed(Response.key, error)
        }
    }

    private func write<Request: KafkaClientRequest>(
        _ request: Request, version: Int16, timeoutMs: Int64, promise: EventLoopPromise<ByteBuffer>?, written: EventLoopPromise<Void>?
    ) {
        let id = correlation.wrappingAdd(1, ordering: .relaxed).newValue
        var writer = WireWriter()
        Frame.write(request: request, version: version, correlationID: id, clientID: clientID, to: &writer)
        let outgoing = OutgoingRequest(
            frame: writer.buffer, key: Request.key, correlationID: id, promise: promise, deadline: .now() + .milliseconds(timeoutMs))
        let address = address
        // A request that cannot be written has not reached the queue of those that wait.
        let done = written ?? channel.eventLoop.makePromise(of: Void.self)
        done.futureResult.whenFailure { _ in promise?.fail(ClientError.disconnected(address)) }
        channel.writeAndFlush(outgoing, promise: done)
    }

    private func negotiate() async throws -> [APIKey: ClosedRange<Int16>] {
        var request = ApiVersionsRequest()
        request.clientSoftwareName = "weir"
        request.clientSoftwareVersion = "1"
        var frame = try await submit(request, version: 3).get()
        var version: Int16 = 3
        // A broker that does not know the version says so in the oldest layout, right behind the correlation id (KIP-511).
        if frame.getInteger(at: frame.readerIndex + 4, as: Int16.self) == ErrorCode.unsupportedVersion.rawValue {
            version = 0
            frame = try await submit(request, version: version).get()
        }
        let response = try Self.decode(frame, as: ApiVersionsResponse.self, version: version)
        guard response.errorCode == .none else { throw ClientError.refused(response.errorCode, what: "\(address)") }
        var versions: [APIKey: ClosedRange<Int16>] = [:]
        for api in response.apiKeys where api.minVersion <= api.maxVersion {
            if let key = APIKey(rawValue: api.apiKey) { versions[key] = api.minVersion...api.maxVersion }
        }
        return versions
    }
}
