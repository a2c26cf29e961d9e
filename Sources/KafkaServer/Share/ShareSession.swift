import Broker
import KafkaWire
import Model
import Synchronization

/// A share session's name: a member of a share group has one.
struct ShareSessionKey: Hashable, Sendable {
    var group: String
    var member: String
}

/// Which connection has which share session, over all connections of a door. A session lives and dies with its connection; a member
/// that opens one on a new connection takes it away from the old one, whose end then releases nothing.
final class ShareSessions: Sendable {
    private let limit: Int
    private let owners = Mutex<[ShareSessionKey: UInt64]>([:])

    init(limit: Int) { self.limit = limit }

    /// Gives the session to the connection; false when there are too many.
    func begin(_ key: ShareSessionKey, connection: UInt64) -> Bool {
        owners.withLock { owners in
            guard owners[key] != nil || owners.count < limit else { return false }
            owners[key] = connection
            return true
        }
    }

    func owns(_ key: ShareSessionKey, connection: UInt64) -> Bool { owners.withLock { $0[key] == connection } }

    /// Ends the session; false when another connection has it by now.
    func end(_ key: ShareSessionKey, connection: UInt64) -> Bool {
        owners.withLock { owners in
            guard owners[key] == connection else { return false }
            owners[key] = nil
            return true
        }
    }
}

/// The partitions a member fetches from, kept between its requests (KIP-932): each names only what changes.
///
/// ```
/// epoch 0, [A, B]       → opens, fetches A and B        expected 1
/// epoch 1, []           → fetches A and B               expected 2
/// epoch 2, [C], −[A]    → fetches B and C               expected 3
/// epoch 2, []           → INVALID_SHARE_SESSION_EPOCH
/// epoch −1              → closes; what the member holds goes back
/// ```
struct ShareSession {
    private(set) var epoch: Int32 = 1
    /// In the order in which they were added.
    private(set) var partitions: [PartitionID] = []
    private var known: Set<PartitionID> = []
    /// All partitions ever in the session: the member may hold records of ones it has dropped.
    private(set) var touched: Set<PartitionID> = []
    /// How large this session's records are, by the fetches so far: what is read is what the wanted number of records takes, roughly.
    private(set) var recordBytes = 1_024
    /// Where the next fetch begins, so that no partition is always last.
    private var turn = 0

    /// - Parameter touched: what an earlier session of the same member had.
    init(touched: Set<PartitionID> = []) { self.touched = touched }

    mutating func add(_ id: PartitionID) {
        guard known.insert(id).inserted else { return }
        touched.insert(id)
        partitions.append(id)
    }

    mutating func forget(_ ids: Set<PartitionID>) {
        guard !ids.isEmpty else { return }
        partitions.removeAll { ids.contains($0) }
        known.subtract(ids)
    }

    /// Learns from a fetch that got records.
    mutating func learn(records: Int, bytes: Int) {
        guard records > 0 else { return }
        recordBytes = max(1, (3 * recordBytes + bytes / records) / 4)
    }

    mutating func advance() { epoch = epoch == Int32.max ? 1 : epoch + 1 }

    /// The partitions, beginning with another one each time.
    mutating func rotated() -> [PartitionID] {
        guard partitions.count > 1 else { return partitions }
        turn = (turn + 1) % partitions.count
        return Array(partitions[turn...] + partitions[..<turn])
    }
}

/// What a connection keeps of the share groups it serves. Used on the connection's loop.
struct ShareState {
    var sessions: [ShareSessionKey: ShareSession] = [:]
    /// Fetches under way by their waiter's number; at most as many as a connection's requests in flight.
    var fetches: [UInt64: ShareFetchOperation] = [:]
    /// When the one timer of the connection rings; nil when it is not set.
    var timerAt: Monotonic?
}

extension Connection {
    /// Ends a share session and gives back what its member holds.
    /// - Parameter wasLost: the connection ended before the session: the records have used up an attempt.
    func endShareSession(_ key: ShareSessionKey, wasLost: Bool) {
        guard let session = shareState.sessions.removeValue(forKey: key) else { return }
        guard door.shareSessions.end(key, connection: number) else { return }
        let broker = door.broker
        var keys: [[ShareKey]] = Array(repeating: [], count: broker.shards.count)
        for id in session.touched { keys[broker.shard(of: id).id.value].append(ShareKey(group: key.group, partition: id)) }
        for (shard, keys) in zip(broker.shards, keys) where !keys.isEmpty {
            shard.releaseShare(member: key.member, keys: keys, wasLost: wasLost)
        }
    }

    /// The connection is gone: so are its fetches and sessions.
    func endShares() {
        for fetch in shareState.fetches.values { fetch.cancel() }
        shareState.fetches = [:]
        for key in Array(shareState.sessions.keys) { endShareSession(key, wasLost: true) }
    }
}
