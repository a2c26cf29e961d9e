import Model
import Testing

@Suite struct IdentifierTests {
    @Test func `a topic id has 32 digits, leading zeros included`() {
        let id = TopicID(high: 0xAB, low: 1)
        #expect(id.description == "00000000000000ab0000000000000001")
        #expect(TopicID(hex: id.description) == id)
        #expect(TopicID(hex: "ab") == nil)
        #expect(TopicID(hex: String(repeating: "g", count: 32)) == nil)
    }

    @Test func `offsets count`() {
        #expect(Offset(41) + 1 == Offset(42))
        #expect(Offset(42) - Offset(40) == 2)
    }

    @Test func `monotonic time never runs backwards in a difference`() {
        let start = Monotonic(ns: 5_000_000)
        #expect(start.advanced(byMs: 3).ms(since: start) == 3)
        #expect(start.ms(since: start.advanced(byMs: 3)) == 0)
        #expect(start.advanced(byMs: -7) == start)
    }
}
