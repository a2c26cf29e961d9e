import Broker

/// What operators see of a connection. Names come from clients: what is long is cut, and no more groups are kept than are shown.
extension Connection {
    /// The client's name for itself, as each request has it. Only what is shown of it is kept.
    func tell(clientID: String?) {
        guard let clientID, clientID != told.clientID else { return }
        let shown = shown(clientID)
        guard shown != told.clientID else { return }
        told.clientID = shown
        client?.tell(clientID: shown)
    }

    private func shown(_ text: String) -> String {
        String(text.unicodeScalars.prefix(door.broker.limits.clientNameCharacters))
    }

    /// What the client is made of (KIP-511).
    func tell(software: String, version: String) {
        guard !software.isEmpty else { return }
        let name = version.isEmpty ? software : "\(software) \(version)"
        client?.tell(software: shown(name))
    }

    /// The connection carries a group's member; nil: no longer.
    func carries(_ member: String?, of group: String) {
        guard told.members[group] != member, member?.isEmpty != true else { return }
        if let member {
            let limits = door.broker.limits
            let limit = limits.groupNameBytes
            guard told.members.count < limits.groupsPerConnection || told.members[group] != nil, group.utf8.count <= limit,
                member.utf8.count <= limit
            else { return }
            client?.joined(group, member: member)
        } else {
            client?.left(group)
        }
        told.members[group] = member
    }
}
