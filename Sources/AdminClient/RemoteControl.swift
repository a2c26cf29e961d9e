import Control
import Model
import NIOCore
import NIOHTTP1

/// A broker in another process, seen and steered through its admin door.
///
/// Keeps one connection, opens it on the first call and again after it was lost, so it survives the broker's restart. A call that can't
/// be answered throws ``ControlError/Code/unreachable`` within `connectTimeoutMs` + `callTimeoutMs`. A snapshot that met a connection
/// the broker had just closed is asked again once; a command never is, since it may have been carried out.
public final class RemoteControl: Control {
    private let address: HostPort
    private let connection: KeptConnection

    /// - Parameter who: who commands, for the broker's audit log: `USER@HOST/PID`.
    public init(
        address: HostPort, group: any EventLoopGroup, who: String? = nil, limits: Limits = Limits(), connectTimeoutMs: Int64 = 3_000,
        callTimeoutMs: Int64 = 30_000
    ) {
        self.address = address
        connection = KeptConnection(
            address: address, group: group, who: who, limits: limits, connectTimeoutMs: connectTimeoutMs, callTimeoutMs: callTimeoutMs)
    }

    public func snapshot(_ query: SnapshotQuery) async throws(ControlError) -> Snapshot {
        let body = try ControlJSON.encode(query)
        let reply: Reply
        do throws(CallFailure) {
            reply = try await connection.call(.POST, ControlPath.snapshot, body)
        } catch {
            guard error.connectionWasKept else { throw unreachable(error) }
            do throws(CallFailure) {
                reply = try await connection.call(.POST, ControlPath.snapshot, body)
            } catch {
                throw unreachable(error)
            }
        }
        return try read(Snapshot.self, reply)
    }

    public func perform(_ command: Command) async throws(ControlError) -> CommandOutcome {
        let body = try ControlJSON.encode(command)
        let reply: Reply
        do throws(CallFailure) {
            reply = try await connection.call(.POST, ControlPath.command, body)
        } catch {
            guard error.sent else { throw unreachable(error) }
            let message = "the connection to \(address) was lost before the answer (\(error.reason)): "
            throw ControlError(.unreachable, message + "the command may have been carried out; look before repeating it")
        }
        return try read(CommandOutcome.self, reply)
    }

    /// Closes the connection; a later call opens it again.
    public func close() async { await connection.close() }

    private func unreachable(_ failure: CallFailure) -> ControlError {
        let advice = "start a broker with 'weir serve', or name its admin door with --http HOST:PORT"
        return ControlError(.unreachable, "no broker answers at \(address) (\(failure.reason)): \(advice)")
    }

    private func read<Value: Decodable>(_ type: Value.Type, _ reply: Reply) throws(ControlError) -> Value {
        if reply.status == .ok {
            do throws(ControlError) {
                return try ControlJSON.decode(type, from: reply.body)
            } catch {
                let message = "\(address) gave an answer that this version does not understand (\(error.message)): "
                throw ControlError(.failed, message + "use the same version of weir on both sides")
            }
        }
        if let refusal = try? ControlJSON.decode(ControlError.self, from: reply.body) { throw refusal }
        let status = "\(reply.status.code) \(reply.status.reasonPhrase)"
        throw ControlError(.failed, "\(address) answered \(status) and does not look like a Weir admin door: check --http")
    }
}

/// What came back.
struct Reply: Equatable, Sendable {
    var status: HTTPResponseStatus
    var body: [UInt8]
}

/// Why nothing came back.
struct CallFailure: Error, Equatable, Sendable {
    var reason: String
    /// Whether the request may have reached the broker.
    var sent: Bool
    /// Whether the connection had served calls before: it may only have been stale.
    var connectionWasKept: Bool
}
