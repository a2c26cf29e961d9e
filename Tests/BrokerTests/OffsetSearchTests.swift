import Compression
import Model
import NIOCore
import Testing

@testable import Broker

/// ListOffsets by time, inside batches.
@Suite struct OffsetSearchTests {
    /// Records at 1,000, 1,010, 1,040 and 1,030 ms.
    private func batch(_ codec: RecordBatchHeader.Compression) -> ByteBuffer {
        var builder = RecordBatchBuilder()
        for ms in [1_000, 1_010, 1_040, 1_030] as [Int64] {
            builder.append(timestamp: Timestamp(ms: ms), value: ByteBuffer(string: "order order order order order order"))
        }
        return Packing.pack(batch: builder.finish(), codec)
    }

    private func search(_ fixture: GroupBroker, _ id: PartitionID, _ target: Shard.OffsetTarget) async -> Shard.OffsetAnswer {
        await withCheckedContinuation { continuation in
            fixture.broker.shard(of: id).offset(of: id, target, leaderEpoch: -1) { continuation.resume(returning: $0) }
        }
    }

    @Test(arguments: RecordBatchHeader.Compression.allCases)
    func `the record itself is found, packed or not`(codec: RecordBatchHeader.Compression) async throws {
        let fixture = try await GroupBroker.start()
        let id = try await fixture.topic("orders")
        #expect(try await fixture.produce(id, batch(codec)).baseOffset == Offset(0))
        #expect(try await fixture.produce(id, batch(codec)).baseOffset == Offset(4))
        for (ms, offset) in [(999, 0), (1_000, 0), (1_001, 1), (1_011, 2), (1_040, 2)] as [(Int64, Int64)] {
            let answer = await search(fixture, id, .timestamp(Timestamp(ms: ms)))
            #expect(answer.error == nil && answer.offset == Offset(offset), "\(ms) ms")
            #expect(answer.leaderEpoch == 1)
        }
        #expect(await search(fixture, id, .timestamp(Timestamp(ms: 1_041))).offset == Offset(-1))
        let latest = await search(fixture, id, .maxTimestamp)
        #expect([Offset(2), Offset(6)].contains(latest.offset) && latest.timestamp == Timestamp(ms: 1_040))

        // Deleted records are not found, though their batch is still there.
        #expect(await fixture.broker.deleteRecords(of: id, before: Offset(1)) == .success(Offset(1)))
        let answer = await search(fixture, id, .timestamp(Timestamp(ms: 0)))
        #expect(answer.offset == Offset(1) && answer.timestamp == Timestamp(ms: 1_010))
        await fixture.broker.close()
    }

    @Test func `a batch that cannot be unpacked answers with its first offset`() async throws {
        let fixture = try await GroupBroker.start()
        let id = try await fixture.topic("orders")
        var damaged = batch(.zstd)
        damaged.setInteger(UInt32(0), at: 61)
        damaged.setInteger(CRC32C.checksum(damaged, from: 21), at: 17)
        #expect(try await fixture.produce(id, damaged).error == nil)
        #expect(await search(fixture, id, .timestamp(Timestamp(ms: 1_020))).offset == Offset(0))
        #expect(await search(fixture, id, .maxTimestamp).offset == Offset(3))
        await fixture.broker.close()
    }
}
