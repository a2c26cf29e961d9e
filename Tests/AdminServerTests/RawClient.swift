import AdminServer
import Control
import Logging
import Model
import NIOCore
import NIOPosix
import Testing

/// Bytes in, bytes out: what a client that follows no rules can send.
enum RawClient {
    /// Sends `text` and returns everything the server says until it closes.
    static func exchange(_ text: String, _ address: HostPort) async throws -> String {
        let client = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(host: address.host, port: Int(address.port)) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        return try await client.executeThenClose { inbound, outbound in
            var answer = ByteBuffer()
            do {
                try await outbound.write(ByteBuffer(string: text))
            } catch ChannelError.ioOnClosedChannel {
                // Closed before all was sent; what it said is still to be read.
            } catch is NIOAsyncWriterError {
                // The same, noticed by the writer.
            } catch let error as IOError where error.errnoCode == EPIPE || error.errnoCode == ECONNRESET {
                // The same, noticed by the socket.
            }
            do {
                for try await chunk in inbound { answer.writeImmutableBuffer(chunk) }
            } catch let error as IOError where error.errnoCode == ECONNRESET {
                // The server closed while we were still sending: what it said until then is the answer.
            } catch ChannelError.ioOnClosedChannel {
                // The same, seen from the sending side.
            }
            return String(buffer: answer)
        }
    }

    static func status(_ answer: String) -> Int? {
        answer.split(separator: " ", maxSplits: 2).dropFirst().first.flatMap { Int($0) }
    }
}

/// Limits with no deadline that a machine busy with other tests could miss.
private let unhurried: Limits = {
    var limits = Limits()
    limits.httpRequestMs = 600_000
    return limits
}()

/// A server on a free port for the length of one test.
func withServer<Result>(
    _ control: any Control, claimed: (@Sendable (String) -> any Control)? = nil, readOnly: Bool = false,
    limits: Limits? = nil,
    _ body: (HostPort) async throws -> Result
) async throws -> Result {
    let server = try await AdminServer.start(
        .init(address: HostPort(host: "127.0.0.1", port: 0), readOnly: readOnly, limits: limits ?? unhurried), control: control,
        claimed: claimed,
        group: MultiThreadedEventLoopGroup.singleton, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    do {
        let result = try await body(server.address)
        await server.close()
        return result
    } catch {
        await server.close()
        throw error
    }
}

func expectStatus(_ status: Int, _ answer: String, at location: SourceLocation = #_sourceLocation) {
    #expect(RawClient.status(answer) == status, "\(answer.prefix(300))", sourceLocation: location)
}
