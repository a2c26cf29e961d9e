import KafkaWire
import Model
import NIOCore
import Storage
import Testing
import Wire

@testable import KafkaServer

/// The hand-written fetch writer against the generated codec.
@Suite struct FetchAnswerTests {
    private func partition(_ topic: FetchTopicName, _ index: Int32, records: String?, error: ErrorCode = .none) -> FetchAnswer.Partition {
        var data = FetchResponse.PartitionData()
        data.partitionIndex = index
        data.errorCode = error
        data.highWatermark = 1_000 + Int64(index)
        data.lastStableOffset = 1_000 + Int64(index)
        data.logStartOffset = 7
        let slice = records.map { text in
            LogSlice(content: .bytes(ByteBuffer(string: text)), count: text.utf8.count)
        }
        return .init(topic: topic, data: data, slice: slice)
    }

    private func flatten(_ parts: [Answer.Part]) -> ByteBuffer {
        var whole = ByteBuffer()
        for part in parts {
            switch part {
            case .bytes(let bytes): whole.writeImmutableBuffer(bytes)
            case .slice(let slice):
                if case .bytes(let bytes) = slice.content { whole.writeImmutableBuffer(bytes) }
            }
        }
        return whole
    }

    @Test(arguments: FetchResponse.versions)
    func equalsTheGeneratedCodec(_ version: Int16) throws {
        let first = FetchTopicName(name: "orders", id: TopicID(high: 1, low: 2))
        let second = FetchTopicName(name: "clicks", id: TopicID(high: 3, low: 4))
        let partitions = [
            partition(first, 0, records: String(repeating: "a", count: 300)), partition(first, 1, records: nil),
            partition(second, 5, records: "bb"), partition(second, 6, records: nil, error: .offsetOutOfRange),
        ]
        var writer = WireWriter()
        writer.int32(0)
        writer.int32(99)  // stands for the response header
        var parts = FetchAnswer.Parts(writer: writer)
        FetchAnswer.encode(&parts, version: version, sessionID: 12, partitions)
        var whole = flatten(parts.finish())

        #expect(whole.readInteger(as: Int32.self).map(Int.init) == whole.readableBytes)
        #expect(whole.readInteger(as: Int32.self) == 99)

        var expected = FetchResponse()
        expected.sessionId = 12
        for (name, range) in [(first, 0..<2), (second, 2..<4)] {
            var topic = FetchResponse.FetchableTopicResponse()
            topic.topic = name.name
            topic.topicId = name.id.uuid
            topic.partitions = partitions[range].map { partition in
                var data = partition.data
                data.abortedTransactions = []
                data.preferredReadReplica = -1
                data.records = ByteBuffer()
                if let slice = partition.slice, case .bytes(let bytes) = slice.content { data.records = bytes }
                return data
            }
            expected.responses.append(topic)
        }
        var generated = WireWriter()
        expected.write(to: &generated, version: version)
        #expect(Array(whole.readableBytesView) == Array(generated.buffer.readableBytesView))
    }
}
