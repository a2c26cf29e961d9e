import Control
import Terminal

/// `K`: closes a client's connection, or takes a member out of its group.
extension ConsoleModel {
    /// What `K` is about here.
    private enum Victim {
        case client(ClientRow)
        /// Marked ones.
        case clients([Int64])
        case member(group: String, id: String, client: String, held: Int64?)
    }

    private var victim: Victim? {
        switch screen {
        case .clients:
            let marks = clients.opened == nil ? clients.list.marks : []
            if marks.count > 1 { return .clients(marks.compactMap { Int64($0) }.sorted()) }
            let id = marks.first ?? selected
            return shown?.clients.rows.first { String($0.id) == id }.map { .client($0) }
        case .queues where queues.opened != nil && queues.tab == 1:
            guard let detail = queueDetail, detail.consumers.indices.contains(queues.detail.cursor) else { return nil }
            let row = detail.consumers[queues.detail.cursor]
            return .member(group: Self.group(ofQueue: detail.row.name), id: row.id, client: row.client, held: row.unacked)
        case .groups where groups.opened != nil && groups.tab == 1:
            guard let detail = groupDetail, detail.members.indices.contains(groups.detail.cursor) else { return nil }
            let row = detail.members[groups.detail.cursor]
            return .member(group: detail.row.group, id: row.id, client: row.client, held: nil)
        default: return nil
        }
    }

    /// `orders` is its own group, `billing@orders` the group billing: a topic's name has no `@`.
    static func group(ofQueue name: String) -> String { name.lastIndex(of: "@").map { String(name[..<$0]) } ?? name }

    mutating func openKill() {
        switch victim {
        case .client(let row):
            openKill(
                title: "Kill client \(row.id)", commands: [.killClient(id: row.id)],
                notes: [
                    Note("Closes the connection of \(row.client.isEmpty ? "a client without a name" : row.client) at \(row.address)."),
                    Note("What it had not been answered is lost to it; a client that lives connects again.", .warn),
                ])
        case .clients(let ids):
            let rows = ids.compactMap { id in shown?.clients.rows.first { $0.id == id } }
            let known = rows.prefix(6).map { $0.client.isEmpty ? "\($0.id)" : $0.client }.joined(separator: ", ")
            openKill(
                title: "Kill \(ids.count) clients", commands: ids.map { .killClient(id: $0) },
                notes: (known.isEmpty ? [] : [Note(ids.count > 6 ? "\(known) and more" : known, .mark)]) + [
                    Note("Closes \(Short.counted(ids.count, "connection"))."),
                    Note("What they had not been answered is lost to them; clients that live connect again.", .warn),
                ])
        case .member(let group, let id, let client, let held):
            var notes = [Note("Takes \(client.isEmpty ? id : "\(client) (\(id))") out of the group and closes its connection.")]
            if let held, held > 0 {
                notes.append(Note("The \(Short.counted(held, "message")) it holds go to others, and have used up an attempt.", .warn))
            }
            notes.append(Note("A client that lives joins again as a new member.", .dim))
            openKill(title: "Kill 1 member of \(group)", commands: [.removeMember(group: group, member: id)], notes: notes)
        case nil: say("K kills a client (7), a queue's consumer (2, enter, Tab) or a group's member (4, enter, Tab)", .dim)
        }
    }

    mutating func openKill(title: String, commands: [Command], notes: [Note]) {
        dialog = Dialog(
            kind: .form(.commands(commands, expected: "")), title: title, notes: notes,
            form: Form(fields: [], buttons: [.init(label: "Kill", hotkey: "S")]))
        updateForm()
    }
}
