import KafkaWire
import Model
import NIOCore
import NIOPosix
import Testing
import Wire

@testable import KafkaClient

/// Brokers that are none, or that have gone mad: errors in time, never a trap.
@Suite(.serialized, .timeLimit(.minutes(1))) struct HostileBrokerTests {
    /// Answers every request with what `answer` makes of it; nil answers nothing.
    private final class Impostor: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer
        private let answer: @Sendable (RequestHeader) -> ByteBuffer?
        private var received = ByteBuffer()

        init(answer: @escaping @Sendable (RequestHeader) -> ByteBuffer?) { self.answer = answer }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            var bytes = unwrapInboundIn(data)
            received.writeBuffer(&bytes)
            while let frame = try? Frame.next(from: &received, limit: 1 << 20) {
                var reader = WireReader(frame)
                guard let header = try? RequestHeader(reading: &reader), let bytes = answer(header) else { continue }
                context.writeAndFlush(wrapOutboundOut(bytes), promise: nil)
            }
        }
    }

    private func with(
        _ answer: @escaping @Sendable (RequestHeader) -> ByteBuffer?, _ body: (Client, HostPort) async throws -> Void
    ) async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let server = try await ServerBootstrap(group: group)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(Impostor(answer: answer)) }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let address = HostPort(host: "127.0.0.1", port: UInt16(server.localAddress?.port ?? 0))
        var options = ClientOptions(bootstrap: [address])
        options.requestTimeoutMs = 300
        options.deliveryTimeoutMs = 1_000
        let client = Client(options: options, clock: WallClock(), group: group)
        try await body(client, address)
        await client.close()
        try await server.close()
        try await group.shutdownGracefully()
    }

    private func failure(_ client: Client) async -> ClientError? {
        await #expect(throws: ClientError.self) { try await client.metadata(topics: ["orders"]) }
    }

    @Test func `one that never answers`() async throws {
        try await with({ _ in nil }) { client, address in
            #expect(await failure(client)?.description == "\(address) did not answer apiVersions in time")
        }
    }

    @Test func `one that speaks another protocol`() async throws {
        try await with({ _ in ByteBuffer(string: "HTTP/1.1 400 Bad Request\r\n\r\n") }) { client, address in
            guard case .badFrame(address, _) = await failure(client) else {
                Issue.record("not recognised")
                return
            }
        }
    }

    @Test func `one that answers what nobody asked`() async throws {
        let answer: @Sendable (RequestHeader) -> ByteBuffer? = { header in
            var writer = WireWriter()
            Frame.write(response: ApiVersionsResponse(), correlationID: header.correlationID + 1, version: 3, to: &writer)
            return writer.buffer
        }
        try await with(answer) { client, address in
            guard case .badFrame(address, "an answer that nobody asked for") = await failure(client) else {
                Issue.record("not recognised")
                return
            }
        }
    }

    @Test func `one whose answers are cut`() async throws {
        let answer: @Sendable (RequestHeader) -> ByteBuffer? = { header in
            var writer = WireWriter()
            Frame.write(to: &writer) { writer in
                writer.int32(header.correlationID)
                writer.int16(0)
                writer.unsignedVarint(1_000_000)
            }
            return writer.buffer
        }
        try await with(answer) { client, _ in
            guard case .malformed(.apiVersions, .countTooLarge(count: 999_999, remaining: 0)) = await failure(client) else {
                Issue.record("not recognised")
                return
            }
        }
    }

    /// KIP-511: the refusal comes in the oldest layout, and the client asks again with that.
    @Test func `one that knows only the oldest version, and nothing else`() async throws {
        let answer: @Sendable (RequestHeader) -> ByteBuffer? = { header in
            var response = ApiVersionsResponse()
            if header.version > 0 { response.errorCode = .unsupportedVersion }
            var writer = WireWriter()
            Frame.write(response: response, correlationID: header.correlationID, version: 0, to: &writer)
            return writer.buffer
        }
        try await with(answer) { client, address in
            #expect(await failure(client)?.description == "\(address) has no version of metadata that this client speaks")
        }
    }

    @Test func `none at all`() async throws {
        let options = ClientOptions(bootstrap: [HostPort(host: "127.0.0.1", port: 1)])
        let client = Client(options: options, clock: WallClock())
        guard case .unreachable(HostPort(host: "127.0.0.1", port: 1), _) = await failure(client) else {
            Issue.record("not recognised")
            return
        }
        await client.close()
    }
}
