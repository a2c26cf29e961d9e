import Broker
import Groups
import KafkaWire
import NIOCore
import Wire

/// From a frame to its handler, for the APIs of the group coordinator.
enum GroupDispatch {
    static func route(_ reader: inout WireReader, _ context: RequestContext) throws {
        let version = context.version
        switch context.api {
        case .findCoordinator: FindCoordinator.handle(try .init(reading: &reader, version: version), context)
        case .joinGroup: JoinGroup.handle(try .init(reading: &reader, version: version), context)
        case .syncGroup: SyncGroup.handle(try .init(reading: &reader, version: version), context)
        case .heartbeat: Heartbeat.handle(try .init(reading: &reader, version: version), context)
        case .leaveGroup: LeaveGroup.handle(try .init(reading: &reader, version: version), context)
        case .offsetCommit: OffsetCommit.handle(try .init(reading: &reader, version: version), context)
        case .offsetFetch: OffsetFetch.handle(try .init(reading: &reader, version: version), context)
        case .describeGroups: DescribeGroups.handle(try .init(reading: &reader, version: version), context)
        case .listGroups: ListGroups.handle(try .init(reading: &reader, version: version), context)
        case .deleteGroups: DeleteGroups.handle(try .init(reading: &reader, version: version), context)
        case .offsetDelete: OffsetDelete.handle(try .init(reading: &reader, version: version), context)
        default: try ShareDispatch.route(&reader, context)
        }
    }
}

extension GroupError {
    /// The same number on the wire.
    var code: ErrorCode { ErrorCode(wire: rawValue) }
}

extension GroupError? {
    var code: ErrorCode { self?.code ?? .none }
}

extension ByteBuffer {
    /// The bytes without the frame they came in, for what outlives the request.
    var detached: ByteBuffer { ByteBuffer(bytes: readableBytesView) }
}
