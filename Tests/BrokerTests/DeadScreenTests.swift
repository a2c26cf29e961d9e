import Control
import Model
import NIOCore
import Queues
import Storage
import Testing

@testable import Broker

@Suite(.timeLimit(.minutes(1))) struct DeadScreenTests {
    func die(_ queues: MoveBed, _ values: [String], error: String?) async throws {
        try await queues.publish("work", values, headers: error.map { [("x-exception-message", $0)] } ?? [])
        try await queues.answer("work", try await queues.acquire("work", values.count), .reject)
        #expect(try await eventually { try await queues.counts("work")?.moving == 0 })
    }

    /// The screen once every message's reason is known.
    private func counted(_ query: MessageQuery, _ queues: MoveBed) async throws -> DeadDetail {
        var detail = DeadDetail()
        #expect(
            try await eventually {
                detail = try await queues.broker.deadDetail(query)
                return detail.row.unread == 0
            })
        return detail
    }

    @Test func reasonsAreCountedAndTheNewestMessagesComeFirst() async throws {
        let queues = try await MoveBed.start(store: MoveBed.memoryStore())
        try await queues.declare("work", ["dead.letter": "auto"])
        try await die(queues, ["a", "b", "c"], error: "timeout")
        try await die(queues, ["d"], error: nil)
        var query = MessageQuery(queue: "work.dlq")
        query.count = 2
        await queues.broker.refreshStatistics()
        // A screen does not wait for an index for long: on a busy machine it shows a part at first, and says so.
        var detail = try await counted(query, queues)
        #expect(detail.row.messages == 4 && detail.row.sources == ["work"])
        #expect(detail.reasons.map(\.reason) == ["rejected: timeout", "rejected"] && detail.reasons.map(\.count) == [3, 1])
        #expect(detail.reasons[0].origins == ["work"] && detail.otherReasons == 0)
        #expect(detail.messages.rows.map(\.value) == ["d", "c"] && detail.messages.matched == 4 && detail.watermark == [4])
        let row = detail.messages.rows[1]
        #expect(row.id == "0/2" && row.reason == "rejected" && row.error == "timeout" && row.origin == "work/0/2" && row.attempts == 1)

        // What is settled is counted no more, and a reason filters the window.
        try await queues.perform(.discard(queue: "work.dlq", ids: ["0/1"]))
        query.filter.reason = "rejected: time"
        detail = try await counted(query, queues)
        #expect(detail.reasons.map(\.count) == [2, 1])
        #expect(detail.messages.rows.map(\.value) == ["c", "a"] && detail.messages.matched == 2)
        query.filter.reason = nil
        query.filter.match = "a|d"
        #expect(try await queues.broker.deadDetail(query).messages.rows.map(\.value) == ["d", "a"])

        await queues.broker.refreshStatistics()
        let list = try await queues.broker.deadQueuePage(ListQuery())
        #expect(list.rows.map(\.name) == ["work.dlq"] && list.rows[0].topReason == "rejected: timeout" && list.rows[0].messages == 3)
        #expect(list.rows[0].topShare.map { ($0 * 3).rounded() } == 2)
        await queues.broker.close()
    }

    @Test func `an empty queue says when the last one came`() async throws {
        let queues = try await MoveBed.start(store: MoveBed.memoryStore())
        try await queues.declare("work", ["dead.letter": "work.dlq"])
        try await queues.declare("work.dlq", [:])
        await queues.broker.refreshStatistics()
        var row = try await queues.broker.deadDetail(MessageQuery(queue: "work.dlq")).row
        #expect(row.messages == 0 && row.lastInMs == nil)
        try await die(queues, ["a"], error: nil)
        row = try await counted(MessageQuery(queue: "work.dlq"), queues).row
        #expect(row.messages == 1 && row.lastInMs == nil)
        try await queues.perform(.discard(queue: "work.dlq", ids: ["0/0"]))
        row = try await queues.broker.deadDetail(MessageQuery(queue: "work.dlq")).row
        #expect(row.messages == 0)
        #expect((row.lastInMs ?? 99_999) < 30_000)
        await queues.broker.close()
    }

    /// The list reads on what has just died; what has not been read yet makes the rest a part, and a minority of it nothing at all.
    @Test func `a fresh death does not blank the list`() async throws {
        let queues = try await MoveBed.start(store: MoveBed.memoryStore())
        let view = BrokerView(broker: queues.broker)
        var query = SnapshotQuery()
        query.deadQueues = ListQuery()
        try await queues.declare("work", ["dead.letter": "auto"])
        for number in 1...3 as ClosedRange<Int64> {
            try await die(queues, ["a"], error: "timeout")
            var row = DeadQueueRow()
            #expect(
                try await eventually {
                    row = try await view.snapshot(query).deadQueues.rows.first ?? row
                    return row.messages == number && row.unread == 0
                })
            #expect(row.topReason == "rejected: timeout" && row.topShare == 1 && row.oldestMs != nil && row.newestMs != nil)
        }
        // What the index said is in the line that needs attention, too.
        let line = try await view.snapshot(query).attention.first { $0.kind == "dead" }
        #expect(line?.text.hasSuffix("100% rejected: timeout") == true && line?.sinceMs != nil)
        await queues.broker.close()
    }

    @Test func `a part of the reasons is told as such, a minority not at all`() {
        func counts(_ known: [(String, String?, Int64)], others: Int64 = 0, unread: Int64) -> DeadCause? {
            var counts = Broker.DeadCounts()
            counts.groups = known.map { .init(group: .init(reason: $0, origin: $1), count: $2, firstMs: 1_000 * $2, lastMs: 9_000_000) }
            (counts.others, counts.unread) = (others, unread)
            return counts.cause
        }
        let known: [(String, String?, Int64)] = [("expired", "a", 40), ("timeout", "a", 30), ("timeout", "b", 20)]
        #expect(counts(known, unread: 0) == DeadCause(reason: "timeout", share: 50.0 / 90, sinceMs: 20_000, isWhole: true))
        #expect(counts(known, others: 10, unread: 100) == DeadCause(reason: "timeout", share: 0.25, sinceMs: nil, isWhole: false))
        #expect(counts(known, others: 10, unread: 101) == nil)
        #expect(counts([], unread: 0) == nil)
    }

    @Test func aMessageTellsWhatHappenedToIt() async throws {
        let queues = try await MoveBed.start(store: MoveBed.memoryStore())
        try await queues.declare("work", ["dead.letter": "auto"])
        try await die(queues, ["a"], error: nil)
        let job = try await queues.perform(.redrive(Redrive(queue: "work.dlq"))).job
        #expect(try await eventually { try queues.job(job)?.state == .done })
        let taken = try await queues.acquire("work", 1)
        let id = "0/\(taken[0].first)"
        let detail = try #require(try await queues.broker.messageDetail(MessageName(queue: "work", id: id)))
        #expect(detail.value == "YQ==" && detail.key == nil && detail.compression == "none" && detail.offset == taken[0].first.value)
        #expect(
            detail.timeline.map(\.text) == [
                "published", "died in work (rejected)", "redriven by job 1", "delivered 1x", "with a consumer",
            ])
        #expect(detail.timeline[0].atMs == 1_600_000_000_000)
        #expect(detail.row.state == .acquired && detail.row.redriven == 1)
        #expect(try await queues.broker.messageDetail(MessageName(queue: "work", id: "0/99")) == nil)

        let page = try await queues.broker.messagePage(MessageQuery(queue: "work"))
        #expect(page.rows.map(\.state) == [.acquired] && page.total == 1)
        #expect(try await queues.broker.messagePage(MessageQuery(queue: "work", state: .settled)).rows.map(\.value) == ["a"])
        await queues.broker.close()
    }

    @Test func onlyTheNewestAreIndexedAndCountedByTheRangesThatAreOpen() async throws {
        let engine = MemoryEngine()
        let index = DeadIndex(log: engine, limit: 2_000)
        let id = PartitionID(topic: TopicID(high: 1, low: 2), index: 0)
        _ = try await withCheckedThrowingContinuation { continuation in
            engine.acquire(ShardID(0), epoch: Epoch(1)) { continuation.resume(with: $0) }
        }
        var builder = RecordBatchBuilder()
        for number in 0..<3_000 {
            builder.append(
                timestamp: Timestamp(ms: Int64(number) * 1_000), value: nil,
                headers: [.init(name: "x-last-death-reason", value: ByteBuffer(string: number % 3 == 0 ? "expired" : "rejected"))])
        }
        let append = Append(
            stream: .partition(id), base: .zero, next: Offset(3_000), maxTimestamp: Timestamp(ms: 0), bytes: builder.finish())
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            engine.commit(Frame(id: FrameID(1), epoch: Epoch(1), appends: [append], durable: false), shard: ShardID(0)) { _ in
                continuation.resume()
            }
        }
        try await index.follow(id, from: .zero, to: Offset(3_000))
        // Only the newest 2,000 are indexed; the others are there, of no known reason.
        let (groups, others, unread) = index.count([(0, [Offset(0)..<Offset(1_003), Offset(2_000)..<Offset(3_000)])])
        #expect(others == 1_000 && unread == 0)
        #expect(groups.map(\.count) == [669, 334] && groups.map(\.group.reason) == ["rejected", "expired"])
        #expect(groups[1].firstMs == 1_002_000 && groups[1].lastMs == 2_997_000)
        let behind = index.count([(0, [Offset(2_999)..<Offset(3_005)]), (1, [Offset(10)..<Offset(14), Offset(20)..<Offset(21)])])
        #expect(behind.unread == 10 && behind.others == 0 && behind.groups.map(\.count) == [1])
        let found = index.offsets(0, [Offset(0)..<Offset(3_000)], reason: "exp", limit: 2)
        #expect(found.offsets == [Offset(2_997), Offset(2_994)] && found.matched == 666)
    }
}
