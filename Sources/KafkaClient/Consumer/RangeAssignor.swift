/// Kafka's range assignor: for each topic, members in order of their ids get consecutive partitions, the first ones one more each when it
/// does not come out even. Seven partitions for a, b, c: a 0–2, b 3–4, c 5–6.
enum RangeAssignor {
    static let name = "range"

    /// - Parameter subscriptions: the topics each member wants.
    static func assign(subscriptions: [String: [String]], partitions: [String: Int]) -> [String: [String: [Int32]]] {
        var result: [String: [String: [Int32]]] = [:]
        for member in subscriptions.keys { result[member] = [:] }
        for topic in Set(subscriptions.values.flatMap { $0 }).sorted() {
            guard let count = partitions[topic], count > 0 else { continue }
            let members = subscriptions.filter { $0.value.contains(topic) }.keys.sorted()
            let share = count / members.count
            let extra = count % members.count
            var next = 0
            for (index, member) in members.enumerated() {
                let size = share + (index < extra ? 1 : 0)
                if size > 0 { result[member]?[topic] = (next..<next + size).map { Int32($0) } }
                next += size
            }
        }
        return result
    }
}
