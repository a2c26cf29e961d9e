import Model

/// A topic as an assignment sees it.
public struct ShareTopic: Equatable, Sendable {
    public var id: TopicID
    public var partitions: Int32
    /// Its partitions are priorities: every member reads them all.
    public var isReadWhole: Bool

    public init(id: TopicID, partitions: Int32, isReadWhole: Bool = false) {
        self.id = id
        self.partitions = partitions
        self.isReadWhole = isReadWhole
    }
}

/// Partitions of one topic that a member reads, ascending.
public struct ShareAssignment: Equatable, Sendable {
    public var topic: String
    public var id: TopicID
    public var partitions: [Int32]

    public init(topic: String, id: TopicID, partitions: [Int32]) {
        self.topic = topic
        self.id = id
        self.partitions = partitions
    }
}

/// A member of a share group.
public struct ShareMember: Equatable, Sendable {
    public internal(set) var id: String
    public internal(set) var clientID: String
    public internal(set) var clientHost: String
    public internal(set) var rackID: String?
    /// Told to it last; and the one before.
    public internal(set) var epoch: Int32 = 0
    public internal(set) var previousEpoch: Int32 = 0
    /// Subscribed topics, sorted.
    public internal(set) var topics: [String] = []
    /// By topic.
    public internal(set) var assignment: [ShareAssignment] = []
    /// Whether its last answer carried ``assignment``.
    var isTold = false
    var expiresAt = Monotonic(ns: 0)

    init(id: String, clientID: String, clientHost: String) {
        self.id = id
        self.clientID = clientID
        self.clientHost = clientHost
    }
}

/// A ShareGroupHeartbeat request.
public struct ShareHeartbeat: Equatable, Sendable {
    public static let joins: Int32 = 0
    public static let leaves: Int32 = -1

    public var memberID: String
    public var epoch: Int32
    public var rackID: String?
    /// nil when unchanged.
    public var topics: [String]?
    public var clientID: String
    public var clientHost: String

    public init(memberID: String, epoch: Int32, rackID: String? = nil, topics: [String]? = nil, clientID: String, clientHost: String) {
        self.memberID = memberID
        self.epoch = epoch
        self.rackID = rackID
        self.topics = topics
        self.clientID = clientID
        self.clientHost = clientHost
    }
}

public struct ShareHeartbeatAnswer: Equatable, Sendable {
    public var memberID: String
    public var epoch: Int32
    public var error: ShareGroupError?
    /// For people; set with an error.
    public var message: String?
    /// nil when the member knows it already.
    public var assignment: [ShareAssignment]?

    public init(memberID: String, epoch: Int32, error: ShareGroupError? = nil, message: String? = nil) {
        self.memberID = memberID
        self.epoch = epoch
        self.error = error
        self.message = message
    }
}

/// What a share group answers instead of success. The raw value is Kafka's error code.
public enum ShareGroupError: Int16, Error, Equatable, Sendable {
    case coordinatorNotAvailable = 15
    case invalidGroupID = 24
    case unknownMemberID = 25
    case invalidRequest = 42
    case nonEmptyGroup = 68
    /// There is no such share group; a group of this name may be of another type.
    case groupIDNotFound = 69
    case groupMaxSizeReached = 81
    case fencedMemberEpoch = 110
}
