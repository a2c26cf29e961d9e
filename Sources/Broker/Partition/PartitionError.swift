import Model

/// Why a partition refused a batch or a read. Doors map these to their protocol's codes.
public enum PartitionError: Error, Equatable, Sendable {
    case unknownPartition
    /// The request's leader epoch is older than this broker's.
    case fencedLeaderEpoch
    /// The request's leader epoch is newer than this broker's.
    case unknownLeaderEpoch
    case offsetOutOfRange
    case batchTooLarge
    case outOfOrderSequence
    case invalidProducerEpoch
    case unknownProducer
    /// The records can't be taken as they are; why, for people.
    case invalidRecord(String)
    /// The log refused; retry after a look at what the text says.
    case storage(String)
    /// No space for the append.
    case full
    /// A queue's admission limit is reached; the text says which.
    case overLimit(String)
    /// An operator holds publishing to this queue.
    case publishingHeld

    /// Refused by a queue's limits or gate, and by nothing that another connection or broker would change.
    public var isAdmission: Bool {
        switch self {
        case .overLimit, .publishingHeld: true
        default: false
        }
    }
}
