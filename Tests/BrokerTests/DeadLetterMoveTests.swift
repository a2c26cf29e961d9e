import Control
import Model
import NIOCore
import Queues
import Storage
import Testing

@testable import Broker

@Suite(.timeLimit(.minutes(2))) struct DeadLetterMoveTests {
    func header(_ name: String, _ record: Record) -> String? {
        record.headers.last { $0.name == name }?.value.map { String(buffer: $0) }
    }

    @Test func rejectedMessagesArriveStampedInADeadLetterQueueMadeForThem() async throws {
        let queues = try await MoveBed.start(store: MoveBed.memoryStore())
        try await queues.declare("payments", ["dead.letter": "auto"])
        try await queues.publish("payments", ["a", "b", "c"], headers: [("x-exception-message", "no funds")])
        let taken = try await queues.acquire("payments", 2)
        #expect(taken == [AcquiredRange(first: Offset(0), last: Offset(1), deliveryCount: 1)])
        try await queues.answer("payments", taken, .reject)
        #expect(try await eventually { try await queues.open("payments.dlq") == ["a", "b"] })
        #expect(try await eventually { try await queues.counts("payments")?.dead == 2 })
        #expect(try await queues.open("payments") == ["c"])

        let dead = try await queues.records("payments.dlq")[1]
        #expect(header("x-last-death-reason", dead) == "rejected")
        #expect(header("__dlq.errors.topic", dead) == "payments" && header("__dlq.errors.offset", dead) == "1")
        #expect(header("__dlq.errors.delivery.count", dead) == "1" && header("__dlq.errors.message", dead) == "no funds")
        #expect(header("weir.timestamp", dead) == "1600000000000")
        #expect(queues.broker.catalog.current["payments.dlq"]?.config.isQueue == true)
        await queues.broker.close()
    }

    /// `d0-168` tells a start that this message of the delay store was released; in a copy it would say so of another message that has the
    /// handle by then.
    @Test func aCopyDoesNotCarryTheHandleOfARelease() async throws {
        let queues = try await MoveBed.start(store: MoveBed.memoryStore())
        try await queues.declare("payments", ["dead.letter": "auto"])
        try await queues.publish("payments", ["a"], headers: [("kept", "1"), ("weir.delay.handle", "d0-168")])
        try await queues.answer("payments", try await queues.acquire("payments", 1), .reject)
        #expect(try await eventually { try await queues.open("payments.dlq") == ["a"] })
        let dead = try await queues.records("payments.dlq")[0]
        #expect(header("kept", dead) == "1")
        #expect(header("weir.delay.handle", dead) == nil)
        await queues.broker.close()
    }

    @Test func withoutATargetTheyAreDroppedAndCounted() async throws {
        let queues = try await MoveBed.start(store: MoveBed.memoryStore())
        try await queues.declare("plain")
        try await queues.publish("plain", ["a", "b"])
        try await queues.answer("plain", try await queues.acquire("plain", 2), .reject)
        #expect(try await eventually { try await queues.counts("plain")?.dropped == 2 })
        #expect(try await queues.open("plain") == [])
        await queues.broker.close()
    }

    /// Whatever frame a process dies behind, each message is then in the queue or in its dead-letter queue, once.
    @Test(arguments: 0...14) func aCrashBetweenAnyTwoStepsNeitherLosesNorDoubles(frames: Int) async throws {
        let engine = MemoryEngine()
        let store = MoveBed.memoryStore()
        let mortal = MortalLog(engine)
        let before = try await MoveBed.start(log: mortal, store: store)
        try await before.declare("dead", ["errors.deadletterqueue.group.enable": "true"])
        try await before.declare("work", ["dead.letter": "dead"])
        let values = (0..<40).map { "m\($0)" }
        try await before.publish("work", values)
        let taken = try await before.acquire("work", 30)
        mortal.kill(afterFrames: frames)
        try await before.answer("work", taken, .reject, isWaiting: false)
        _ = try await eventuallyDead(mortal, before)
        mortal.kill()

        let after = try await MoveBed.start(log: MortalLog(engine), store: store)
        // What was rejected before the crash goes on its way; what was not is ready again.
        #expect(try await eventually { try await after.counts("work")?.moving == 0 })
        let left = try await after.open("work")
        let dead = try await after.open("dead")
        #expect((left + dead).sorted() == values.sorted())
        #expect(left.count == 40 || left.count == 10)
        await after.broker.close()
    }

    /// Until the process is dead or has nothing more to do.
    private func eventuallyDead(_ log: MortalLog, _ queues: MoveBed) async throws -> Bool {
        for _ in 0..<50 {
            if log.isDead { return true }
            try await Task.sleep(for: .milliseconds(4))
        }
        return false
    }
}
