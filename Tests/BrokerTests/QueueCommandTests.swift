import Control
import Model
import NIOCore
import Queues
import Storage
import Testing

@testable import Broker

@Suite(.timeLimit(.minutes(1))) struct QueueCommandTests {
    @Test func aPurgeIsUndoneByItsIdOnce() async throws {
        let queues = try await MoveBed.start(store: MoveBed.memoryStore())
        try await queues.declare("orders")
        try await queues.publish("orders", ["a", "b", "c"])
        let purged = try await queues.perform(.purge(queue: "orders", delayed: false))
        #expect(purged.message == "orders: purged 3 messages" && purged.preview?.go == 3)
        #expect(try await queues.open("orders") == [])
        let undo = try #require(purged.undo)
        #expect(queues.broker.undoRows(of: "orders").map(\.text) == ["purged 3 messages"])
        #expect(try await queues.perform(.undo(id: undo)).message == "orders: 3 messages back")
        #expect(try await queues.open("orders") == ["a", "b", "c"])
        await #expect(throws: ControlError(.notFound, "there is nothing to undo under \(undo), or no longer")) {
            try await queues.perform(.undo(id: undo))
        }
        await queues.broker.close()
    }

    @Test func gatesHoldAndResumeAndAreUndone() async throws {
        let queues = try await MoveBed.start(store: MoveBed.memoryStore())
        try await queues.declare("orders")
        try await queues.publish("orders", ["a"])
        let held = try await queues.perform(.gate(queue: "orders", .delivery, held: true))
        #expect(held.message == "orders: delivery held")
        #expect(try await queues.acquire("orders", 1) == [])
        try await queues.perform(.undo(id: try #require(held.undo)))
        #expect(try await queues.acquire("orders", 1).count == 1)
        try await queues.perform(.gate(queue: "orders", .publishing, held: true))
        await #expect(throws: PartitionError.publishingHeld) { try await queues.publish("orders", ["b"]) }
        await queues.broker.close()
    }

    /// Resuming what was not held changes nothing, and so there is nothing to undo: undoing it would hold the queue.
    @Test func aGateThatStaysAsItIsGivesNothingToUndo() async throws {
        let queues = try await MoveBed.start(store: MoveBed.memoryStore())
        try await queues.declare("orders")
        let resumed = try await queues.perform(.gate(queue: "orders", .delivery, held: false))
        #expect(resumed.undo == nil && resumed.message == "orders: delivery is not held")
        try await queues.perform(.gate(queue: "orders", .publishing, held: true))
        let again = try await queues.perform(.gate(queue: "orders", .publishing, held: true))
        #expect(again.undo == nil && again.message == "orders: publishing is held already")
        #expect(queues.broker.undoRows(of: "orders").map(\.text) == ["publishing held"])
        await queues.broker.close()
    }

    @Test func anUndoDoesNotReachAQueueOfTheSameName() async throws {
        let queues = try await MoveBed.start(store: MoveBed.memoryStore())
        try await queues.declare("orders")
        try await queues.publish("orders", ["a"])
        let undo = try #require(try await queues.perform(.purge(queue: "orders", delayed: false)).undo)
        try await queues.perform(.delete(queue: "orders"))
        try await queues.declare("orders")
        try await queues.publish("orders", ["b"])
        await #expect(throws: ControlError.self) { try await queues.perform(.undo(id: undo)) }
        #expect(try await queues.open("orders") == ["b"])
        await queues.broker.close()
    }

    @Test func deadLettersNeedAPlaceTheyCanGo() async throws {
        let queues = try await MoveBed.start(store: MoveBed.memoryStore())
        for name in ["a b", "..", String(repeating: "x", count: 250), "orders"] {
            await #expect(throws: ControlError.self) { try await queues.declare("orders", ["dead.letter": name]) }
        }
        try await queues.declare("orders", ["dead.letter": "orders.dead"])
        await queues.broker.close()
    }

    @Test func onlyWhatWaitsIsCancelled() async throws {
        let queues = try await MoveBed.start(store: MoveBed.memoryStore())
        try await queues.declare("orders")
        try await queues.publish("orders", ["a"])
        await #expect(throws: ControlError(.notFound, "none of these messages waits on orders any more")) {
            try await queues.perform(.cancelDelayed(queue: "orders", ids: ["0/0"]))
        }
        #expect(try await queues.open("orders") == ["a"])
        await queues.broker.close()
    }

    @Test func whatWasDoneIsWrittenDownAndThereAfterARestart() async throws {
        let engine = MemoryEngine()
        let store = MoveBed.memoryStore()
        let mortal = MortalLog(engine)
        let before = try await MoveBed.start(log: mortal, store: store)
        try await before.declare("orders")
        await #expect(throws: ControlError.self) { try await before.perform(.delete(queue: "nowhere")) }
        try await before.publish("orders", ["a"])
        let purged = try await before.perform(.purge(queue: "orders", delayed: false))
        var dry = Redrive(queue: "orders")
        dry.dryRun = true
        try await before.perform(.redrive(dry))
        mortal.kill()

        let after = try await MoveBed.start(log: MortalLog(engine), store: store)
        let page = after.broker.audit.page(ListQuery()) { _ in true }
        #expect(
            page.rows.map(\.command) == ["weir queue purge orders --yes", "weir queue delete nowhere --yes", "weir queue declare orders"])
        #expect(page.rows.map(\.ok) == [true, false, true])
        #expect(page.rows.map(\.outcome) == ["orders: purged 1 message", "there is no queue nowhere", "orders: queue declared"])
        #expect(page.rows[0].undo == purged.undo && page.rows[0].undo != nil && page.rows.allSatisfy { $0.actor == "test" })
        #expect(page.rows.map(\.id) == [3, 2, 1])
        #expect(after.broker.audit.page(ListQuery(filter: "NOWHERE")) { _ in true }.rows.map(\.id) == [2])
        #expect(try await after.perform(.undo(id: try #require(purged.undo))).message == "orders: 1 message back")
        await after.broker.close()
    }

    @Test func namedMessagesAreDiscardedAndSettledOnesReplayed() async throws {
        let queues = try await MoveBed.start(store: MoveBed.memoryStore())
        try await queues.declare("orders")
        try await queues.publish("orders", ["a", "b", "c", "d"])
        let outcome = try await queues.perform(.discard(queue: "orders", ids: ["0/1", "0/2", "0/9"]))
        #expect(outcome.message == "orders: 2 messages discarded, 1 not there or in a consumer's hands")
        #expect(try await queues.open("orders") == ["a", "d"])
        await #expect(throws: ControlError(.invalid, "'7' names no message of orders: write PARTITION/OFFSET, such as 0/17")) {
            try await queues.perform(.discard(queue: "orders", ids: ["7"]))
        }
        var replay = Replay(queue: "orders")
        replay.filter.match = "b|d"
        replay.dryRun = true
        #expect(try await queues.perform(.replay(replay)).preview?.go == 1)
        replay.dryRun = false
        #expect(try await queues.perform(.replay(replay)).message == "orders: 1 message ready again")
        #expect(try await queues.open("orders") == ["a", "b", "d"])
        await queues.broker.close()
    }

    @Test func oneMessageIsWritten() async throws {
        let queues = try await MoveBed.start(store: MoveBed.memoryStore())
        try await queues.declare("orders")
        try await queues.perform(.write(queue: "orders", key: "k", value: "v", headers: [.init(name: "h", value: "x")], delayMs: nil))
        let record = try #require(try await queues.records("orders").first)
        #expect(record.key.map { String(buffer: $0) } == "k" && record.headers.map(\.name) == ["h"])
        await queues.broker.close()
    }
}
