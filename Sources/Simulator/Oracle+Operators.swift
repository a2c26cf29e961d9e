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

    /// - Returns: the purge's number. It may take whatever its queue holds, also what another purge took: that one may be undone first.
    func purgeAsked(of queue: String) -> Int {
        purges += 1
        purging[purges] = queue
        for index in messages.indices where messages[index].topic == queue { messages[index].purges.insert(purges) }
        return purges
    }

    /// What it has not taken by now, it won't.
    func purgeAnswered(_ purge: Int) { purging[purge] = nil }

    func purgeUndone(_ purge: Int) {
        for index in messages.indices { messages[index].purges.remove(purge) }
    }

    /// - Returns: the discard's number.
    func discardAsked(_ place: Place) -> Int {
        discards.append(Discard(place: place))
        return discards.count - 1
    }

    func discardAnswered(_ discard: Int) {
        if discards[discard].published == nil { discards[discard].published = count }
    }

    /// An operator may have settled the message where it lies at `places`, and nobody has undone that.
    func mayBeSettled(_ number: Int, at places: Set<Place>) -> Bool {
        !messages[number].purges.isEmpty || discards.contains { places.contains($0.place) && number < $0.published ?? .max }
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
