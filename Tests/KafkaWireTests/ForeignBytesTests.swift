import KafkaWire
import NIOCore
import Testing
import Wire

/// Messages as kafka-python 3.0 writes them: read field by field, and written back to the same bytes.
@Suite struct ForeignBytesTests {
    private func bytes(_ hex: String) -> ByteBuffer {
        let digits = Array(hex.utf8)
        return ByteBuffer(
            bytes: stride(from: 0, to: digits.count, by: 2).compactMap {
                UInt8(String(decoding: digits[$0..<$0 + 2], as: UTF8.self), radix: 16)
            })
    }

    private func reader(_ hex: String) -> WireReader { WireReader(bytes(hex)) }

    private func written(_ body: (inout WireWriter) -> Void) -> ByteBuffer {
        var writer = WireWriter()
        body(&writer)
        return writer.buffer
    }

    @Test func `a flexible fetch with a tagged field`() throws {
        let hex =
            "ffffffff000001f4000000010320000001000000070000000302076f726465727302000000020000000400000000000003e8ffffffffffffffff"
            + "ffffffff00100000000002046f6c64030000000000000001000272010003036331"
        var reader = reader(hex)
        let fetch = try FetchRequest(reading: &reader, version: 12)
        try reader.expectEnd()
        #expect(fetch.clusterId == "c1")
        #expect(fetch.maxWaitMs == 500)
        #expect(fetch.maxBytes == 52_428_800)
        #expect(fetch.isolationLevel == 1)
        #expect(fetch.sessionId == 7)
        #expect(fetch.sessionEpoch == 3)
        #expect(fetch.rackId == "r")
        #expect(fetch.topics.map(\.topic) == ["orders"])
        let partition = try #require(fetch.topics.first?.partitions.first)
        #expect(partition.partition == 2)
        #expect(partition.currentLeaderEpoch == 4)
        #expect(partition.fetchOffset == 1_000)
        #expect(partition.lastFetchedEpoch == -1)
        #expect(partition.partitionMaxBytes == 1_048_576)
        #expect(fetch.forgottenTopicsData.map(\.partitions) == [[0, 1]])
        #expect(written { fetch.write(to: &$0, version: 12) } == bytes(hex))
    }

    @Test func `a join`() throws {
        let hex = "026700002710000493e0010009636f6e73756d6572020672616e676503000100086a6f696e696e6700"
        var reader = reader(hex)
        let join = try JoinGroupRequest(reading: &reader, version: 9)
        try reader.expectEnd()
        #expect(join.groupId == "g")
        #expect(join.sessionTimeoutMs == 10_000)
        #expect(join.rebalanceTimeoutMs == 300_000)
        #expect(join.memberId == "")
        #expect(join.groupInstanceId == nil)
        #expect(join.protocolType == "consumer")
        #expect(join.protocols.map(\.name) == ["range"])
        #expect(join.protocols.map(\.metadata) == [ByteBuffer(bytes: [0, 1])])
        #expect(join.reason == "joining")
        #expect(written { join.write(to: &$0, version: 9) } == bytes(hex))
    }

    @Test func `metadata with a topic id`() throws {
        let hex =
            "000000050200000001026800002384000003636c00000001020000076f72646572730102030405060708090a0b0c0d0e0f100002000000000000"
            + "0000000100000009020000000102000000010100800000000000"
        var reader = reader(hex)
        let metadata = try MetadataResponse(reading: &reader, version: 12)
        try reader.expectEnd()
        #expect(metadata.throttleTimeMs == 5)
        #expect(metadata.brokers.map(\.port) == [9_092])
        #expect(metadata.brokers.map(\.rack) == [nil])
        #expect(metadata.clusterId == "cl")
        let topic = try #require(metadata.topics.first)
        #expect(topic.errorCode == .none)
        #expect(topic.name == "orders")
        #expect(topic.topicId == WireUUID(high: 0x0102_0304_0506_0708, low: 0x090A_0B0C_0D0E_0F10))
        #expect(topic.partitions.map(\.leaderEpoch) == [9])
        #expect(topic.partitions.map(\.isrNodes) == [[1]])
        #expect(written { metadata.write(to: &$0, version: 12) } == bytes(hex))
    }

    @Test func `committed offsets by group`() throws {
        let hex = "0000000002026702076f72646572730200000003000000000000004dffffffff026d0000000000000000"
        var reader = reader(hex)
        let offsets = try OffsetFetchResponse(reading: &reader, version: 8)
        try reader.expectEnd()
        let partition = try #require(offsets.groups.first?.topics.first?.partitions.first)
        #expect(offsets.groups.map(\.groupId) == ["g"])
        #expect(partition.partitionIndex == 3)
        #expect(partition.committedOffset == 77)
        #expect(partition.metadata == "m")
        #expect(written { offsets.write(to: &$0, version: 8) } == bytes(hex))
    }

    @Test func `an older produce, whose lengths are not compact`() throws {
        let hex = "ffffffff000075300000000100066f7264657273000000010000000100000003010203"
        var reader = reader(hex)
        let produce = try ProduceRequest(reading: &reader, version: 8)
        try reader.expectEnd()
        #expect(produce.transactionalId == nil)
        #expect(produce.acks == -1)
        #expect(produce.topicData.map(\.name) == ["orders"])
        #expect(produce.topicData.first?.partitionData.map(\.records) == [ByteBuffer(bytes: [1, 2, 3])])
        #expect(written { produce.write(to: &$0, version: 8) } == bytes(hex))
    }

    @Test func `versions with a tagged epoch`() throws {
        let hex = "0000020012000000040000000000010108000000000000000c"
        var reader = reader(hex)
        let versions = try ApiVersionsResponse(reading: &reader, version: 3)
        try reader.expectEnd()
        #expect(versions.apiKeys.map(\.apiKey) == [18])
        #expect(versions.apiKeys.map(\.maxVersion) == [4])
        #expect(versions.finalizedFeaturesEpoch == 12)
        #expect(versions.supportedFeatures.isEmpty)
        #expect(written { versions.write(to: &$0, version: 3) } == bytes(hex))
    }
}
