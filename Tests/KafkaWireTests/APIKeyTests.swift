import KafkaWire
import SchemaCompiler
import Testing

@Suite struct APIKeyTests {
    /// KIP-896 sets the lower bounds.
    @Test func `the table is what Kafka 4 speaks`() {
        #expect(APIKey.allCases.count == 33)
        #expect(APIKey.shareFetch.rawValue == 78)
        #expect(APIKey.shareFetch.versions == 1...2)
        #expect(APIKey.shareGroupHeartbeat.versions == 1...1)
        #expect(APIKey.describeShareGroupOffsets.versions == 0...1)
        #expect(APIKey.produce.rawValue == 0)
        #expect(APIKey.produce.versions == 3...13)
        #expect(APIKey.produce.advertisedVersions == 0...13)
        #expect(APIKey.fetch.versions == 4...18)
        #expect(APIKey.fetch.advertisedVersions == 4...18)
        #expect(APIKey.metadata.versions == 0...13)
        #expect(APIKey.apiVersions.versions == 0...4)
        #expect(APIKey.initProducerId.versions == 0...5)
        #expect(APIKey(rawValue: 47) == .offsetDelete)
        #expect(APIKey.offsetDelete.firstFlexible == Int16.max)
    }

    @Test func `table and messages agree`() {
        for subject in MessageCase.all {
            guard let key = subject.key else { continue }
            #expect(key.versions == subject.versions, "\(subject.name)")
        }
    }

    @Test func `an error code that is not listed reads as unknown`() {
        #expect(ErrorCode(wire: 0) == .none)
        #expect(ErrorCode(wire: 3) == .unknownTopicOrPartition)
        #expect(ErrorCode(wire: 999) == .unknownServerError)
        #expect(ErrorCode.notCoordinator.isRetriable)
        #expect(!ErrorCode.messageTooLarge.isRetriable)
    }
}
