import Control
import Groups
import Model
import Queues
import Storage
import Synchronization
import Testing

@testable import Broker

/// Connections as operators see them, and how consumers answer.
@Suite struct ClientTests {
    private func at(_ seconds: Double) -> Monotonic { Monotonic(ns: UInt64(seconds * 1e9)) }

    @Test func `connections have names, rates and groups, and are closed by number`() throws {
        let table = ClientTable()
        let closed = Mutex<[Int]>([])
        let clients = (0..<3).map { index in
            table.open(door: "kafka", address: "10.0.0.\(index):1", at: Timestamp(ms: 1_000 + Int64(index))) {
                closed.withLock { $0.append(index) }
            }
        }
        table.tick(at: at(1))
        clients[0].tell(clientID: "till")
        clients[0].tell(software: "librdkafka 2.16.0")
        clients[0].bytesIn.add(5_000, ordering: .relaxed)
        clients[0].requests.add(20, ordering: .relaxed)
        clients[1].tell(clientID: "worker")
        clients[1].joined("billing", member: "m-1")
        clients[1].inFlight.store(2, ordering: .relaxed)
        table.tick(at: at(3))
        let page = try table.page(ListQuery(sort: "client"), limit: 100)
        #expect(page.rows.map(\.client) == ["", "till", "worker"] && page.total == 3)
        let till = try #require(page.rows.first { $0.client == "till" })
        #expect(till.software == "librdkafka 2.16.0" && till.inBytesRate == 2_500 && till.requestRate == 10 && till.sinceMs == 1_000)
        #expect(try table.page(ListQuery(filter: "billing"), limit: 100).rows.map(\.inFlight) == [2])
        #expect(try table.page(ListQuery(sort: "inBytesRate", descending: true, count: 1), limit: 100).rows.map(\.client) == ["till"])
        #expect(table.kill(member: "m-2", of: "billing") == 0 && table.kill(member: "m-1", of: "billing") == 1)
        #expect(table.kill(clients[0].id) != nil && table.kill(99) == nil)
        #expect(closed.withLock { $0 } == [1, 0])
        table.closed(clients[0])
        #expect(table.kill(clients[0].id) == nil)
        #expect(try table.page(ListQuery(), limit: 100).total == 2)
    }

    @Test func `a connection remembers sixteen groups`() {
        let client = ClientTable().open(door: "kafka", address: "", at: Timestamp(ms: 0)) {}
        for index in 0..<20 { client.joined("g\(index)", member: "m") }
        #expect(client.told.members.count == 16)
        client.left("g0")
        client.joined("g19", member: "n")
        #expect(client.told.members["g19"] == "n" && client.told.members.count == 16)
    }

    @Test func `a steady consumer shows its rate, one that stopped fades`() throws {
        var answers = MemberAnswers(limit: 4)
        for second in 0..<30 { answers.note("a", accepted: 100, now: at(Double(second))) }
        let steady = try #require(answers.look("a", now: at(29.5)))
        #expect(abs(steady.perSecond - 100) < 10 && steady.answeredMs == 500 && steady.silentMs == 500)
        let later = try #require(answers.look("a", now: at(34)))
        #expect(abs(later.perSecond - 37) < 7 && later.answeredMs == 5_000)
        #expect(answers.look("a", now: at(90))?.perSecond == 0)
        #expect(answers.look("b", now: at(90)) == nil)
        for index in 0..<10 { answers.note("m\(index)", accepted: 1, now: at(100 + Double(index))) }
        #expect(answers.members.count <= 4 && answers.look("m9", now: at(110)) != nil)
        answers.forget("m9")
        #expect(answers.look("m9", now: at(110)) == nil)
        answers.note("late", accepted: 1, now: at(10_000))
        #expect(Array(answers.members) == ["late"])
    }

    @Test func `a consumer is silent since its last answer or its first message`() throws {
        var answers = MemberAnswers(limit: 4)
        answers.took("a", all: 10, of: 10, now: at(0))
        #expect(answers.look("a", now: at(2)) == .init(perSecond: 0, answeredMs: nil, silentMs: 2_000))
        answers.took("a", all: 20, of: 10, now: at(20))
        #expect(answers.look("a", now: at(40))?.silentMs == 40_000)
        answers.note("a", accepted: 20, now: at(41))
        #expect(answers.look("a", now: at(42))?.silentMs == 1_000)
        // It had nothing to answer for an hour.
        answers.took("a", all: 5, of: 5, now: at(3_641))
        #expect(answers.look("a", now: at(3_642)) == .init(perSecond: 0, answeredMs: 3_601_000, silentMs: 1_000))
    }

