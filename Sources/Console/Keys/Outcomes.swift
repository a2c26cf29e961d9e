import Control
import Terminal

/// Sending commands, and what comes of them.
extension ConsoleModel {
    mutating func perform(_ command: Command) -> Effect {
        lastCommandID += 1
        pending[lastCommandID] = .action(command)
        return .perform(command, id: lastCommandID)
    }

    /// Takes the broker's answer to a command.
    public mutating func handleOutcome(_ result: Result<CommandOutcome, ControlError>, id: Int, nowMs: Int64) -> [Effect] {
        self.nowMs = nowMs
        switch (pending.removeValue(forKey: id), result) {
        case (.preview(let asked), _): takePreview(asked, result)
        case (.dryRun(let asked), _): return takeCount(asked, result)
        case (.action(let command), .success(let outcome)): take(outcome, of: command)
        case (.undo, .success(let outcome)): say(outcome.message, .ok)
        case (.undo(let step), .failure(let error)):
            // Out of reach is not refused: it can be tried again.
            if error.code == .unreachable { remember(step) }
            say(error.message, .crit)
        case (.action, .failure(let error)): say(error.message, .crit)
        case (nil, _): break
        }
        return [.fetch]
    }

    private mutating func take(_ outcome: CommandOutcome, of command: Command) {
        var text = outcome.message
        if let job = outcome.job { watchedJob = job }
        if let undo = outcome.undo {
            remember(UndoStep(text: outcome.message, command: .undo(id: undo)))
        } else if case .queue(.gate(let queue, let gate, let held)) = command {
            remember(UndoStep(text: outcome.message, command: .gate(queue: queue, gate, held: !held)))
        } else {
            say(text, .ok)
            return clearMarks()
        }
        text += "   u undoes"
        say(text, .ok)
        clearMarks()
    }

    /// Marks have served once nothing is under way any more.
    private mutating func clearMarks() {
        guard !pending.values.contains(where: { if case .action = $0 { true } else { false } }) else { return }
        changeBrowse {
            $0.list.marks = []
            $0.messages.marks = []
        }
    }
}
