import Broker
import Groups
import KafkaWire
import NIOCore
import Wire

/// From a frame to its handler, for the APIs of share groups (KIP-932).
enum ShareDispatch {
    static func route(_ reader: inout WireReader, _ context: RequestContext) throws {
        let version = context.version
        switch context.api {
        case .shareGroupHeartbeat: ShareGroupHeartbeat.handle(try .init(reading: &reader, version: version), context)
        case .shareGroupDescribe: ShareGroupDescribe.handle(try .init(reading: &reader, version: version), context)
        case .shareFetch: ShareFetch.handle(try .init(reading: &reader, version: version), context)
        case .shareAcknowledge: ShareAcknowledge.handle(try .init(reading: &reader, version: version), context)
        case .describeShareGroupOffsets: DescribeShareGroupOffsets.handle(try .init(reading: &reader, version: version), context)
        case .alterShareGroupOffsets: AlterShareGroupOffsets.handle(try .init(reading: &reader, version: version), context)
        case .deleteShareGroupOffsets: DeleteShareGroupOffsets.handle(try .init(reading: &reader, version: version), context)
        default: throw Unanswerable.unknownAPI(context.api.rawValue)
        }
    }
}

extension ShareGroupError {
    /// The same number on the wire.
    var code: ErrorCode { ErrorCode(wire: rawValue) }
}

extension ShareError {
    var code: ErrorCode {
        switch self {
        case .unknownPartition: .unknownTopicOrPartition
        case .invalidRecordState: .invalidRecordState
        case .invalidRequest: .invalidRequest
        case .storage: .kafkaStorageError
        }
    }

    /// For people; nil where the code says it all.
    var message: String? {
        switch self {
        case .unknownPartition: nil
        case .invalidRecordState: "a record is not acquired by this member: its lock may be over, or it has been answered before"
        case .invalidRequest: "ranges of acknowledgements must go upwards, without overlap, with one type or one for each record"
        case .storage(let text): text
        }
    }
}
