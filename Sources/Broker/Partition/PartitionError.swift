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
    /// Publishers of the whole broker are held; the text says what is short and what to do.
    case held(String)

    /// Refused by a limit or gate, and by nothing that another connection or broker would change.
    public var isAdmission: Bool {
        switch self {
        case .overLimit, .publishingHeld, .held: true
        default: false
        }
    }

    /// For people, without the error's own name where the text says it all.
    var reason: String {
        switch self {
        case .overLimit(let text), .held(let text): text
        case .publishingHeld: "publishing is held by an operator"
        default: "\(self)"
        }
    }
}
