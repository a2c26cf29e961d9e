import Control
import Model
import NIOCore
import Queues
import Storage
import Testing

@testable import Broker

/// `overflow=reject-publish-dlx`: what a full queue refuses lies in its dead-letter target before its publisher is told.
@Suite(.timeLimit(.minutes(1))) struct RejectionTests {
    let full = PartitionError.overLimit("work is full: max.depth is 2")
    let known = PartitionError.overLimit("work was full; the messages are in its dead-letter target")

    func bed(_ settings: [String: String] = [:]) async throws -> MoveBed {
        let queues = try await MoveBed.start(store: MoveBed.memoryStore())
        try await queues.declare(
            "work", ["max.depth": "2", "overflow": "reject-publish-dlx", "dead.letter": "auto"].merging(settings) { $1 })
        try await queues.publish("work", ["a", "b"])
        return queues
    }

    func produce(
        _ queues: MoveBed, _ values: [String], sequence: Int32 = -1, headers: [(String, String)] = []
    ) async throws -> ProduceResult {
        let id = try queues.broker.queue("work").topic.partitionIDs[0]
        var builder = RecordBatchBuilder(
            producerID: sequence < 0 ? .none : ProducerID(77), producerEpoch: sequence < 0 ? -1 : 0, baseSequence: sequence)
        for value in values {
            builder.append(
                timestamp: Timestamp(ms: 1_600_000_000_000), value: ByteBuffer(string: value),
                headers: headers.map { .init(name: $0.0, value: ByteBuffer(string: $0.1)) })
        }
        let batch = builder.finish()
        let header = try RecordBatchHeader.parse(batch)
        let shard = queues.broker.shard(of: id)
        return await withCheckedContinuation { continuation in
            shard.produce([ProduceItem(slot: 0, partition: id, header: header, batch: batch)], wants: .durable, replyLoop: shard.loop) {
                continuation.resume(returning: $0[0])
            }
        }
    }

    @Test func whatIsRefusedIsInTheTargetWithBothStamps() async throws {
        let queues = try await bed()
        let forged = [
            ("x-death", #"[{"count":9,"reason":"rejected","queue":"other","time":1,"exchange":"","routing-keys":[]}]"#),
            ("weir.move", "0.1/x-0/1"),
        ]
        #expect(try await produce(queues, ["c", "d"], headers: forged).error == full)
        #expect(try await queues.open("work") == ["a", "b"])
        #expect(try await queues.open("work.dlq") == ["c", "d"])
        let headers = Dictionary(
            try await queues.records("work.dlq")[1].headers.map { ($0.name, $0.value.map { String(buffer: $0) } ?? "") },
            uniquingKeysWith: { $1 })
        #expect(headers["x-first-death-reason"] == "maxlen" && headers["x-last-death-queue"] == "work")
        #expect(headers["x-death"]?.contains(#""count":1"#) == true && headers["x-death"]?.contains("other") == false)
        #expect(headers["__dlq.errors.topic"] == "work" && headers["__dlq.errors.partition"] == "0")
        #expect(headers["__dlq.errors.offset"] == "-1" && headers["__dlq.errors.delivery.count"] == "0")
        #expect(headers["__dlq.errors.message"] == "Queue was full.")
        #expect(try await queues.counts("work")?.refused == 2)
        // They go back to where they were not taken, when there is room.
        try await queues.declare("work", ["max.depth": "10"])
        try await queues.perform(.redrive(Redrive(queue: "work.dlq")))
        #expect(try await eventually { try await queues.open("work") == ["a", "b", "c", "d"] })
        await queues.broker.close()
    }

    @Test func aBatchThatIsSentAgainIsThereOnce() async throws {
        let queues = try await bed(["max.depth": "3"])
        let full = PartitionError.overLimit("work is full: max.depth is 3")
        #expect(try await produce(queues, ["c"], sequence: 0).error == nil)
        #expect(try await produce(queues, ["d"], sequence: 1).error == full)
        #expect(try await produce(queues, ["d"], sequence: 1).error == known)
        // In the queue already: not refused, and not put into the target.
        #expect(try await produce(queues, ["c"], sequence: 0).baseOffset == Offset(2))
        #expect(try await queues.open("work.dlq") == ["d"])
        // Room does not bring it in beside its dead letter; the sequence is the next batch's.
        try await queues.declare("work", ["max.depth": "10"])
        #expect(try await produce(queues, ["d"], sequence: 1).error == known)
        #expect(try await produce(queues, ["e"], sequence: 1).error == nil)
        #expect(try await queues.open("work") == ["a", "b", "c", "e"])
        #expect(try await queues.open("work.dlq") == ["d"])
        await queues.broker.close()
    }

    @Test func withoutATargetAndForRatesAPublishIsOnlyRefused() async throws {
        let queues = try await bed(["dead.letter": ""])
        #expect(try await produce(queues, ["c"]).error == full)
        #expect(queues.broker.catalog.current["work.dlq"] == nil)
        await queues.broker.close()
    }

    @Test func whatCannotBePutThereIsNotRefusedForGood() async throws {
        // A topic's name that no topic can have.
        let queues = try await bed(["dead.letter": "no/such/name"])
        guard case .storage(let text) = try await produce(queues, ["c"], sequence: 0).error else {
            Issue.record("a publisher must be told to try again")
            return
        }
        #expect(text.hasPrefix("dead letters of work wait: their target no/such/name could not be made"))
        try await queues.declare("work", ["dead.letter": "auto"])
        #expect(try await produce(queues, ["c"], sequence: 0).error == full)
        #expect(try await queues.open("work.dlq") == ["c"])
        await queues.broker.close()
    }

    @Test func manyPublishersAtATimeAreAllPassedOn() async throws {
        let queues = try await bed()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for index in 0..<50 {
                group.addTask {
                    let error = try await produce(queues, ["m\(index)", "n\(index)"]).error
                    #expect(error == full)
                }
            }
            try await group.waitForAll()
        }
        #expect(try await queues.open("work.dlq").sorted() == (0..<50).flatMap { ["m\($0)", "n\($0)"] }.sorted())
        await queues.broker.close()
    }
}
