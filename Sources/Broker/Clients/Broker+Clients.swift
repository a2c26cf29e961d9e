import Control
import Groups
import Model

/// What operators do to clients.
extension Broker {
    /// Closes a client's connection. A client that reconnects is a new one.
    func killClient(_ id: Int64) throws(ControlError) -> CommandOutcome {
        guard let connection = clients.kill(id) else {
            throw ControlError(.notFound, "there is no client \(id) now; 'weir client ls' lists them")
        }
        let name = connection.told.clientID
        events.add(.warning, "client \(id) \(name) of \(connection.address): connection closed by an operator", at: clock.now)
        return CommandOutcome(message: "client \(id) (\(name.isEmpty ? "unnamed" : name), \(connection.address)): connection closed")
    }

    /// Takes a member out of its group, as if it had been silent for too long: what it held goes to the others, and its connections are
    /// closed. A client that is still there joins again as a new member.
    func removeMember(_ member: String, of group: String) async throws(ControlError) -> CommandOutcome {
        var isRemoved = await withCheckedContinuation { continuation in
            shareCoordinator(of: group).expel(member, from: group) { continuation.resume(returning: $0) }
        }
        if !isRemoved {
            let left = await withCheckedContinuation { continuation in
                coordinator(of: group).leave(group, [LeavingMember(memberID: member)]) { continuation.resume(returning: $0) }
            }
            if case .success(let results) = left { isRemoved = results == [nil] }
        }
        guard isRemoved else { throw ControlError(.notFound, "group \(group) has no member \(member) now") }
        let closed = clients.kill(member: member, of: group)
        events.add(.warning, "group \(group): member \(member) removed by an operator", at: clock.now)
        return CommandOutcome(
            message: "\(group): member \(member) removed, \(closed) connection\(closed == 1 ? "" : "s") closed")
    }
}
