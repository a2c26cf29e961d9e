import Model

/// A group as the console and the admin APIs see it: a value, taken on its shard's loop.
public struct GroupView: Sendable, Equatable {
    public struct Member: Sendable, Equatable {
        public var id: String
        public var instanceID: String?
        public var clientID: String
        public var clientHost: String
        /// What the leader assigned, as far as the assignment is of the consumer protocol.
        public var partitions: [TopicPartition]

        public init(id: String, instanceID: String?, clientID: String, clientHost: String, partitions: [TopicPartition]) {
            self.id = id
            self.instanceID = instanceID
            self.clientID = clientID
            self.clientHost = clientHost
            self.partitions = partitions
        }
    }

    public struct Committed: Sendable, Equatable {
        public var partition: TopicPartition
        public var offset: Offset
        /// When the commit arrived.
        public var at: Timestamp

        public init(partition: TopicPartition, offset: Offset, at: Timestamp) {
            self.partition = partition
            self.offset = offset
            self.at = at
        }
    }

    public var name: String
    /// Kafka's state names.
    public var state: String
    public var protocolName: String?
    public var members: [Member]
    /// By topic, then partition.
    public var committed: [Committed]

    public init(name: String, state: String, protocolName: String?, members: [Member], committed: [Committed]) {
        self.name = name
        self.state = state
        self.protocolName = protocolName
        self.members = members
        self.committed = committed
    }
}

/// A partition by its topic's name, the way groups know it.
public struct TopicPartition: Hashable, Comparable, Sendable {
    public var topic: String
    public var partition: Int32

    public init(topic: String, partition: Int32) {
        self.topic = topic
        self.partition = partition
    }

    public static func < (left: TopicPartition, right: TopicPartition) -> Bool {
        (left.topic, left.partition) < (right.topic, right.partition)
    }
}
