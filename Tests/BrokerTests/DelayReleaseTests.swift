import Model
import NIOCore
import Queues
import Storage
import Testing

@testable import Broker

@Suite struct DelayReleaseTests {
    @Test func aMessageAppearsWhenItIsDueAndNotBefore() async throws {
        let bed = try await DelayBed()
        let id = try await bed.topic("orders", ["delay.enable": "true"])
        let before = bed.broker.clock.now.ms
        let answer = try await bed.publish(
            id,
            [
                .init(value: "later", headers: [("a", "1"), ("x-delay", "600")]), .init(value: "now"),
                .init(value: "soon", headers: [("x-delay", "300")]),
            ])
        #expect(answer.error == nil)
        #expect(answer.baseOffset == Offset(0))
        #expect(try await bed.values(id) == ["now"])
        #expect(await bed.waiting() == 2)
        #expect(try await eventually { try await bed.values(id).count == 3 })
        #expect(bed.broker.clock.now.ms - before >= 600)
        let records = try await bed.records(id)
        #expect(records.map { String(buffer: $0.value!) } == ["now", "soon", "later"])
        #expect(records.map(\.offset) == [Offset(0), Offset(1), Offset(2)])
        #expect(records[2].headers.map(\.name) == ["a", "weir.delay.handle"])
        #expect(records[2].timestamp == Timestamp(ms: 1_600_000_000_000))
        #expect(records[2].key == ByteBuffer(string: "key"))
        #expect(try await eventually { await bed.waiting() == 0 })
        await bed.close()
    }

    @Test func aTopicsOwnDelayHoldsForAllOfIt() async throws {
        let bed = try await DelayBed()
        let id = try await bed.topic("retries", ["delay.ms": "80"])
        let before = bed.broker.clock.now.ms
        let answer = try await bed.publish(id, (0..<200).map { .init(value: "\($0)") })
        #expect(answer.baseOffset == Offset(0))
        #expect(try await bed.values(id) == [])
        #expect(try await eventually { try await bed.values(id).count == 200 })
        #expect(bed.broker.clock.now.ms - before >= 80)
        #expect(try await bed.values(id) == (0..<200).map { "\($0)" })
        await bed.close()
    }

    @Test func aBatchThatIsSentAgainIsNotDelayedTwiceNorRefused() async throws {
        let bed = try await DelayBed()
        let id = try await bed.topic("orders", ["delay.enable": "true"])
        let first: [DelayBed.Sent] = [.init(value: "a", headers: [("x-delay", "300")]), .init(value: "b", headers: [("x-delay", "400")])]
        let mixed: [DelayBed.Sent] = [.init(value: "c"), .init(value: "d", headers: [("x-delay", "350")])]
        #expect(try await bed.publish(id, first, producer: (7, 0)).baseOffset == Offset(0))
        #expect(try await bed.publish(id, mixed, producer: (7, 2)).baseOffset == Offset(0))
        #expect(try await bed.publish(id, first, producer: (7, 0)).error == nil)
        #expect(try await bed.publish(id, mixed, producer: (7, 2)).error == nil)
        for loss in [FaultyFileSystem.Loss.process, .power(seed: 3)] {
            try await bed.restart(loss)
            #expect(try await bed.publish(id, mixed, producer: (7, 2)).error == nil)
            #expect(try await bed.publish(id, first, producer: (7, 0)).error == nil)
        }
        #expect(try await bed.publish(id, [.init(value: "e")], producer: (7, 4)).error == nil)
        #expect(try await bed.publish(id, [.init(value: "f")], producer: (7, 9)).error == .outOfOrderSequence)
        #expect(try await eventually { try await bed.values(id).count >= 5 })
        try await Task.sleep(for: .milliseconds(200))
        #expect(try await bed.values(id).sorted() == ["a", "b", "c", "d", "e"])
        await bed.close()
    }

    @Test func whatIsDueWhileTheBrokerIsDownComesAfterwards() async throws {
        let bed = try await DelayBed()
        let id = try await bed.topic("orders", ["delay.enable": "true"])
        try await bed.publish(id, (0..<50).map { .init(value: "\($0)", headers: [("x-delay", "\(100 + $0)")]) })
        try await bed.restart(.power(seed: 1))
        #expect(try await eventually { try await bed.values(id).count == 50 })
        #expect(Set(try await bed.values(id)).count == 50)
        #expect(try await eventually { await bed.waiting() == 0 })
        await bed.close()
    }

    @Test func theIndexIsWrittenOutAndReadBack() async throws {
        var limits = Limits()
        limits.delayTableEntries = 64
        let bed = try await DelayBed(limits: limits)
        let id = try await bed.topic("orders", ["delay.enable": "true"])
        for batch in 0..<30 {
            try await bed.publish(
                id,
                (0..<20).map { .init(value: "\(batch)-\($0)", headers: [("x-delay", "\(5_000 + ($0 * 7_919 + batch * 104_729) % 2_000)")]) }
            )
        }
        #expect(try await eventually { await bed.shard.ask { $0.delays!.store.runCount } >= 3 })
        #expect(await bed.waiting() == 600)
        try await bed.restart(.power(seed: 9))
        #expect(await bed.waiting() == 600)
        let page = try await bed.broker.delayedMessages(queue: "orders", fromMs: nil, toMs: nil, limit: 700)
        #expect(page.rows.count == 600)
        #expect(page.rows.map(\.dueMs!) == page.rows.map(\.dueMs!).sorted())
        #expect(try await eventually { try await bed.values(id).count >= 600 })
        #expect(Set(try await bed.values(id)).count == 600)
        #expect(try await eventually { await bed.waiting() == 0 })
        #expect(try await eventually { await bed.shard.ask { $0.delays!.store.runCount } == 0 })
        await bed.close()
    }

    @Test func badDelaysAreRefusedWithTheReason() async throws {
        let bed = try await DelayBed()
        let id = try await bed.topic("orders", ["delay.enable": "true"])
        let answer = try await bed.publish(id, [.init(value: "a", headers: [("x-delay", "soon")])])
        #expect(answer.error == .invalidRecord("'soon' is not a delay in ms, or one of more than 3153600000000 ms"))
        #expect(await bed.waiting() == 0)
        await bed.close()
    }
}
