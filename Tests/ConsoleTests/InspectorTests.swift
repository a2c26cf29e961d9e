import Control
import Testing

@testable import Console
@testable import Terminal

@Suite struct InspectorTests {
    @Test func showsTheValueHexHeadersDeathAndTimeline() async throws {
        var bench = try await Bench()
        try await bench.type("6")
        try await bench.press(.enter, .tab)
        try await bench.type("i")
        #expect(bench.model.inspector?.name == MessageName(queue: "payments.dlq", id: "0/10213"))
        for line in ["  \"payment\": 88007,", "    \"last4\": \"4242\",", "    \"tags\": []", "  \"amount\": 12.50"] {
            #expect(bench.screen.contains(line), "\(line)")
        }
        #expect(bench.screen.contains("zstd, decompressed"))
        try await bench.press(.tab)
        #expect(bench.screen.contains("00000000  7b 22 70 61 79 6d 65 6e  74 22 3a 38 38 30 30 37"))
        try await bench.press(.tab)
        #expect(bench.screen.contains("__dlq.errors.topic           payments"))
        #expect(bench.screen.contains("note                         null"))
        try await bench.press(.tab)
        #expect(bench.screen.contains("reason    delivery_limit: TimeoutError: gateway gw-2"))
        #expect(bench.screen.contains("redriven  once"))
        try await bench.press(.tab)
        #expect(bench.screen.contains("2026-11-22 12:04:00  died (delivery_limit)  +9m29s"))
        try await bench.type("n")
        #expect(bench.model.inspector?.name.id == "0/10212")
        try await bench.type("y")
        #expect(bench.effects.last == .copy("{\"payment\":88007,\"card\":{\"last4\":\"4242\",\"tags\":[]},\"amount\":12.50}"))
        try await bench.type("R")
        #expect(bench.screen.contains("(x) marked 1"))
        try await bench.press(.escape, .escape)
        #expect(bench.model.inspector == nil)
        #expect(bench.model.dead.opened == "payments.dlq")
    }

    @Test func aMessageThatIsGoneSaysSo() async throws {
        var bench = try await Bench()
        bench.control.state.withLock { $0.cancelled = ["0/58000"] }
        try await bench.type("2")
        try await bench.press(.enter)
        bench.control.state.withLock { _ = $0.cancelled.insert("0/58001") }
        try await bench.type("i")
        #expect(bench.screen.contains("It is not there any more. Esc goes back."))
    }

    @Test func theSuspectMessageOfAStalledGroup() async throws {
        var bench = try await Bench()
        try await bench.type("4j")
        try await bench.press(.enter)
        try await bench.type("i")
        #expect(bench.model.inspector?.name == MessageName(queue: "orders", id: "3/8787034"))
    }

    @Test func jsonLayout() {
        #expect(
            JSONLayout.lines("{\"a\":[1,2.50],\"b\":{},\"c\":\"x{,\\\"y\"}") == [
                "{", "  \"a\": [", "    1,", "    2.50", "  ],", "  \"b\": {},", "  \"c\": \"x{,\\\"y\"", "}",
            ])
        #expect(JSONLayout.lines("plain") == nil)
        #expect(JSONLayout.lines("[1,") == ["[", "  1,", "  "] || JSONLayout.lines("[1,") == ["[", "  1,"])
        // Nesting deeper than any screen ends indenting, not the console.
        #expect(JSONLayout.lines(String(repeating: "[", count: 5_000))?.count == 5_000)
    }

    @Test func filtersOfMessages() {
        #expect(MessageFilterText.parse("a.b").match == "a\\.b")
        #expect(MessageFilterText.parse("~a.b").match == "a.b")
        #expect(MessageFilterText.parse("reason~Time out").reason == "Time out")
        #expect(MessageFilterText.parse("trace=7f").headers == [MessageHeader(name: "trace", value: "7f")])
        #expect(MessageFilterText.parse(" ") == MessageFilter())
    }
}
