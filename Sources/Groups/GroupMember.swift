import Model
import NIOCore

/// One assignment strategy a member offers, with what it subscribes to; the bytes are the client's own.
public struct GroupProtocol: Equatable, Sendable {
    public var name: String
    public var metadata: ByteBuffer

    public init(name: String, metadata: ByteBuffer) {
        self.name = name
        self.metadata = metadata
    }
}

/// A member of a group: what it said when it joined, what it was assigned, and what it waits for.
public struct GroupMember: Equatable, Sendable {
    public internal(set) var id: String
    /// Set for a static member (KIP-345): it may come back with a new id and keep its assignment.
    public internal(set) var instanceID: String?
    public internal(set) var clientID: String
    public internal(set) var clientHost: String
    public internal(set) var sessionTimeoutMs: Int32
    public internal(set) var rebalanceTimeoutMs: Int32
    /// In order of preference.
    public internal(set) var protocols: [GroupProtocol]
    public internal(set) var assignment = ByteBuffer()

    // What is not logged.

    /// Has not yet been in a finished generation, so it can't send heartbeats and may expire while its join waits.
    var isNew = false
    /// The caller's token of a join or sync that waits for its answer.
    var joinTicket: Int?
    var syncTicket: Int?
    /// When the member is given up; nil while a waiting request vouches for it.
    var expiresAt: Monotonic?

    /// Waiting members need no heartbeat; a new one can be given up even so.
    var vouchedFor: Bool { !isNew && (joinTicket != nil || syncTicket != nil) }

    /// A member without its subscription and assignment, roughly.
    static let overheadBytes = 512

    /// What the member takes in memory.
    var metadataBytes: Int { protocols.reduce(assignment.readableBytes + Self.overheadBytes) { $0 + $1.metadata.readableBytes } }

    func metadata(for name: String?) -> ByteBuffer {
        protocols.first { $0.name == name }?.metadata ?? ByteBuffer()
    }
}
