import Broker
import KafkaWire
import Storage

extension PartitionError {
    /// The code a Kafka client understands. Codes that clients retry are used where a retry can help.
    var code: ErrorCode {
        switch self {
        case .unknownPartition: .unknownTopicOrPartition
        case .fencedLeaderEpoch: .fencedLeaderEpoch
        case .unknownLeaderEpoch: .unknownLeaderEpoch
        case .offsetOutOfRange: .offsetOutOfRange
        case .batchTooLarge: .messageTooLarge
        case .outOfOrderSequence: .outOfOrderSequenceNumber
        case .invalidProducerEpoch: .invalidProducerEpoch
        case .unknownProducer: .unknownProducerId
        case .invalidRecord: .invalidRecord
        case .storage, .full: .kafkaStorageError
        case .overLimit, .publishingHeld: .policyViolation
        // What clients try again, without asking for another leader (librdkafka, Java, aiokafka), until their delivery timeout.
        case .held: .notEnoughReplicas
        }
    }

    /// For people; nil where the code says it all.
    var message: String? {
        switch self {
        case .storage(let text), .invalidRecord(let text): text
        case .full: "the disk is full; nothing of this batch was written"
        case .overLimit(let text), .held(let text): text
        case .publishingHeld: "publishing to this queue is held by an operator"
        default: nil
        }
    }
}

extension Catalog.Failure {
    var code: ErrorCode {
        switch self {
        case .exists: .topicAlreadyExists
        case .unknown: .unknownTopicOrPartition
        case .invalidName: .invalidTopic
        case .invalidPartitions: .invalidPartitions
        case .invalidConfig: .invalidConfig
        case .tooMany: .policyViolation
        case .store: .unknownServerError
        }
    }

    func message(_ name: String) -> String {
        switch self {
        case .exists: "Topic '\(name)' already exists."
        case .unknown: "There is no topic '\(name)'."
        case .invalidName(let text), .invalidPartitions(let text), .invalidConfig(let text), .tooMany(let text): text
        case .store(let error): "the catalog could not be written: \(error)"
        }
    }
}
