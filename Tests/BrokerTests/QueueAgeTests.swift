import Model
import Queues
import Testing

@testable import Broker

/// When the oldest message of a queue was appended: looked up once a second, a few queues at a time.
@Suite struct QueueAgeTests {
    private func counts(_ queue: UInt64, _ partition: Int32 = 0, open: Range<Int64>) -> CursorCounts {
        let id = PartitionID(topic: TopicID(high: 1, low: queue), index: partition)
        var counts = CursorCounts(key: ShareKey(group: "q\(queue)", partition: id), topic: "q\(queue)")
        counts.ready = open.upperBound - open.lowerBound
        (counts.firstOpen, counts.end) = (Offset(open.lowerBound), Offset(open.upperBound))
        return counts
    }

    private func absorb(_ cursors: [CursorCounts], into queues: inout QueueTracks) {
        let key = cursors[0].key
        var sample = QueueSample(
            name: key.group, group: key.group, topic: key.partition.topic, topicName: key.group, isQueue: true)
        sample.cursors = cursors
        queues.absorb(sample, policy: queues[key.group] == nil ? QueuePolicy() : nil)
        queues.settle()
    }

    /// Looks up what is wanted; offsets in `lost` can't be read.
    @discardableResult
    private func lookUp(_ queues: inout QueueTracks, limit: Int, lost: Set<Int64> = []) -> [String] {
        queues.takeAgeless(limit).map { key, partition, offset in
            queues.learn(lost.contains(offset.value) ? nil : Timestamp(ms: 1_000 + offset.value), at: offset, of: key, partition)
            return "\(key.group)/\(partition.index)"
        }
    }

    private func oldest(_ queues: QueueTracks) -> [Int64?] { queues.figures.map { $0.oldestAt?.ms } }

    @Test func `an age is good while the queue is drained, and not beyond`() {
        var queues = QueueTracks()
        absorb([counts(1, open: 5..<9)], into: &queues)
        #expect(oldest(queues) == [nil])
        lookUp(&queues, limit: 10)
        #expect(oldest(queues) == [1_005])
        // A second at most, until the next message is looked up, the age is that of one before it.
        absorb([counts(1, open: 7..<9)], into: &queues)
        #expect(oldest(queues) == [1_005])
        #expect(lookUp(&queues, limit: 10) == ["q1/0"] && oldest(queues) == [1_007])
        absorb([counts(1, open: 9..<9)], into: &queues)
        #expect(oldest(queues) == [nil])
        absorb([counts(1, open: 9..<10)], into: &queues)
        #expect(oldest(queues) == [nil])
        lookUp(&queues, limit: 10)
        // Drained and filled again between two looks; and then replayed.
        absorb([counts(1, open: 10..<12)], into: &queues)
        #expect(oldest(queues) == [nil])
        lookUp(&queues, limit: 10)
        #expect(oldest(queues) == [1_010])
        absorb([counts(1, open: 3..<12)], into: &queues)
        #expect(oldest(queues) == [nil])
        #expect(lookUp(&queues, limit: 10) == ["q1/0"] && oldest(queues) == [1_003])
        #expect(queues.takeAgeless(10).isEmpty)
    }

    @Test func `what came lately needs no look-up`() {
        var queues = QueueTracks()
        var fresh = counts(1, open: 5..<9)
        fresh.firstOpenAt = Timestamp(ms: 70)
        absorb([fresh], into: &queues)
        #expect(oldest(queues) == [70] && queues.takeAgeless(10).isEmpty)
        // Drained and filled between two looks, again and again: a busy queue that keeps up.
        fresh = counts(1, open: 20..<21)
        fresh.firstOpenAt = Timestamp(ms: 90)
        absorb([fresh], into: &queues)
        #expect(oldest(queues) == [90] && queues.takeAgeless(10).isEmpty)
        absorb([counts(1, open: 3..<21)], into: &queues)
        #expect(oldest(queues) == [nil] && lookUp(&queues, limit: 10) == ["q1/0"] && oldest(queues) == [1_003])
    }

    @Test func `a look-up that fails is tried again, and what was known before it is not shown`() {
        var queues = QueueTracks()
        absorb([counts(1, open: 5..<9)], into: &queues)
        lookUp(&queues, limit: 10)
        absorb([counts(1, open: 6..<9)], into: &queues)
        #expect(lookUp(&queues, limit: 10, lost: [6]) == ["q1/0"] && oldest(queues) == [nil])
        #expect(lookUp(&queues, limit: 10) == ["q1/0"] && oldest(queues) == [1_006])
    }

    @Test func `everyone gets a turn, and a queue of many partitions all of them`() {
        var queues = QueueTracks()
        absorb((0..<5).map { counts(1, $0, open: 1..<9) }, into: &queues)
        absorb([counts(2, open: 2..<9)], into: &queues)
        #expect(lookUp(&queues, limit: 3) == ["q1/0", "q1/1", "q1/2"] && oldest(queues) == [nil, nil])
        // A busy queue does not come before those that wait.
        absorb((0..<5).map { counts(1, $0, open: 3..<9) }, into: &queues)
        absorb([counts(3, open: 4..<9)], into: &queues)
        #expect(lookUp(&queues, limit: 3) == ["q2/0", "q1/3", "q1/4"])
        #expect(oldest(queues) == [1_001, 1_002, nil])
        #expect(lookUp(&queues, limit: 3) == ["q3/0", "q1/0", "q1/1"])
        #expect(lookUp(&queues, limit: 3) == ["q1/2"])
        #expect(oldest(queues) == [1_003, 1_002, 1_004] && queues.takeAgeless(3).isEmpty)
        // One that can't be read does not keep others from theirs.
        absorb((0..<5).map { counts(1, $0, open: $0 < 3 ? 7..<9 : 8..<9) }, into: &queues)
        for _ in 0..<2 { lookUp(&queues, limit: 3, lost: [7]) }
        #expect(queues.tracks[0].ages[3]?.offset == Offset(8) && queues.tracks[0].ages[4]?.offset == Offset(8))
    }

    @Test func `places that move keep their turn`() {
        var queues = QueueTracks()
        for queue in 1...3 as ClosedRange<UInt64> { absorb([counts(queue, open: 1..<2)], into: &queues) }
        queues.remove([queues.tracks[1].key])
        #expect(lookUp(&queues, limit: 1) == ["q1/0"] && lookUp(&queues, limit: 9) == ["q3/0"])
        #expect(oldest(queues) == [1_001, 1_001])
    }
}
