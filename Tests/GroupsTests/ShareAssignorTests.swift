import Model
import Testing

@testable import Groups

@Suite struct ShareAssignorTests {
    private func assign(_ members: [(id: String, topics: [String])], _ topics: [String: Int32]) -> [String: [String]] {
        let known = topics.mapValues { ShareTopic(id: TopicID(high: 1, low: UInt64($0)), partitions: $0) }
        var found: [String: [String]] = [:]
        for (id, assignment) in ShareAssignor.assign(members: members, topics: known) {
            found[id] = assignment.flatMap { topic in topic.partitions.map { "\(topic.topic)-\($0)" } }
        }
        return found
    }

    @Test func `more partitions than members are divided`() {
        #expect(assign([("a", ["t"]), ("b", ["t"])], ["t": 3]) == ["a": ["t-0", "t-2"], "b": ["t-1"]])
    }

    @Test func `more members than partitions share them`() {
        #expect(assign([("a", ["t"]), ("b", ["t"]), ("c", ["t"])], ["t": 2]) == ["a": ["t-0"], "b": ["t-1"], "c": ["t-0"]])
        #expect(assign([("a", ["t"]), ("b", ["t"])], ["t": 1]) == ["a": ["t-0"], "b": ["t-0"]])
    }

    @Test func `every member reads all priorities of a topic`() {
        let jobs = ShareTopic(id: TopicID(high: 1, low: 3), partitions: 3, isReadWhole: true)
        let orders = ShareTopic(id: TopicID(high: 1, low: 2), partitions: 2)
        let found = ShareAssignor.assign(
            members: [("a", ["jobs", "orders"]), ("b", ["jobs", "orders"])], topics: ["jobs": jobs, "orders": orders])
        #expect(found.map { $0.assignment.map(\.partitions) } == [[[0, 1, 2], [1]], [[0, 1, 2], [0]]])
    }

    @Test func `members get the topics they subscribe to and no others`() {
        #expect(
            assign([("a", ["t", "u"]), ("b", ["u"]), ("c", ["gone"])], ["t": 2, "u": 2])
                == ["a": ["t-0", "t-1", "u-1"], "b": ["u-0"], "c": []])
    }

    @Test func `every partition has a reader and every subscriber a partition, evenly`() {
        for members in 1...9 {
            for partitions in 1...13 {
                let list = (0..<members).map { (id: "m\($0)", topics: ["t", "u"]) }
                let found = assign(list, ["t": Int32(partitions), "u": 1])
                let readers = found.values.flatMap { $0 }.filter { $0.hasPrefix("t-") }
                #expect(Set(readers).count == partitions)
                let counts = found.values.map { $0.filter { $0.hasPrefix("t-") }.count }
                #expect(counts.min() ?? 0 >= 1)
                #expect((counts.max() ?? 0) - (counts.min() ?? 0) <= 1)
                #expect(found.values.allSatisfy { $0.contains("u-0") })
            }
        }
    }
}
