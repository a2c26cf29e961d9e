import Model

/// What the logs hold, and where each message is.
extension Oracle {
    /// All logs of a world, each up to where it ended at one moment.
    struct Logs {
        var found: [String: [PartitionID: [FoundRecord]]] = [:]
        var at: Timestamp

        func records(of topic: String) -> [FoundRecord] {
            (found[topic] ?? [:]).sorted { $0.key < $1.key }.flatMap(\.value)
        }

        func places(of number: Int, in topic: String) -> Set<Place> {
            (found[topic] ?? [:]).reduce(into: []) { places, log in
                for record in log.value where record.message == number { places.insert(Place(partition: log.key, offset: record.offset)) }
            }
        }

        func counts(_ topic: String?) -> [Int: Int] {
            topic.map { records(of: $0).reduce(into: [:]) { $0[$1.message ?? -1, default: 0] += 1 } } ?? [:]
        }
    }

    func judge(_ logs: Logs) -> String? {
        for (topic, partitions) in logs.found.sorted(by: { $0.key < $1.key }) {
            for (id, found) in partitions.sorted(by: { $0.key < $1.key }) {
                if let wrong = strangers(found, in: id, of: topic) { return wrong }
                if topic == Topics.plain || Topics.line(topic) != nil, let wrong = originals(found, in: id, of: topic) { return wrong }
            }
        }
        if let wrong = doubles(logs) { return wrong }
        for line in Topics.lines { if let wrong = moves(logs, line) { return wrong } }
        return nil
    }

    private func strangers(_ found: [FoundRecord], in id: PartitionID, of topic: String) -> String? {
        var last: Offset?
        for record in found {
            guard let number = record.message, messages.indices.contains(number) else {
                return "\(topic)-\(id.index) holds at \(record.offset) what was never published"
            }
            if let last, record.offset <= last { return "\(topic)-\(id.index) holds offset \(record.offset) behind \(last)" }
            last = record.offset
        }
        return nil
    }

    /// What was confirmed is where it was said to be, and what was published once is there once.
    private func originals(_ found: [FoundRecord], in id: PartitionID, of topic: String) -> String? {
        var places: [Int: Offset] = [:]
        for record in found where record.move == nil {
            guard let number = record.message else { continue }
            guard messages[number].partition == id else {
                return "\(topic)-\(id.index) holds message \(number) at \(record.offset), which was published elsewhere"
            }
            if let first = places[number] { return "message \(number) is there twice, at \(first) and \(record.offset)" }
            places[number] = record.offset
            if let promised = messages[number].offset, promised != record.offset, !messages[number].mayBeLost {
                return "message \(number) was confirmed at \(promised) and is found at \(record.offset)"
            }
            onEvent?(number, "is found at \(record.offset) of \(topic)\(record.handle.map { ", \($0)" } ?? "")")
        }
        for (number, message) in messages.enumerated() where message.partition == id {
            if let offset = message.offset, !message.mayBeLost, places[number] == nil {
                return "message \(number), confirmed at \(offset) \(message.isDurable ? "durably" : "as written"), is lost"
            }
        }
        return nil
    }

    /// No move and no release of a delayed message appends twice.
    private func doubles(_ logs: Logs) -> String? {
        for topic in logs.found.keys.sorted() {
            var moves: Set<String> = []
            var handles: [String: Int?] = [:]
            for record in logs.records(of: topic) {
                if let move = record.move {
                    guard moves.insert(move).inserted else { return "\(topic) holds the copy of move \(move) twice" }
                } else if let handle = record.handle {
                    // A loss of power may take a message that was released, and then its handle is another's.
                    if let first = handles[handle], first == record.message || !powerWasLost {
                        return "\(topic) holds the delayed message \(handle) twice: \(first ?? -1), and \(record.message ?? -1) at "
                            + "\(record.offset)"
                    }
                    handles[handle] = record.message
                }
            }
        }
        return nil
    }

    /// A message lies in its queue once and once more for each redrive, elsewhere once for each death and each move: as often as elsewhere,
    /// or once more while it is not dead or moved. Only a replay lets it die more often than it lies there, each of its copies once.
    private func moves(_ logs: Logs, _ line: Topics.Line) -> String? {
        let (here, dead, moved) = (logs.counts(line.queue), logs.counts(line.dead), logs.counts(line.other))
        let copied = logs.counts(Topics.copies)
        for (number, message) in messages.enumerated() where message.topic == line.queue {
            let (lives, ends) = (here[number] ?? 0, (dead[number] ?? 0) + (moved[number] ?? 0))
            // What a power cut took may have died before.
            let least = message.mayBeLost ? -ends : lives * -replays
            if !(least...1).contains(lives - ends) {
                return "message \(number) lies \(lives) times in \(line.queue), \(dead[number] ?? 0) times among its dead, was moved away "
                    + "\(moved[number] ?? 0) times"
            }
            if let times = copied[number], times > copies * max(1, lives) { return "message \(number) was copied \(times) times" }
            guard lives > 0 else { continue }
            if let due = message.due, logs.at < due { return "message \(number) was appended \(due - logs.at) ms before it was due" }
            if message.cancel == .sure { return "message \(number) was cancelled for sure and is appended" }
            if let ttlMs = line.ttlMs, ends > 0, message.deliveries == 0, logs.at < message.publishedAt + ttlMs {
                return "message \(number) expired before \(ttlMs) ms had passed"
            }
        }
        return nil
    }

    /// What the delay store lists is not due long since, was not cancelled and is not in the log.
    func judgeWaiting(_ listed: [(message: Int?, due: Timestamp)], _ logs: Logs) -> String? {
        let here = logs.counts("queue")
        var seen: Set<Int> = []
        for row in listed {
            guard let number = row.message, messages.indices.contains(number) else {
                return "the delay store lists what was never published"
            }
            onEvent?(number, "waits until \(row.due.ms)")
            guard let due = messages[number].due else { return "message \(number) waits, and was not delayed" }
            if !seen.insert(number).inserted { return "message \(number) waits twice" }
            if here[number] != nil { return "message \(number) waits, and is in the log" }
            if messages[number].cancel == .sure { return "message \(number) waits, and was cancelled for sure" }
            if row.due < due { return "message \(number) waits until \(row.due.ms), \(due - row.due) ms before it is due" }
        }
        return nil
    }

    /// After everything was drained: each message that was promised ended once, as its consumer was told.
    func judgeEnd(_ logs: Logs) -> String? {
        for line in Topics.lines {
            let (here, dead, moved) = (logs.counts(line.queue), logs.counts(line.dead), logs.counts(line.other))
            for (number, message) in messages.enumerated() where message.topic == line.queue && message.isConfirmed && !message.mayBeLost {
                let (lives, ends) = (here[number] ?? 0, (dead[number] ?? 0) + (moved[number] ?? 0))
                if lives == 0, message.cancel != .no { continue }
                if lives == 0 { return "message \(number) was confirmed\(message.due == nil ? "" : " with a delay") and never appended" }
                switch message.end {
                case .sure(.accepted) where lives == ends && replays == 0: return "message \(number) was accepted for sure and is dead"
                case .sure(.rejected) where lives != ends && replays == 0:
                    return "message \(number) was rejected for sure and is not dead"
                case .open where lives > ends && !mayBeSettled(number, at: logs.places(of: number, in: line.queue)):
                    return "message \(number) was confirmed, delivered \(message.deliveries) times, and is in nobody's hands"
                default: break
                }
            }
        }
        return nil
    }
}
