import Testing

@testable import KafkaClient

@Suite struct RangeAssignorTests {
    @Test func `seven partitions for three members`() {
        let shares = RangeAssignor.assign(subscriptions: ["c": ["t"], "a": ["t"], "b": ["t"]], partitions: ["t": 7])
        #expect(shares == ["a": ["t": [0, 1, 2]], "b": ["t": [3, 4]], "c": ["t": [5, 6]]])
    }

    @Test func `more members than partitions leave some with nothing`() {
        let shares = RangeAssignor.assign(subscriptions: ["a": ["t"], "b": ["t"]], partitions: ["t": 1])
        #expect(shares == ["a": ["t": [0]], "b": [:]])
    }

    @Test func `a topic goes only to those who want it, and an unknown one to nobody`() {
        let shares = RangeAssignor.assign(subscriptions: ["a": ["t", "u"], "b": ["u", "gone"]], partitions: ["t": 2, "u": 2])
        #expect(shares == ["a": ["t": [0, 1], "u": [0]], "b": ["u": [1]]])
    }
}
