import Control
import Glibc
import Model
import NIOCore
import NIOHTTP1
import NIOPosix

/// The one connection of a ``RemoteControl``: opened when needed, dropped when lost. Calls made at the same time share it, in order.
actor KeptConnection {
    private let address: HostPort
    private let group: any EventLoopGroup
    /// Sent along with every call; printable ASCII.
    private let who: String?
    private let limits: Limits
    private let connectTimeoutMs: Int64
    private let callTimeoutMs: Int64
    private var channel: (any Channel)?
    private var opening: Task<any Channel, any Error>?
    private var inFlight = 0

    init(address: HostPort, group: any EventLoopGroup, who: String?, limits: Limits, connectTimeoutMs: Int64, callTimeoutMs: Int64) {
        self.address = address
        self.who = who.map { String($0.map { $0.isASCII && !$0.isWhitespace && $0.asciiValue ?? 0 > 0x20 ? $0 : "_" }) }
        self.group = group
        self.limits = limits
        self.connectTimeoutMs = connectTimeoutMs
        self.callTimeoutMs = callTimeoutMs
    }

    func call(_ method: HTTPMethod, _ path: String, _ body: [UInt8]) async throws(CallFailure) -> Reply {
        guard inFlight < limits.attachedCallsInFlight else {
            throw CallFailure(reason: "\(inFlight) calls are waiting already", sent: false, connectionWasKept: false)
        }
        inFlight += 1
        defer { inFlight -= 1 }
        let kept = channel?.isActive == true
        let channel: any Channel
        do {
            channel = try await open()
        } catch {
            throw CallFailure(reason: Self.describe(error), sent: false, connectionWasKept: false)
        }
        var head = HTTPRequestHead(version: .http1_1, method: method, uri: path)
        head.headers.add(name: "Host", value: address.description)
        head.headers.add(name: "Content-Type", value: "application/json")
        if let who { head.headers.add(name: ControlHeader.client, value: who) }
        head.headers.add(name: "Content-Length", value: String(body.count))
        let promise = channel.eventLoop.makePromise(of: Reply.self)
        channel.writeAndFlush(Call(head: head, body: body, promise: promise), promise: nil)
        do {
            return try await promise.futureResult.get()
        } catch {
            if self.channel === channel { self.channel = nil }
            channel.close(promise: nil)
            throw CallFailure(reason: Self.describe(error), sent: true, connectionWasKept: kept)
        }
    }

    func close() async {
        let channel = self.channel
        self.channel = nil
        channel?.close(promise: nil)
        // Failing to close means it was closed.
        if let channel { _ = try? await channel.closeFuture.get() }
    }

    private func open() async throws -> any Channel {
        if let channel, channel.isActive { return channel }
        if let opening { return try await opening.value }
        let task = Task { [address, group, limits, connectTimeoutMs, callTimeoutMs] () throws -> any Channel in
            try await ClientBootstrap(group: group)
                .connectTimeout(.milliseconds(connectTimeoutMs))
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHTTPClientHandlers()
                        try channel.pipeline.syncOperations.addHandler(CallHandler(limits: limits, timeoutMs: callTimeoutMs))
                    }
                }
                .connect(host: address.host, port: Int(address.port)).get()
        }
        opening = task
        defer { opening = nil }
        let opened = try await task.value
        channel = opened
        return opened
    }

    /// A few words: `Connection refused`, `connection timed out`.
    static func describe(_ error: any Error) -> String {
        switch error {
        case let error as NIOConnectionError:
            if let last = error.connectionErrors.last { return describe(last.error) }
            return "its name cannot be resolved"
        case let error as IOError: return strerror(error.errnoCode).map { String(cString: $0) } ?? "error \(error.errnoCode)"
        case ChannelError.connectTimeout: return "connection timed out"
        case let error as CallHandler.Failure: return error.description
        default: return "\(error)"
        }
    }
}
