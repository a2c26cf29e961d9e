import Control
import Terminal
import Testing

@testable import Console

/// Screen 7, and `K` wherever a client is.
@Suite struct ClientKeyTests {
    @Test func `7 shows who is connected, and K closes a connection after a question`() async throws {
        var bench = try await Bench(size: Size(columns: 160, rows: 40))
        try await bench.type("7")
        #expect(bench.screen.contains("[7 Clients]") && bench.screen.contains("3 clients"))
        #expect(bench.screen.contains("librdkafka 2.16.0") && bench.screen.contains("10.0.4.20:40112"))
        try await bench.type("jK")
        let name = try #require(bench.model.selected)
        #expect(bench.model.dialog?.title == "Kill client \(name)")
        #expect(bench.model.dialog?.commandLine == "weir client kill \(name) --yes")
        #expect(bench.changes.isEmpty)
        try await bench.press(.escape)
        #expect(bench.model.dialog == nil && bench.changes.isEmpty)
        try await bench.type("K")
        try await bench.submit()
        #expect(bench.changes == [.killClient(id: try #require(Int64(name)))])
        #expect(bench.status?.contains("connection closed") == true)
    }

    @Test func `K on a queue's consumer takes it out of the queue's group`() async throws {
        var bench = try await Bench()
        bench.model.open(.queues, selecting: "shop.orders")
        try await bench.fetch()
        try await bench.press(.tab)
        let consumer = try #require(bench.model.queueDetail?.consumers.first)
        try await bench.type("K")
        #expect(bench.model.dialog?.title == "Kill 1 member of shop.orders")
        #expect(bench.model.dialog?.notes.contains { $0.text.contains("100 messages it holds") } == true)
        try await bench.submit()
        #expect(bench.changes == [.removeMember(group: "shop.orders", member: consumer.id)])
    }

    @Test func `K on a group's member takes it out of the group`() async throws {
        var bench = try await Bench()
        bench.model.open(.groups, selecting: "billing")
        try await bench.fetch()
        try await bench.press(.tab)
        let member = try #require(bench.model.groupDetail?.members.first)
        try await bench.type("K")
        try await bench.submit()
        #expect(bench.changes == [.removeMember(group: "billing", member: member.id)])
    }

    @Test func `K elsewhere says where clients are, and read-only refuses it`() async throws {
        var bench = try await Bench()
        try await bench.type("3K")
        #expect(bench.model.dialog == nil && bench.status?.contains("K kills a client (7)") == true)
        var locked = try await Bench(isReadOnly: true)
        try await locked.type("7K")
        #expect(locked.model.dialog == nil && locked.status?.contains("read-only") == true)
    }

    @Test func `a group is what a queue's name has before the last at`() {
        #expect(ConsoleModel.group(ofQueue: "orders") == "orders")
        #expect(ConsoleModel.group(ofQueue: "billing@orders") == "billing")
        #expect(ConsoleModel.group(ofQueue: "a@b@orders") == "a@b")
    }
}
