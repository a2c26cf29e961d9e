/// Spreads the partitions of each topic over the members that subscribe to it, like KIP-932's `simple` assignor: every partition has a
/// reader and every member something to read, so where there are more members than partitions they share.
///
/// ```
/// 3 partitions, members a b      a [0, 2]  b [1]
/// 2 partitions, members a b c    a [0]     b [1]    c [0]
/// 2 priorities, members a b      a [0, 1]  b [0, 1]    of a topic that each reads whole
/// ```
/// Topics begin at different members, so that many topics of one partition do not make the first member read them all when each member
/// has a topic list of its own.
public enum ShareAssignor {
    public static let name = "simple"

    /// - Parameter members: in the order in which they came, each with its sorted topics.
    public static func assign(
        members: [(id: String, topics: [String])], topics: [String: ShareTopic]
    ) -> [(id: String, assignment: [ShareAssignment])] {
        var subscribers: [String: [Int]] = [:]
        for (index, member) in members.enumerated() {
            for topic in member.topics where topics[topic] != nil { subscribers[topic, default: []].append(index) }
        }
        var result: [[ShareAssignment]] = Array(repeating: [], count: members.count)
        for (shift, name) in topics.keys.sorted().enumerated() {
            guard let topic = topics[name], topic.partitions > 0, let readers = subscribers[name] else { continue }
            let partitions = Int(topic.partitions)
            var shares: [Set<Int32>] = Array(repeating: [], count: readers.count)
            if topic.isReadWhole { shares = readers.map { _ in Set(0..<topic.partitions) } }
            for step in 0..<max(readers.count, partitions) {
                shares[(step + shift) % readers.count].insert(Int32(step % partitions))
            }
            for (position, reader) in readers.enumerated() {
                result[reader].append(ShareAssignment(topic: name, id: topic.id, partitions: shares[position].sorted()))
            }
        }
        return zip(members, result).map { ($0.id, $1) }
    }
}
