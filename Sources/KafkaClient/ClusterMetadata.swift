import KafkaWire
import Model
import Wire

/// What the cluster last said about itself.
public struct ClusterMetadata: Sendable {
    public struct Partition: Sendable, Equatable {
        public var index: Int32
        /// Nil while there is none.
        public var leader: Int32?
        public var leaderEpoch: Int32
    }

    public struct Topic: Sendable {
        public var name: String
        public var id: TopicID
        /// By index, without gaps.
        public var partitions: [Partition]
        /// Why the topic cannot be used; `.none` when it can.
        public var error: ErrorCode
    }

    public var clusterID: String?
    public var controllerID: Int32?
    public var brokers: [Int32: HostPort] = [:]
    public var topics: [String: Topic] = [:]

    init() {}

    /// Takes over an answer: brokers whole, topics one by one.
    mutating func merge(_ response: MetadataResponse, all: Bool) {
        clusterID = response.clusterId
        controllerID = response.controllerId >= 0 ? response.controllerId : nil
        brokers = [:]
        for broker in response.brokers { brokers[broker.nodeId] = HostPort(host: broker.host, wirePort: broker.port) }
        if all { topics = [:] }
        for topic in response.topics {
            guard let name = topic.name else { continue }
            let partitions = topic.partitions.map {
                Partition(index: $0.partitionIndex, leader: $0.leaderId >= 0 ? $0.leaderId : nil, leaderEpoch: $0.leaderEpoch)
            }
            topics[name] = Topic(
                name: name, id: TopicID(topic.topicId), partitions: partitions.sorted { $0.index < $1.index }, error: topic.errorCode)
        }
    }

    public func leader(_ topic: String, _ partition: Int32) -> Int32? {
        topics[topic]?.partitions.first { $0.index == partition }?.leader
    }
}
