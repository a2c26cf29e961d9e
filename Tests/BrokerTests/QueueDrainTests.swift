import Control
import Model
import Queues
import Testing

@testable import Broker

/// A queue of several partitions is drained when its slowest one is.
@Suite struct QueueDrainTests {
    private static let topic = TopicID(high: 1, low: 1)

    private func sample(_ ready: [Int64], settings: [String: String] = [:]) -> QueueSample {
        var sample = QueueSample(name: "q", group: "q", topic: Self.topic, topicName: "q", isQueue: true)
        sample.cursors = ready.enumerated().map { index, ready in
            var counts = CursorCounts(
                key: ShareKey(group: "q", partition: PartitionID(topic: Self.topic, index: Int32(index))), topic: "q")
            counts.ready = ready
            counts.end = Offset(ready)
            return counts
        }
        sample.settings = QueueSettings(topic: settings, group: [:])
        return sample
    }

    private func detail(_ seconds: [QueueSample]) throws -> QueueDetail {
        var state = Statistics.State()
        for sample in seconds {
            state.queues.absorb(sample, policy: QueuePolicy())
            state.queues.settle()
            state.queues.tick(seconds: 1, busiest: 2)
        }
        let builder = SnapshotBuilder(state: state, topics: .init(), now: Timestamp(ms: 100_000), monotonic: Monotonic(ns: 0))
        return try #require(builder.queueDetail("q"))
    }

    @Test func theSlowestPartitionSaysWhen() throws {
        let detail = try detail((0...10).map { sample([1_000 - 30 * $0, 50 - $0, 0]) })
        // 700 at 30/s, 40 at 1/s: the whole would be 740 at 31/s.
        #expect(detail.row.netRate == -31)
        #expect(detail.row.etaMs == 40_000 && detail.row.drains)
        #expect(detail.partitions.map(\.etaMs) == [23_333, 40_000, 0])
        #expect(detail.partitions.map(\.netRate) == [-30, -1, 0])
    }

    @Test func onePartitionThatStandsStillNeverDrains() throws {
        let detail = try detail((0...10).map { sample([1_000 - 90 * $0, 5]) })
        #expect(detail.row.etaMs == nil && !detail.row.drains)
        #expect(detail.partitions[1].etaMs == nil && detail.partitions[1].netRate == 0)
    }

    @Test func prioritiesDrainOneAfterTheOther() throws {
        let detail = try detail((0...10).map { sample([400, 200 - 20 * $0], settings: ["queue.priorities": "2"]) })
        #expect(detail.row.etaMs == 20_000 && detail.row.drains)
    }

    @Test func aPartitionMoreBeginsAnew() throws {
        let detail = try detail((0...4).map { sample([100 - 10 * $0]) } + (5...8).map { sample([100 - 10 * $0, 8 - $0]) })
        #expect(detail.partitions.count == 2 && detail.partitions.map(\.netRate) == [-10, -1])
        #expect(detail.row.etaMs == 2_000)
    }

    @Test func whatCameWithinTheSecondHasNoRateYet() throws {
        var state = Statistics.State()
        for sample in [sample([5, 5]), sample([5, 4])] {
            state.queues.absorb(sample, policy: QueuePolicy())
            state.queues.settle()
            state.queues.tick(seconds: 1, busiest: 2)
        }
        state.queues.absorb(sample([5, 4, 7]), policy: nil)
        state.queues.settle()
        let builder = SnapshotBuilder(state: state, topics: .init(), now: Timestamp(ms: 100_000), monotonic: Monotonic(ns: 0))
        #expect(builder.queueDetail("q")?.partitions.map(\.netRate) == [0, -1, nil])
    }
}
