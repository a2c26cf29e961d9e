import Broker
import KafkaWire
import Model
import NIOCore
import Storage
import Testing
import Wire

@testable import KafkaServer

/// The hand-written share-fetch writer against the generated codec.
@Suite struct ShareFetchAnswerTests {
    private func partition(
        _ topic: WireUUID, _ index: Int32, records: String? = nil, acquired: [AcquiredRange] = [], error: ErrorCode = .none,
        acknowledgeError: ErrorCode = .none
    ) -> ShareFetchAnswer.Partition {
        var data = ShareFetchResponse.PartitionData()
        data.partitionIndex = index
        data.errorCode = error
        data.errorMessage = error == .none ? nil : "gone"
        data.acknowledgeErrorCode = acknowledgeError
        data.acknowledgeErrorMessage = acknowledgeError == .none ? nil : "late"
        let slice = records.map { LogSlice(content: .bytes(ByteBuffer(string: $0)), count: $0.utf8.count) }
        return .init(topic: topic, data: data, acquired: acquired, slice: slice)
    }

    @Test func `equals the generated codec`() throws {
        let first = WireUUID(high: 1, low: 2)
        let second = WireUUID(high: 3, low: 4)
        let ranges = [
            AcquiredRange(first: Offset(10), last: Offset(19), deliveryCount: 1),
            AcquiredRange(first: Offset(25), last: Offset(25), deliveryCount: 3),
        ]
        let partitions = [
            partition(first, 0, records: String(repeating: "a", count: 300), acquired: ranges),
            partition(first, 1, acknowledgeError: .invalidRecordState),
            partition(second, 5, error: .unknownTopicOrPartition),
        ]
        var parts = FetchAnswer.Parts(writer: WireWriter())
        parts.writer.int32(0)
        ShareFetchAnswer.encode(&parts, lockMs: 30_000, partitions)
        var whole = ByteBuffer()
        for part in parts.finish() {
            switch part {
            case .bytes(let bytes): whole.writeImmutableBuffer(bytes)
            case .slice(let slice):
                if case .bytes(let bytes) = slice.content { whole.writeImmutableBuffer(bytes) }
            }
        }
        #expect(whole.readInteger(as: Int32.self).map(Int.init) == whole.readableBytes)

        var expected = ShareFetchResponse()
        expected.acquisitionLockTimeoutMs = 30_000
        for (id, range) in [(first, 0..<2), (second, 2..<3)] {
            var topic = ShareFetchResponse.ShareFetchableTopicResponse()
            topic.topicId = id
            topic.partitions = range.map { index in
                var data = partitions[index].data
                data.records = ByteBuffer()
                if case .bytes(let bytes) = partitions[index].slice?.content { data.records = bytes }
                data.acquiredRecords = partitions[index].acquired.map { range in
                    var acquired = ShareFetchResponse.AcquiredRecords()
                    acquired.firstOffset = range.first.value
                    acquired.lastOffset = range.last.value
                    acquired.deliveryCount = range.deliveryCount
                    return acquired
                }
                return data
            }
            expected.responses.append(topic)
        }
        for version in ShareFetchResponse.versions {
            var writer = WireWriter()
            expected.write(to: &writer, version: version)
            #expect(writer.buffer == whole)
        }
    }
}
