import Broker

/// What operators see of a connection. Names come from clients: what is long is cut, and no more groups are kept than are shown.
extension Connection {
    private static let shownCharacters = 200

    /// The client's name for itself, as each request has it.
    func tell(clientID: String?) {
        guard let clientID, clientID != told.clientID else { return }
        told.clientID = clientID
        client?.tell(clientID: String(clientID.prefix(Self.shownCharacters)))
    }

    /// What the client is made of (KIP-511).
    func tell(software: String, version: String) {
        guard !software.isEmpty else { return }
        let name = version.isEmpty ? software : "\(software) \(version)"
        client?.tell(software: String(name.prefix(Self.shownCharacters)))
    }

    /// The connection carries a group's member; nil: no longer.
    func carries(_ member: String?, of group: String) {
        guard told.members[group] != member, member?.isEmpty != true else { return }
        if let member {
            let limit = door.broker.limits.groupNameBytes
            guard told.members.count < ClientConnection.groupLimit || told.members[group] != nil, group.utf8.count <= limit,
                member.utf8.count <= limit
            else { return }
            client?.joined(group, member: member)
        } else {
            client?.left(group)
        }
        told.members[group] = member
    }
}
