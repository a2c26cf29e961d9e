import Model
import NIOCore
import Queues
import Storage

/// A queue cursor's name: a share group on one partition. A queue's own group has the queue's name.
public struct ShareKey: Hashable, Sendable {
    public var group: String
    public var partition: PartitionID

    public init(group: String, partition: PartitionID) {
        self.group = group
        self.partition = partition
    }
}

/// One partition's part of a share fetch: acquire up to `maxRecords` messages and read them.
public struct AcquireItem: Sendable {
    public var slot: Int
    public var key: ShareKey
    public var maxBytes: Int

    public init(slot: Int, key: ShareKey, maxBytes: Int) {
        self.slot = slot
        self.key = key
        self.maxBytes = maxBytes
    }
}

/// Messages [first, last] that were acquired together, each for the `deliveryCount`-th time.
public struct AcquiredRange: Equatable, Sendable {
    public var first: Offset
    public var last: Offset
    public var deliveryCount: Int16

    public init(first: Offset, last: Offset, deliveryCount: Int16) {
        self.first = first
        self.last = last
        self.deliveryCount = deliveryCount
    }
}

public struct AcquiredPart: Sendable {
    public var slot: Int
    public var error: ShareError?
    public var acquired: [AcquiredRange] = []
    /// Whole batches that hold all acquired messages and maybe others; nil when none was acquired.
    public var slice: LogSlice?
    public var lockMs: Int64 = 0

    public init(slot: Int, error: ShareError? = nil) {
        self.slot = slot
        self.error = error
    }
}

/// A consumer's answer to messages [first, last] of one cursor.
public struct AcknowledgeItem: Sendable {
    public enum Kind: Int8, Sendable { case gap = 0, accept, release, reject, renew }
    public var slot: Int
    public var key: ShareKey
    public var batches: [Batch]

    public struct Batch: Sendable {
        public var first: Offset
        public var last: Offset
        /// One for all, or one for each offset of the range (KIP-932).
        public var kinds: [Kind]

        public init(first: Offset, last: Offset, kinds: [Kind]) {
            self.first = first
            self.last = last
            self.kinds = kinds
        }
    }

    public init(slot: Int, key: ShareKey, batches: [Batch]) {
        self.slot = slot
        self.key = key
        self.batches = batches
    }
}

public enum ShareError: Error, Equatable, Sendable {
    case unknownPartition
    /// An offset is not acquired by this member (121 INVALID_RECORD_STATE).
    case invalidRecordState
    /// The ranges overlap, go backwards or have a wrong number of kinds.
    case invalidRequest
    case storage(String)
}
