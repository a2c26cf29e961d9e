import Model

/// A topic as the catalog knows it.
public struct Topic: Sendable, Equatable {
    public var id: TopicID
    public var name: String
    public var partitions: Int32
    public var config: TopicConfig
    public var createdAt: Timestamp

    public init(id: TopicID, name: String, partitions: Int32, config: TopicConfig, createdAt: Timestamp) {
        self.id = id
        self.name = name
        self.partitions = partitions
        self.config = config
        self.createdAt = createdAt
    }

    public func partition(_ index: Int32) -> PartitionID? {
        index >= 0 && index < partitions ? PartitionID(topic: id, index: index) : nil
    }

    public var partitionIDs: [PartitionID] { (0..<partitions).map { PartitionID(topic: id, index: $0) } }

    /// Kafka's rule: 1 to 249 of `[a-zA-Z0-9._-]`, not `.` or `..`.
    public static func problem(withName name: String, limits: Limits) -> String? {
        if name.isEmpty { return "a topic name may not be empty" }
        if name == "." || name == ".." { return "a topic name may not be '.' or '..'" }
        if name.utf8.count > limits.topicNameBytes { return "a topic name may have at most \(limits.topicNameBytes) characters" }
        let legal = name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
            case UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"): true
            default: false
            }
        }
        return legal ? nil : "a topic name may hold only letters, digits, '.', '_' and '-'"
    }
}

/// How a topic is stored on disk (catalog entries are JSON in the store, for people to read).
struct TopicRecord: Codable {
    var id: String
    var name: String
    var partitions: Int32
    var configs: [String: String]
    var createdMs: Int64
    /// What `delay.level` of `configs` stood for when it was set.
    var delayLevelMs: Int64?
}
