import Control
import Model

/// A queue as operators name it: `payments` is the queue of that topic, `billing@orders` the share group `billing` on the topic `orders`.
struct QueueName: Equatable, Sendable {
    var group: String
    var topic: Topic

    /// As lists show it.
    var text: String { topic.config.isQueue && group == topic.name ? group : "\(group)@\(topic.name)" }

    var keys: [ShareKey] { topic.partitionIDs.map { ShareKey(group: group, partition: $0) } }

    func key(_ partition: Int32) -> ShareKey? { topic.partition(partition).map { ShareKey(group: group, partition: $0) } }

    /// The partition and offset that an id `PARTITION/OFFSET` names.
    func place(_ id: String) throws(ControlError) -> (key: ShareKey, offset: Offset) {
        let parts = id.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let index = Int32(parts[0]), let offset = Int64(parts[1]), offset >= 0, let key = key(index) else {
            throw ControlError(.invalid, "'\(id)' names no message of \(text): write PARTITION/OFFSET, such as 0/17")
        }
        return (key, Offset(offset))
    }

    /// The ids by partition, as ranges.
    func places(_ ids: [String], limit: Int) throws(ControlError) -> [(key: ShareKey, ranges: [Range<Offset>])] {
        guard !ids.isEmpty else { throw ControlError(.invalid, "name at least one message of \(text) by its id") }
        guard ids.count <= limit else { throw ControlError(.invalid, "at most \(limit) messages can be named at a time") }
        var byPartition: [ShareKey: [Offset]] = [:]
        for id in ids {
            let (key, offset) = try place(id)
            byPartition[key, default: []].append(offset)
        }
        return byPartition.sorted { $0.key.partition < $1.key.partition }.map { ($0.key, Burial.ranges($0.value)) }
    }
}

extension Broker {
    /// Finds a queue or share group by the name operators use.
    func queue(_ name: String) throws(ControlError) -> QueueName {
        let topics = catalog.current
        if let at = name.lastIndex(of: "@"), topics[name] == nil {
            let topicName = String(name[name.index(after: at)...])
            guard let topic = topics[topicName] else { throw ControlError(.notFound, "there is no topic \(topicName)") }
            return QueueName(group: String(name[..<at]), topic: topic)
        }
        guard let topic = topics[name] else { throw ControlError(.notFound, "there is no queue \(name)") }
        guard topic.config.isQueue else {
            throw ControlError(.invalid, "\(name) is a topic, not a queue; name one of its share groups as GROUP@\(name)")
        }
        return QueueName(group: name, topic: topic)
    }
}
