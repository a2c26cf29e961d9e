import Model

/// What operators ask for and are told.
extension Oracle {
    func redriveAsked(of queue: String) {
        wasRedriven = true
        for index in messages.indices where messages[index].topic == queue && messages[index].end == .sure(.rejected) {
            messages[index].end = .maybe(.rejected)
        }
    }

    func replayAsked() {
        replays += 1
        replaying += 1
        delivered = [:]
        for index in messages.indices {
            if case .sure(let end) = messages[index].end { messages[index].end = .maybe(end) }
            messages[index].notBefore = nil
        }
    }

    func retriesEdited() {
        editingRetries += 1
        for index in messages.indices { messages[index].notBefore = nil }
    }

    func replayAnswered() { replaying -= 1 }

    func mayBeSettled(_ number: Int) { messages[number].mayBePurged = true }

    /// - Returns: the messages that a purge may take.
    func purgeAsked(of queue: String) -> [Int] {
        let open = messages.indices.filter { messages[$0].topic == queue && !messages[$0].mayBePurged }
        for index in open { mayBeSettled(index) }
        return open
    }

    func purgeUndone(_ numbers: [Int]) {
        for number in numbers { messages[number].mayBePurged = false }
    }

    // MARK: Delays

    /// Every delayed message of a queue may be gone.
    func cancelAllAsked(of queue: String) {
        for index in messages.indices where messages[index].topic == queue && messages[index].due != nil && messages[index].cancel == .no {
            messages[index].cancel = .maybe
        }
    }

    func cancelAsked(_ number: Int) {
        onEvent?(number, "is to be cancelled")
        messages[number].isEdited = true
        if messages[number].cancel == .no { messages[number].cancel = .maybe }
    }

    /// - Parameter isDone: false: the broker said that it does not wait any more.
    func cancelAnswered(_ number: Int, isDone: Bool) {
        onEvent?(number, isDone ? "was cancelled" : "was not cancelled")
        messages[number].isEdited = false
        if isDone { messages[number].cancel = .sure }
    }

    /// It may come at the new time from now on, or at the old one.
    func rescheduleAsked(_ number: Int, to due: Timestamp) {
        onEvent?(number, "is to be due at \(due.ms)")
        messages[number].isEdited = true
        if let before = messages[number].due { messages[number].due = min(before, due) }
    }

    func rescheduleAnswered(_ number: Int, to due: Timestamp, isDone: Bool) {
        onEvent?(number, isDone ? "is due at \(due.ms)" : "was not rescheduled")
        messages[number].isEdited = false
        if isDone { messages[number].due = due }
    }
}
