import Model
import NIOCore

/// A line of ListGroups.
public struct GroupListing: Equatable, Sendable {
    public var id: String
    /// Empty for a group that only stores offsets.
    public var protocolType: String
    public var state: GroupState
}

/// A group as DescribeGroups shows it: protocol, metadata and assignments only while Stable.
public struct GroupDescription: Equatable, Sendable {
    public struct Member: Equatable, Sendable {
        public var id: String
        public var instanceID: String?
        public var clientID: String
        public var clientHost: String
        public var metadata: ByteBuffer
        public var assignment: ByteBuffer
    }
    public var id: String
    public var state: GroupState
    public var protocolType: String
    public var protocolName: String
    public var members: [Member]
}

extension Group {
    public var listing: GroupListing { GroupListing(id: id, protocolType: protocolType ?? "", state: state) }

    public var description: GroupDescription {
        let isStable = state == .stable
        return GroupDescription(
            id: id, state: state, protocolType: protocolType ?? "", protocolName: isStable ? protocolName ?? "" : "",
            members: members.values.map {
                GroupDescription.Member(
                    id: $0.id, instanceID: $0.instanceID, clientID: $0.clientID, clientHost: $0.clientHost,
                    metadata: isStable ? $0.metadata(for: protocolName) : ByteBuffer(),
                    assignment: isStable ? $0.assignment : ByteBuffer())
            })
    }
}
