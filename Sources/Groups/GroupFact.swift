import Model
import NIOCore

/// What a group has decided and must not forget. Facts are whole values, not differences: the last one of a key wins, so that
/// a log of them can be replayed from any snapshot, or compacted by key.
public enum GroupFact: Equatable, Sendable {
    case offsetCommitted(group: String, topic: String, partition: Int32, CommittedOffset)
    case offsetDeleted(group: String, topic: String, partition: Int32)
    /// A generation: written when a leader's assignment arrives, when the last member goes and when a static member is replaced.
    case generation(GroupGeneration)
    case groupDeleted(group: String)

    public var group: String {
        switch self {
        case .offsetCommitted(let group, _, _, _), .offsetDeleted(let group, _, _), .groupDeleted(let group): group
        case .generation(let generation): generation.group
        }
    }
}

/// A group's position in one partition, as a member committed it.
public struct CommittedOffset: Equatable, Sendable {
    /// The next record to read.
    public var offset: Offset
    /// −1 when the client did not say.
    public var leaderEpoch: Int32
    public var metadata: String
    /// Broker's wall time of the commit.
    public var committedAt: Timestamp

    public init(offset: Offset, leaderEpoch: Int32 = -1, metadata: String = "", committedAt: Timestamp) {
        self.offset = offset
        self.leaderEpoch = leaderEpoch
        self.metadata = metadata
        self.committedAt = committedAt
    }
}

/// A group's generation as it is logged: enough for its members to go on after a restart without a rebalance.
public struct GroupGeneration: Equatable, Sendable {
    public struct Member: Equatable, Sendable {
        public var id: String
        public var instanceID: String?
        public var clientID: String
        public var clientHost: String
        public var sessionTimeoutMs: Int32
        public var rebalanceTimeoutMs: Int32
        /// What the member subscribes to, in the chosen protocol's form.
        public var subscription: ByteBuffer
        public var assignment: ByteBuffer
    }
    public var group: String
    public var generation: Int32
    /// nil for a group that only stores offsets.
    public var protocolType: String?
    public var protocolName: String?
    public var leader: String?
    /// Wall time at which the group came into this state.
    public var since: Timestamp
    public var members: [Member]
}
