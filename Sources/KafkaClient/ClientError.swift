import Compression
import KafkaWire
import Model
import Wire

/// Why a call to a broker did not succeed.
public enum ClientError: Error, Sendable, CustomStringConvertible {
    /// No connection could be made.
    case unreachable(HostPort, reason: String)
    /// The connection ended with the request unanswered: it may or may not have been carried out.
    case disconnected(HostPort)
    /// No answer within the time.
    case timedOut(APIKey, HostPort)
    /// The broker refused. `what` names the topic, partition or group.
    case refused(ErrorCode, what: String)
    /// The broker has no version of the API that this client can speak.
    case unsupported(APIKey, HostPort)
    /// The answer cannot be read.
    case malformed(APIKey, WireError)
    case badFrame(HostPort, String)
    /// The batch at `offset` is whole, but its records cannot be unpacked or read; the batch behind it begins at `next`.
    case unreadable(UnpackError, topic: String, partition: Int32, offset: Offset, next: Offset)
    /// A batch does not match its checksum or its own header.
    case corrupt(topic: String, partition: Int32, offset: Offset)
    /// One record is larger than a batch may be.
    case recordTooLarge(bytes: Int, limit: Int)
    case closed

    public var description: String {
        switch self {
        case .unreachable(let address, let reason): "cannot connect to \(address): \(reason)"
        case .disconnected(let address): "\(address) closed the connection before it answered"
        case .timedOut(let key, let address): "\(address) did not answer \(key) in time"
        case .refused(let code, let what): "\(what): \(code)"
        case .unsupported(let key, let address): "\(address) has no version of \(key) that this client speaks"
        case .malformed(let key, let error): "the answer to \(key) cannot be read: \(error)"
        case .badFrame(let address, let reason): "\(address) sent a frame that is not Kafka's: \(reason)"
        case .unreadable(let error, let topic, let partition, let offset, let next):
            "\(topic)-\(partition) holds a batch at offset \(offset) whose records cannot be read: \(error); read on from \(next)"
        case .corrupt(let topic, let partition, let offset): "\(topic)-\(partition) holds a damaged batch at offset \(offset)"
        case .recordTooLarge(let bytes, let limit): "a record of \(bytes) bytes exceeds the batch limit of \(limit)"
        case .closed: "the client is closed"
        }
    }

    /// Whether a group has moved on without this member, which has to join again and read on from what is committed.
    public var isRebalance: Bool {
        if case .refused(let code, _) = self { [.rebalanceInProgress, .illegalGeneration, .unknownMemberId].contains(code) } else { false }
    }

    /// Whether another try, perhaps at another broker, can succeed.
    public var isRetriable: Bool {
        switch self {
        case .unreachable, .disconnected, .timedOut: true
        case .refused(let code, _): code.isRetriable
        default: false
        }
    }
}
