import Model
import Synchronization

/// One client's connection, as its door counts it. Counters are written by the connection's loop and read by anyone; what is told once is
/// behind a lock that is only taken when it changes.
public final class ClientConnection: Sendable {
    /// What a client has told of itself.
    public struct Facts: Equatable, Sendable {
        public var clientID = ""
        /// Name and version, where it has told them.
        public var software: String?
        /// Its member id in each group it has joined over this connection.
        public var members: [String: String] = [:]

        public init() {}
    }

    public let id: Int64
    public let door: String
    public let address: String
    public let since: Timestamp
    public let bytesIn = Atomic<Int64>(0)
    public let bytesOut = Atomic<Int64>(0)
    public let requests = Atomic<Int64>(0)
    public let inFlight = Atomic<Int>(0)
    private let facts = Mutex(Facts())
    private let close: @Sendable () -> Void
    private let groupLimit: Int

    init(
        id: Int64, door: String, address: String, since: Timestamp, limits: Limits, close: @escaping @Sendable () -> Void
    ) {
        groupLimit = limits.groupsPerConnection
        self.id = id
        self.door = door
        self.address = address
        self.since = since
        self.close = close
    }

    public func tell(clientID: String) { facts.withLock { $0.clientID = clientID } }
    public func tell(software: String) { facts.withLock { $0.software = software } }

    /// The connection carries a group's member.
    public func joined(_ group: String, member: String) {
        facts.withLock { facts in
            if facts.members[group] == nil, facts.members.count >= groupLimit { return }
            facts.members[group] = member
        }
    }

    public func left(_ group: String) { facts.withLock { facts in facts.members[group] = nil } }

    public var told: Facts { facts.withLock { $0 } }

    /// Closes it, as the operator wants it gone.
    func kill() { close() }
}
