import Broker
import KafkaWire
import Model
import Synchronization

/// How many fetch sessions are open, over all connections.
final class FetchSessions: Sendable {
    private let limit: Int
    private let open = Atomic<Int>(0)
    private let lastID = Atomic<Int32>(0)

    init(limit: Int) { self.limit = limit }

    /// An id for a new session; nil when there are too many, and the client goes on without.
    func begin() -> Int32? {
        if open.add(1, ordering: .relaxed).newValue > limit {
            open.subtract(1, ordering: .relaxed)
            return nil
        }
        let id = lastID.add(1, ordering: .relaxed).newValue
        return id > 0 ? id : nil
    }

    func end() { open.subtract(1, ordering: .relaxed) }
}

/// What a client asked of one partition, and what it was told last.
struct FetchedPartition {
    var topic: FetchTopicName
    var index: Int32
    var offset: Offset
    var maxBytes: Int
    var leaderEpoch: Int32
    /// Told in the last answer; an incremental answer leaves out what has not changed.
    var highWatermark = Offset(-1)
    var logStart = Offset(-1)
    var hadError = false
}

/// The topic as the request named it: by name up to version 12, by id from 13.
struct FetchTopicName: Hashable {
    var name: String
    var id: TopicID
}

/// An incremental fetch session (KIP-227): the client names only what changes, the broker answers only what has news.
/// It lives and dies with its connection; a client that comes back is told so and begins anew.
///
/// ```
/// session 0, epoch 0, [A, B]   → session 7, answers A and B          expected epoch 1
/// session 7, epoch 1, []       → answers B, which has records        expected epoch 2
/// session 7, epoch 1, []       → INVALID_FETCH_SESSION_EPOCH
/// ```
struct FetchSession {
    struct Key: Hashable {
        var topic: FetchTopicName
        var index: Int32
    }
    let id: Int32
    private(set) var epoch: Int32 = 1
    /// In the order in which partitions were added.
    private(set) var order: [Key] = []
    private var partitions: [Key: FetchedPartition] = [:]

    init(id: Int32, partitions: [FetchedPartition]) {
        self.id = id
        for partition in partitions { update(partition) }
    }

    var all: [FetchedPartition] { order.compactMap { partitions[$0] } }

    mutating func advance() { epoch = epoch == Int32.max ? 1 : epoch + 1 }

    mutating func update(_ partition: FetchedPartition) {
        let key = Key(topic: partition.topic, index: partition.index)
        if var known = partitions[key] {
            known.offset = partition.offset
            known.maxBytes = partition.maxBytes
            known.leaderEpoch = partition.leaderEpoch
            partitions[key] = known
        } else {
            order.append(key)
            partitions[key] = partition
        }
    }

    mutating func forget(_ topic: FetchTopicName, _ index: Int32) {
        let key = Key(topic: topic, index: index)
        if partitions.removeValue(forKey: key) != nil { order.removeAll { $0 == key } }
    }

    /// Notes what a partition is told; false when it is no news and may be left out.
    mutating func tell(_ partition: FetchedPartition, _ answer: FetchResponse.PartitionData, bytes: Int) -> Bool {
        let key = Key(topic: partition.topic, index: partition.index)
        guard var known = partitions[key] else { return true }
        let failed = answer.errorCode != .none
        let isNews =
            bytes > 0 || failed || known.hadError || known.highWatermark.value != answer.highWatermark
            || known.logStart.value != answer.logStartOffset
        known.highWatermark = Offset(answer.highWatermark)
        known.logStart = Offset(answer.logStartOffset)
        known.hadError = failed
        partitions[key] = known
        return isNews
    }
}

/// What a connection remembers between fetches. Used on the connection's loop.
struct FetchState {
    var session: FetchSession?
    /// Where the last fetch of a partition that got records began: the next one shows how many it took.
    var served: [PartitionID: Offset] = [:]
    /// The fetch under way, and those behind it; at most as many as a connection's requests in flight.
    var active: FetchOperation?
    var queued: [(FetchRequest, RequestContext)] = []
    var timerIsSet = false

    mutating func endSession(_ sessions: FetchSessions) {
        guard session != nil else { return }
        session = nil
        sessions.end()
    }
}
