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

    /// Takes a member out of its group, as if it had been silent for too long: what it held goes to the others, and the connections that
    /// carry it are closed. A client that is still there joins again as a new member. Of a share group's member that has left already, what
    /// it still holds is given back.
    func removeMember(_ member: String, of group: String) async throws(ControlError) -> CommandOutcome {
        if await expel(member, from: group) { return removed(member, of: group, others: "") }
        let left = await withCheckedContinuation { continuation in
            coordinator(of: group).leave(group, [LeavingMember(memberID: member)]) { continuation.resume(returning: $0) }
        }
        if case .success(let results) = left, results == [nil] {
            // Only its connection to the coordinator tells which member it is.
            return removed(member, of: group, others: "; others of the client, by which it fetches, stay open")
        }
        let held = await releaseAll(of: member, in: group)
        guard held > 0 else { throw ControlError(.notFound, "group \(group) has no member \(member) now, and nobody holds messages as it") }
        let text = "\(held) message\(held == 1 ? "" : "s") that \(member) held given back; it had left before"
        events.add(.warning, "group \(group): \(text)", at: clock.now)
        return CommandOutcome(message: "\(group): \(text)")
    }

    private func removed(_ member: String, of group: String, others: String) -> CommandOutcome {
        let closed = clients.kill(member: member, of: group)
        events.add(.warning, "group \(group): member \(member) removed by an operator", at: clock.now)
        return CommandOutcome(
            message: "\(group): member \(member) removed, \(closed) connection\(closed == 1 ? "" : "s") closed\(closed > 0 ? others : "")")
    }

    /// Gives back what is held in a member's name on the group's cursors, as if it were lost; how many messages.
    private func releaseAll(of member: String, in group: String) async -> Int64 {
        var held: Int64 = 0
        for shard in shards {
            let (keys, count) = await shard.ask { shard -> ([ShareKey], Int64) in
                var keys: [ShareKey] = []
                var count: Int64 = 0
                for (key, cursor) in shard.cursors?.cursors ?? [:] where key.group == group {
                    guard let holder = cursor.machine.holders.first(where: { $0.member == member }) else { continue }
                    keys.append(key)
                    count += holder.held
                }
                return (keys, count)
            }
            if !keys.isEmpty { shard.releaseShare(member: member, keys: keys, wasLost: true) }
            held += count
        }
        return held
    }
}