    @Test func `times to an answer are counted within an eighth, and forgotten after a minute or two`() throws {
        for ms in [0, 1, 3, 4, 7, 8, 9, 15, 16, 100, 999, 1_000, 59_999, 3_599_999] as [Int64] {
            let shown = AnswerTimes.middle(AnswerTimes.place(ms))
            #expect(abs(shown - ms) * 8 <= max(ms, 7), "\(ms) is shown as \(shown)")
        }
        #expect(AnswerTimes.place(-5) == 0 && AnswerTimes.place(.max) == AnswerTimes.place(3_600_000))
        var answers = MemberAnswers(limit: 4)
        answers.answered("stranger", after: 5, count: 1, now: at(0))
        #expect(answers.times("stranger", now: at(0)) == nil)
        answers.took("a", all: 200, of: 200, now: at(0))
        #expect(answers.times("a", now: at(0)) == nil)
        answers.answered("a", after: 6, count: 98, now: at(1))
        answers.answered("a", after: 2_000, count: 2, now: at(2))
        var counts = try #require(answers.times("a", now: at(59)))
        #expect(counts.quantile(0.5) == 6 && counts.quantile(0.98) == 6 && counts.quantile(0.99) == 1_920)
        // Another partition's.
        counts.add(counts)
        #expect(counts.quantile(0.5) == 6 && counts.quantile(1) == 1_920)
        #expect(answers.times("a", now: at(119)) != nil && answers.times("a", now: at(120)) == nil)
        answers.answered("a", after: 0, count: 1, now: at(300))
        #expect(answers.times("a", now: at(300))?.quantile(0.99) == 0)
    }

    @Test func `a member that is removed gives back what it held`() async throws {
        let fixture = try await GroupBroker.start()
        let key = try await fixture.queue("orders")
        try await fixture.publish(key, ["a", "b"])
        let broker = fixture.broker
        let answer = await withCheckedContinuation { continuation in
            broker.shareCoordinator(of: "orders").heartbeat(
                "orders", ShareHeartbeat(memberID: "m1", epoch: 0, topics: ["orders"], clientID: "worker", clientHost: "/h")
            ) { continuation.resume(returning: $0) }
        }
        #expect(answer.error == nil)
        #expect(await fixture.got(key, by: "m1") == ["0-1 x1"])
        let view = BrokerView(broker: broker)
        var query = SnapshotQuery()
        query.queue = "orders"
        var consumers = try await view.snapshot(query).queue?.consumers ?? []
        #expect(consumers.map(\.id) == ["m1"] && consumers[0].unacked == 2 && consumers[0].lastAckMs == nil && consumers[0].ackP50Ms == nil)
        #expect((consumers[0].silentMs ?? 99_999) < 5_000)
        #expect(await fixture.answer(key, .accept, 0...0, by: "m1") == nil)
        consumers = try await view.snapshot(query).queue?.consumers ?? []
        #expect(consumers[0].unacked == 1 && (consumers[0].lastAckMs ?? 99_999) < 5_000 && consumers[0].ackRate > 0)
        #expect((consumers[0].ackP99Ms ?? 99_999) < 5_000)
        let outcome = try await view.perform(.removeMember(group: "orders", member: "m1"))
        #expect(outcome.message == "orders: member m1 removed, 0 connections closed")
        consumers = try await view.snapshot(query).queue?.consumers ?? []
        #expect(consumers.isEmpty)
        #expect(await fixture.got(key, by: "m2") == ["1-1 x2"])
        await #expect(throws: ControlError.self) { try await view.perform(.removeMember(group: "orders", member: "m1")) }
        await #expect(throws: ControlError.self) { try await view.perform(.killClient(id: 7)) }
        // It has left, and messages are still delivered in its name.
        let gone = try await view.perform(.removeMember(group: "orders", member: "m2"))
        #expect(gone.message == "orders: 1 message that m2 held given back; it had left before")
        #expect(await fixture.got(key, by: "m3") == ["1-1 x3"])
        await #expect(throws: ControlError.self) { try await view.perform(.removeMember(group: "orders", member: "m2")) }
        await broker.close()
    }

    @Test func `a member of a consumer group is taken out, and its connection to the coordinator closed`() async throws {
        let fixture = try await GroupBroker.start()
        let member = await fixture.single("billing")
        let closed = Mutex(0)
        let connection = fixture.broker.clients.open(door: "kafka", address: "10.0.0.1:1", at: Timestamp(ms: 0)) {
            closed.withLock { $0 += 1 }
        }
        connection.joined("billing", member: member)
        let outcome = try await BrokerView(broker: fixture.broker).perform(.removeMember(group: "billing", member: member))
        #expect(
            outcome.message
                == "billing: member \(member) removed, 1 connection closed; others of the client, by which it fetches, stay open")
        #expect(closed.withLock { $0 } == 1)
        #expect(await fixture.heartbeat("billing", member, 1) == .unknownMemberID)
        await fixture.broker.close()
    }

    @Test func `a read-only broker kills nobody`() async throws {
        var options = BrokerOptions()
        options.readOnly = true
        let fixture = try await GroupBroker.start(options: options)
        let closed = Mutex(0)
        let connection = fixture.broker.clients.open(door: "kafka", address: "10.0.0.1:1", at: Timestamp(ms: 0)) {
            closed.withLock { $0 += 1 }
        }
        let member = await fixture.single("billing")
        let view = BrokerView(broker: fixture.broker)
        for command in [Command.killClient(id: connection.id), .removeMember(group: "billing", member: member)] {
            for door in [view as any Control, view.acting(as: "http")] {
                let error = await #expect(throws: ControlError.self) { try await door.perform(command) }
                #expect(error?.code == .readOnly)
            }
        }
        #expect(closed.withLock { $0 } == 0)
        #expect(await fixture.heartbeat("billing", member, 1) == nil)
        await fixture.broker.close()
    }
}
