import Control

/// Something done from this console that `u` takes back.
struct UndoStep: Equatable, Sendable {
    /// What was done: `purged 1,204 messages of orders`.
    var text: String
    var command: QueueCommand

    /// Steps kept; older ones are in the audit log.
    static let capacity = 50
}

extension ConsoleModel {
    mutating func remember(_ step: UndoStep) {
        undos.append(step)
        if undos.count > UndoStep.capacity { undos.removeFirst() }
    }

    /// What `u` means here: the audit line under the cursor, else the last thing done from this console, else what the queue shown offers.
    func undoStep() -> UndoStep? {
        if screen == .audit, let row = shown.flatMap({ audit.list.row(in: $0.audit) }) {
            return row.undo.map { UndoStep(text: row.outcome, command: .undo(id: $0)) }
        }
        if let last = undos.last { return last }
        guard screen == .queues, let offered = queueDetail?.undos.first else { return nil }
        return UndoStep(text: offered.text, command: .undo(id: offered.id))
    }

    mutating func undo() -> [Effect] {
        guard mayMutate() else { return [] }
        guard let step = undoStep() else {
            let selected = shown.flatMap { audit.list.row(in: $0.audit) }
            say(
                screen == .audit && selected != nil ? "this can't be undone any more" : "nothing to undo here; 9 Audit lists what was done",
                .dim)
            return []
        }
        undos.removeAll { $0.command == step.command }
        lastCommandID += 1
        pending[lastCommandID] = .undo(step)
        say("undoing: \(step.text)", .dim)
        return [.perform(.queue(step.command), id: lastCommandID)]
    }
}
