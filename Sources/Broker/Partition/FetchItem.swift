import Model
import NIOCore
import Storage
import Synchronization

/// One partition's part of a fetch.
public struct FetchItem: Sendable {
    /// Where the answer goes in the request.
    public var slot: Int
    public var partition: PartitionID
    public var offset: Offset
    public var maxBytes: Int
    /// −1: the client does not say.
    public var leaderEpoch: Int32
    /// Records that the reader has moved past since its last fetch here; counted as delivered.
    public var advanced: Int64

    public init(slot: Int, partition: PartitionID, offset: Offset, maxBytes: Int, leaderEpoch: Int32 = -1, advanced: Int64 = 0) {
        self.slot = slot
        self.partition = partition
        self.offset = offset
        self.maxBytes = maxBytes
        self.leaderEpoch = leaderEpoch
        self.advanced = advanced
    }
}

/// What one partition answers.
public struct FetchPart: Sendable {
    public var slot: Int
    public var error: PartitionError?
    public var highWatermark: Offset
    public var logStart: Offset
    /// nil when there is nothing to read.
    public var slice: LogSlice?

    init(slot: Int, error: PartitionError? = nil, highWatermark: Offset = Offset(-1), logStart: Offset = Offset(-1), slice: LogSlice? = nil)
    {
        self.slot = slot
        self.error = error
        self.highWatermark = highWatermark
        self.logStart = logStart
        self.slice = slice
    }
}

/// Someone who waits for more records. Woken at most once; wakes may come from any shard.
public final class FetchWaiter: Sendable {
    public let id: UInt64
    private let fired = Atomic(false)
    private let onWake: @Sendable () -> Void

    /// - Parameter id: unique among waiters (a connection's number): registering again replaces.
    public init(id: UInt64, onWake: @escaping @Sendable () -> Void) {
        self.id = id
        self.onWake = onWake
    }

    func wake() {
        if !fired.exchange(true, ordering: .acquiringAndReleasing) { onWake() }
    }
}
