import Broker
import KafkaWire
import Model
import NIOCore
import Wire

/// Bytes that can't be answered; the connection is closed, as Kafka does.
enum Unanswerable: Error, CustomStringConvertible {
    case unknownAPI(Int16)
    case unsupportedVersion(api: APIKey, version: Int16)

    var description: String {
        switch self {
        case .unknownAPI(let key): "request for API \(key), which this broker does not have"
        case .unsupportedVersion(let api, let version): "\(api) at version \(version), which is not offered"
        }
    }
}

/// From a frame to its handler.
enum Dispatch {
    static func handle(_ frame: ByteBuffer, door: DoorState, connection: Connection, slot: UInt64) throws {
        var reader = WireReader(frame)
        let header = try RequestHeader(reading: &reader)
        connection.tell(clientID: header.clientID)
        guard let api = header.key else { throw Unanswerable.unknownAPI(header.apiKey) }
        let context = RequestContext(
            door: door, connection: connection, slot: slot, api: api, version: header.version, correlationID: header.correlationID,
            clientID: header.clientID)
        guard api.versions.contains(header.version) else {
            if api == .apiVersions { return ApiVersions.answerUnsupported(context) }
            throw Unanswerable.unsupportedVersion(api: api, version: header.version)
        }
        try route(&reader, context)
    }

    private static func route(_ reader: inout WireReader, _ context: RequestContext) throws {
        let version = context.version
        switch context.api {
        case .apiVersions: ApiVersions.handle(try .init(reading: &reader, version: version), context)
        case .produce: Produce.handle(try .init(reading: &reader, version: version), context)
        case .fetch: Fetch.handle(try .init(reading: &reader, version: version), context)
        case .metadata: Metadata.handle(try .init(reading: &reader, version: version), context)
        case .listOffsets: ListOffsets.handle(try .init(reading: &reader, version: version), context)
        case .offsetForLeaderEpoch: OffsetForLeaderEpoch.handle(try .init(reading: &reader, version: version), context)
        case .initProducerId: InitProducerID.handle(try .init(reading: &reader, version: version), context)
        case .createTopics: CreateTopics.handle(try .init(reading: &reader, version: version), context)
        case .deleteTopics: DeleteTopics.handle(try .init(reading: &reader, version: version), context)
        case .createPartitions: CreatePartitions.handle(try .init(reading: &reader, version: version), context)
        case .deleteRecords: DeleteRecords.handle(try .init(reading: &reader, version: version), context)
        case .describeConfigs: DescribeConfigs.handle(try .init(reading: &reader, version: version), context)
        case .alterConfigs: AlterConfigs.handle(try .init(reading: &reader, version: version), context)
        case .incrementalAlterConfigs: IncrementalAlterConfigs.handle(try .init(reading: &reader, version: version), context)
        case .describeCluster: DescribeCluster.handle(try .init(reading: &reader, version: version), context)
        default: try GroupDispatch.route(&reader, context)
        }
    }
}
