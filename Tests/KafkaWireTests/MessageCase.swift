import KafkaWire
import NIOCore
import Testing
import Wire

/// One generated message type, by name, with what the tests do to it.
struct MessageCase: Sendable, CustomTestStringConvertible {
    var name: String
    var versions: ClosedRange<Int16>
    var key: APIKey?
    /// Reads all of the bytes and writes them again.
    var rewrite: @Sendable (ByteBuffer, Int16) throws(WireError) -> ByteBuffer
    /// Writes a message of defaults, reads it back, and says whether it is equal.
    var defaultsSurvive: @Sendable (Int16) throws(WireError) -> Bool

    var testDescription: String { name }

    static func request<Message: KafkaClientRequest>(_ type: Message.Type) -> MessageCase {
        MessageCase(name: "\(type)", versions: type.versions, key: type.key) { bytes, version throws(WireError) in
            var reader = WireReader(bytes)
            let message = try Message(reading: &reader, version: version)
            try reader.expectEnd()
            var writer = WireWriter()
            message.write(to: &writer, version: version)
            return writer.buffer
        } defaultsSurvive: { version throws(WireError) in
            var writer = WireWriter()
            Message().write(to: &writer, version: version)
            var reader = WireReader(writer.buffer)
            let message = try Message(reading: &reader, version: version)
            try reader.expectEnd()
            return message == Message()
        }
    }

    static func response<Message: KafkaClientResponse>(_ type: Message.Type) -> MessageCase {
        MessageCase(name: "\(type)", versions: type.versions, key: type.key) { bytes, version throws(WireError) in
            var reader = WireReader(bytes)
            let message = try Message(reading: &reader, version: version)
            try reader.expectEnd()
            var writer = WireWriter()
            message.write(to: &writer, version: version)
            return writer.buffer
        } defaultsSurvive: { version throws(WireError) in
            var writer = WireWriter()
            Message().write(to: &writer, version: version)
            var reader = WireReader(writer.buffer)
            let message = try Message(reading: &reader, version: version)
            try reader.expectEnd()
            return message == Message()
        }
    }

    static func data<Message: KafkaData>(_ type: Message.Type) -> MessageCase {
        MessageCase(name: "\(type)", versions: type.versions, key: nil) { bytes, version throws(WireError) in
            var reader = WireReader(bytes)
            let message = try Message(reading: &reader, version: version)
            try reader.expectEnd()
            var writer = WireWriter()
            message.write(to: &writer, version: version)
            return writer.buffer
        } defaultsSurvive: { version throws(WireError) in
            try Message(bytes: Message().bytes(version: version)) == Message()
        }
    }

    static let all: [MessageCase] = [
        .request(AlterConfigsRequest.self), .response(AlterConfigsResponse.self),
        .request(AlterShareGroupOffsetsRequest.self), .response(AlterShareGroupOffsetsResponse.self),
        .request(ApiVersionsRequest.self), .response(ApiVersionsResponse.self),
        .request(CreatePartitionsRequest.self), .response(CreatePartitionsResponse.self),
        .request(CreateTopicsRequest.self), .response(CreateTopicsResponse.self),
        .request(DeleteGroupsRequest.self), .response(DeleteGroupsResponse.self),
        .request(DeleteRecordsRequest.self), .response(DeleteRecordsResponse.self),
        .request(DeleteShareGroupOffsetsRequest.self), .response(DeleteShareGroupOffsetsResponse.self),
        .request(DeleteTopicsRequest.self), .response(DeleteTopicsResponse.self),
        .request(DescribeClusterRequest.self), .response(DescribeClusterResponse.self),
        .request(DescribeConfigsRequest.self), .response(DescribeConfigsResponse.self),
        .request(DescribeGroupsRequest.self), .response(DescribeGroupsResponse.self),
        .request(DescribeShareGroupOffsetsRequest.self), .response(DescribeShareGroupOffsetsResponse.self),
        .request(FetchRequest.self), .response(FetchResponse.self),
        .request(FindCoordinatorRequest.self), .response(FindCoordinatorResponse.self),
        .request(HeartbeatRequest.self), .response(HeartbeatResponse.self),
        .request(IncrementalAlterConfigsRequest.self), .response(IncrementalAlterConfigsResponse.self),
        .request(InitProducerIdRequest.self), .response(InitProducerIdResponse.self),
        .request(JoinGroupRequest.self), .response(JoinGroupResponse.self),
        .request(LeaveGroupRequest.self), .response(LeaveGroupResponse.self),
        .request(ListGroupsRequest.self), .response(ListGroupsResponse.self),
        .request(ListOffsetsRequest.self), .response(ListOffsetsResponse.self),
        .request(MetadataRequest.self), .response(MetadataResponse.self),
        .request(OffsetCommitRequest.self), .response(OffsetCommitResponse.self),
        .request(OffsetDeleteRequest.self), .response(OffsetDeleteResponse.self),
        .request(OffsetFetchRequest.self), .response(OffsetFetchResponse.self),
        .request(OffsetForLeaderEpochRequest.self), .response(OffsetForLeaderEpochResponse.self),
        .request(ProduceRequest.self), .response(ProduceResponse.self),
        .request(ShareAcknowledgeRequest.self), .response(ShareAcknowledgeResponse.self),
        .request(ShareFetchRequest.self), .response(ShareFetchResponse.self),
        .request(ShareGroupDescribeRequest.self), .response(ShareGroupDescribeResponse.self),
        .request(ShareGroupHeartbeatRequest.self), .response(ShareGroupHeartbeatResponse.self),
        .request(SyncGroupRequest.self), .response(SyncGroupResponse.self),
        .data(ConsumerProtocolSubscription.self), .data(ConsumerProtocolAssignment.self),
    ]
}
