/// What a group answers instead of success. The raw value is Kafka's error code.
public enum GroupError: Int16, Error, Equatable, Sendable {
    /// What was decided does not fit into the log.
    case unknownServerError = -1
    case offsetMetadataTooLarge = 12
    case coordinatorNotAvailable = 15
    case illegalGeneration = 22
    /// The member's protocol type or strategies have nothing in common with the group's.
    case inconsistentGroupProtocol = 23
    case invalidGroupID = 24
    case unknownMemberID = 25
    case invalidSessionTimeout = 26
    case rebalanceInProgress = 27
    /// The group has committed offsets for as many partitions as it may.
    case invalidCommitOffsetSize = 28
    /// A value that makes no sense, as a negative offset.
    case invalidRequest = 42
    case nonEmptyGroup = 68
    case groupIDNotFound = 69
    /// Join again with the member id given (KIP-394).
    case memberIDRequired = 79
    case groupMaxSizeReached = 81
    /// Another member has taken this static member's name (KIP-345).
    case fencedInstanceID = 82
    case groupSubscribedToTopic = 86
}
