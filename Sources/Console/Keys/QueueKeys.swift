import Control
import Terminal

/// Keys that change queues.
extension ConsoleModel {
    /// The queue that a line of the overview is about.
    private var overviewQueue: String? {
        guard let shown else { return nil }
        if overview.pane == .attention {
            guard shown.attention.indices.contains(overview.attention.cursor) else { return nil }
            let line = shown.attention[overview.attention.cursor]
            return ["queues", "dead"].contains(line.screen) && !line.select.isEmpty ? line.select : nil
        }
        let rows = BacklogRow.rows(shown)
        guard rows.indices.contains(overview.backlog.cursor), rows[overview.backlog.cursor].isQueue else { return nil }
        return rows[overview.backlog.cursor].name
    }

    /// The queues that a key means: the opened one, the marked ones, or the one under the cursor.
    var queueTargets: [String] {
        switch screen {
        case .overview: return overviewQueue.map { [$0] } ?? []
        case .queues where queues.opened == nil && !queues.list.marks.isEmpty: return queues.list.marks.sorted()
        case .queues, .dead: return selected.map { [$0] } ?? []
        case .delay: return (delayQueue ?? messageUnderCursor?.queue).map { [$0] } ?? []
        default: return []
        }
    }

    func queueRow(_ name: String) -> QueueRow? {
        if let detail = live?.queue?.row, detail.name == name { return detail }
        return live?.queues.rows.first { $0.name == name }
    }

    // MARK: purge, delete, declare

    mutating func openPurgeQueues(_ names: [String], delayed isDelayed: Bool = false) {
        guard let first = names.first else { return }
        let rows = names.compactMap(queueRow)
        let (ready, waiting) = (rows.reduce(Int64(0)) { $0 + $1.ready }, rows.reduce(Int64(0)) { $0 + $1.waiting })
        let delayed = rows.reduce(Int64(0)) { $0 + $1.delayed }
        let expected = names.count == 1 ? first : "\(names.count) queues"
        var notes = names.count > 1 ? [Note(names.prefix(6).joined(separator: ", ") + (names.count > 6 ? " and more" : ""), .mark)] : []
        let counts =
            rows.count == names.count
            ? "\(Short.exact(ready)) ready and \(Short.exact(waiting - delayed)) retrying messages" : "all ready and retrying messages"
        notes.append(Note("Takes \(counts) out of the way."))
        notes.append(Note("u brings them back, until retention removes them (10 minutes at least).", .ok))
        var fields: [Form.Field] = [.text("name", "Type \(expected)", hint: "to confirm")]
        if delayed > 0 || isDelayed {
            let which = rows.count == names.count ? "the \(Short.exact(delayed)) delayed ones" : "the delayed ones"
            fields.append(.check("delayed", "", isDelayed, after: "cancel \(which) too, for good"))
        }
        dialog = Dialog(
            kind: .form(.purge(queues: names, expected: expected)), title: "Purge \(expected)", notes: notes,
            form: Form(fields: fields, buttons: [.init(label: "Purge", hotkey: "S")]))
        updateForm()
    }

    mutating func openDeleteQueues(_ names: [String]) {
        let rows = names.compactMap(queueRow)
        let messages = rows.reduce(Int64(0)) { $0 + $1.ready + $1.unacked + $1.waiting }
        let consumers = rows.reduce(0) { $0 + $1.consumers }
        openConfirm(
            verb: "Delete", noun: "queue", names: names, commands: names.map { .queue(.delete(queue: $0)) }, button: "Delete"
        ) {
            [
                rows.count == names.count
                    ? Note("Deletes \(Short.counted(names.count, "queue")) with \(Short.counted(messages, "message")).")
                    : Note("Deletes \(Short.counted(names.count, "queue")) with all messages."),
                consumers > 0
                    ? Note(
                        "\(Short.counted(consumers, "consumer")) \(consumers == 1 ? "works" : "work") on it now. This can't be undone.",
                        .warn)
                    : Note("This can't be undone.", .warn),
            ]
        }
    }

    mutating func openDeclare(name: String = "") {
        dialog = Dialog(
            kind: .form(.declare), title: "Declare a queue", notes: [],
            form: SettingsForm.form(.queue, name: name, given: ["dead.letter": "auto"], levels: delayLevels))
        updateForm()
    }

    mutating func openWrite(_ queue: String) {
        dialog = Dialog(
            kind: .form(.write(queue: queue)), title: "Write a message to \(queue)", notes: [],
            form: Form(
                fields: [
                    .text("value", "Value", hint: "text"), .text("key", "Key", hint: "none when empty"),
                    .text("headers", "Headers", hint: "NAME=VALUE NAME=VALUE"), .text("delay", "Delay", hint: "10s, 1h30m"),
                ], buttons: [.init(label: "Write", hotkey: "S")]))
        updateForm()
    }

    // MARK: gates

    /// Holds or resumes a gate of the targets: one key, and `u` takes it back.
    mutating func toggleGate(_ gate: QueueCommand.Gate, _ names: [String]) -> [Effect] {
        let rows = names.compactMap(queueRow)
        guard rows.count == names.count, !rows.isEmpty else {
            say("not known here whether it is held: select it on 2 Queues, or `:queue hold NAME`", .warn)
            return []
        }
        func isHeld(_ row: QueueRow) -> Bool { gate == .delivery ? row.held : row.blocked }
        let holds = rows.contains { !isHeld($0) }
        return rows.filter { isHeld($0) != holds }.map { perform(.queue(.gate(queue: $0.name, gate, held: holds))) }
    }

    // MARK: jobs

    mutating func cancelJob() -> [Effect] {
        let row = screen == .jobs ? shown?.jobs.rows.first { String($0.id) == selected } : jobLine
        guard let row else {
            say("no job is running", .dim)
            return []
        }
        guard row.isActive else {
            say("job \(row.id) is over (\(row.state.rawValue))", .dim)
            return []
        }
        return [perform(.queue(.cancelJob(id: row.id)))]
    }
}
