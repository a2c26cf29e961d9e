import Model
import NIOCore

/// A JoinGroup request. For versions without a rebalance timeout (0) give the session timeout.
public struct JoinRequest: Equatable, Sendable {
    /// Empty for a member that has none yet.
    public var memberID: String
    public var instanceID: String?
    public var clientID: String
    public var clientHost: String
    public var sessionTimeoutMs: Int32
    public var rebalanceTimeoutMs: Int32
    public var protocolType: String
    /// In order of preference.
    public var protocols: [GroupProtocol]
    /// Subscription bytes, over all protocols.
    var metadataBytes: Int { protocols.reduce(0) { $0 + $1.metadata.readableBytes } }
    /// At least every name once, and none too long to be told to everybody.
    func hasSoundProtocols(_ limits: Limits) -> Bool {
        let names = [protocolType] + protocols.map(\.name)
        return protocols.count <= limits.protocolsPerMember && Set(names.dropFirst()).count == protocols.count
            && names.allSatisfy { $0.utf8.count <= limits.groupNameBytes }
    }

    /// Version 4 and later: a dynamic member must come back with the id it is given (KIP-394).
    public var requiresMemberID: Bool
    /// Version 9 and later: a static leader that returns to a stable group is told not to assign again (KIP-814).
    public var supportsSkippingAssignment: Bool

    public init(
        memberID: String, instanceID: String? = nil, clientID: String, clientHost: String, sessionTimeoutMs: Int32,
        rebalanceTimeoutMs: Int32, protocolType: String, protocols: [GroupProtocol], requiresMemberID: Bool = true,
        supportsSkippingAssignment: Bool = true
    ) {
        self.memberID = memberID
        self.instanceID = instanceID
        self.clientID = clientID
        self.clientHost = clientHost
        self.sessionTimeoutMs = sessionTimeoutMs
        self.rebalanceTimeoutMs = rebalanceTimeoutMs
        self.protocolType = protocolType
        self.protocols = protocols
        self.requiresMemberID = requiresMemberID
        self.supportsSkippingAssignment = supportsSkippingAssignment
    }
}

/// Answer to a join. Without error, `members` is filled for the leader alone.
public struct JoinAnswer: Equatable, Sendable {
    public struct Member: Equatable, Sendable {
        public var id: String
        public var instanceID: String?
        public var metadata: ByteBuffer
    }
    public var error: GroupError?
    public var generation: Int32 = -1
    public var protocolType: String?
    public var protocolName: String?
    public var leader = ""
    public var memberID: String
    public var members: [Member] = []
    public var skipAssignment = false

    public init(error: GroupError? = nil, memberID: String) {
        self.error = error
        self.memberID = memberID
    }
}

/// A SyncGroup request; only the leader's carries assignments.
public struct SyncRequest: Equatable, Sendable {
    public var memberID: String
    public var instanceID: String?
    public var generation: Int32
    /// Version 5 and later; must agree with the group's where both are known.
    public var protocolType: String?
    public var protocolName: String?
    public var assignments: [(memberID: String, assignment: ByteBuffer)]

    public init(
        memberID: String, instanceID: String? = nil, generation: Int32, protocolType: String? = nil, protocolName: String? = nil,
        assignments: [(memberID: String, assignment: ByteBuffer)] = []
    ) {
        self.memberID = memberID
        self.instanceID = instanceID
        self.generation = generation
        self.protocolType = protocolType
        self.protocolName = protocolName
        self.assignments = assignments
    }

    public static func == (left: SyncRequest, right: SyncRequest) -> Bool {
        left.memberID == right.memberID && left.instanceID == right.instanceID && left.generation == right.generation
            && left.protocolType == right.protocolType && left.protocolName == right.protocolName
            && left.assignments.elementsEqual(right.assignments) { $0 == $1 }
    }
}

public struct SyncAnswer: Equatable, Sendable {
    public var error: GroupError?
    public var protocolType: String?
    public var protocolName: String?
    public var assignment = ByteBuffer()

    public init(error: GroupError?) { self.error = error }
}

/// One member of a LeaveGroup request; an administrator removes a static member by its instance id alone.
public struct LeavingMember: Equatable, Sendable {
    public var memberID: String
    public var instanceID: String?

    public init(memberID: String, instanceID: String? = nil) {
        self.memberID = memberID
        self.instanceID = instanceID
    }
}

/// Something the owner must do once the facts of the same step are as durable as it wants them.
public enum GroupEffect: Equatable, Sendable {
    case join(ticket: Int, JoinAnswer)
    case sync(ticket: Int, SyncAnswer)
}

/// What one command led to: facts to log, then answers to give.
public struct GroupStep: Equatable, Sendable {
    public var facts: [GroupFact] = []
    public var effects: [GroupEffect] = []

    public init() {}

    mutating func answer(_ ticket: Int, _ answer: JoinAnswer) { effects.append(.join(ticket: ticket, answer)) }
    mutating func answer(_ ticket: Int, _ answer: SyncAnswer) { effects.append(.sync(ticket: ticket, answer)) }
}
