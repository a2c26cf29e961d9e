import Collections
import Model

/// A group's committed offsets by topic and partition, in the order in which they first came.
public struct CommittedOffsets: Equatable, Sendable {
    private var topics: OrderedDictionary<String, OrderedDictionary<Int32, CommittedOffset>> = [:]
    /// Partitions with a committed offset.
    public private(set) var count = 0
    /// What they take in memory, roughly.
    public private(set) var bytes = 0

    /// One offset without its metadata.
    private static let overheadBytes = 96

    public init() {}

    public var isEmpty: Bool { count == 0 }

    public subscript(topic: String, partition: Int32) -> CommittedOffset? { topics[topic]?[partition] }

    /// All of them, topic by topic.
    public var all: [(topic: String, partition: Int32, committed: CommittedOffset)] {
        topics.flatMap { topic, partitions in partitions.map { (topic, $0.key, $0.value) } }
    }

    public var topicNames: [String] { Array(topics.keys) }

    /// The committed partitions of one topic.
    public func partitions(of topic: String) -> [(partition: Int32, committed: CommittedOffset)] {
        topics[topic]?.map { ($0.key, $0.value) } ?? []
    }

    private static func bytes(_ committed: CommittedOffset) -> Int { overheadBytes + committed.metadata.utf8.count }

    mutating func set(_ topic: String, _ partition: Int32, _ committed: CommittedOffset) {
        bytes += Self.bytes(committed)
        if let old = topics[topic, default: [:]].updateValue(committed, forKey: partition) {
            bytes -= Self.bytes(old)
        } else {
            count += 1
        }
    }

    mutating func remove(_ topic: String, _ partition: Int32) {
        guard let old = topics[topic]?.removeValue(forKey: partition) else { return }
        count -= 1
        bytes -= Self.bytes(old)
        if topics[topic]?.isEmpty == true { topics.removeValue(forKey: topic) }
    }
}
