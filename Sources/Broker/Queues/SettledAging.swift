import Model

/// What of a queue has been settled for how long: looks at all that is settled, a few while it is kept.
///
/// ```
/// kept for 24 h: a look every 3 hours at most
/// note([0, 50) [60, 90) at 0 h), note([0, 90) at 3 h)   aged(at 24 h) → [0, 50) [60, 90), aged(at 27 h) → [0, 90)
/// ```
/// How long something has been settled is forgotten at a restart, and when messages become open again: then it stays longer.
struct SettledAging {
    static let parts: Int64 = 8
    private var notes: [(at: Timestamp, ranges: OffsetRanges)] = []

    /// Whether it is time for another look.
    func wantsNote(at now: Timestamp, keepMs: Int64) -> Bool {
        guard let last = notes.last else { return true }
        return now - last.at >= max(1, keepMs / Self.parts)
    }

    mutating func note(_ ranges: OffsetRanges, at now: Timestamp) { notes.append((now, ranges)) }

    /// What was settled `keepMs` ago, and has been since.
    mutating func aged(at now: Timestamp, keepMs: Int64) -> OffsetRanges {
        while notes.count > 1, notes[1].at + keepMs <= now { notes.removeFirst() }
        guard let first = notes.first, first.at + keepMs <= now else { return OffsetRanges() }
        return first.ranges
    }

    /// A replay, an undone purge, a cursor that was moved: what was settled need not be any more.
    mutating func reopened() { notes = [] }
}
