/// A job of the broker: redrive, replay by copy, move.
public struct JobRow: Codable, Equatable, Sendable {
    public enum State: String, Codable, Sendable, CaseIterable { case running, waiting, done, cancelled, stopped, failed }
    public var id: Int64 = 0
    /// `redrive`, `replay`, `move`, `discard`.
    public var kind = ""
    public var source = ""
    /// nil: back to each message's origin.
    public var target: String?
    public var state = State.running
    /// Messages in all, and what became of them.
    public var total: Int64 = 0
    public var sent: Int64 = 0
    public var acked: Int64 = 0
    public var diedAgain: Int64 = 0
    /// Copies that were settled otherwise: moved on, purged, discarded, gone with their queue; nil: none.
    public var other: Int64?
    public var skipped: Int64 = 0
    /// Why messages were skipped, by reason.
    public var skips: [String: Int64] = [:]
    public var rate = 0.0
    public var startedMs: Int64 = 0
    public var endedMs: Int64?
    public var etaMs: Int64?
    /// What it waits for or why it stopped: `target backlog over 5k`, `canary`, `6% died again`.
    public var note = ""

    public init() {}

    /// Copies of which nobody knows yet what becomes of them.
    public var open: Int64 { max(0, sent - acked - diedAgain - (other ?? 0)) }

    /// `149 sent, 147 acked, 2 died again`
    public var outcome: String {
        var text = "\(sent) sent, \(acked) acked, \(diedAgain) died again"
        if let other, other > 0 { text += ", \(other) moved or removed" }
        if skipped > 0 { text += ", \(skipped) skipped" }
        return text
    }

    /// What follows the outcome of a job that did not end well: ` (stopped: 6% died again)`, ` (cancelled)`; empty for others.
    public var ending: String {
        switch state {
        case .done, .running, .waiting: ""
        case .stopped, .cancelled, .failed:
            note.isEmpty || note == state.rawValue ? " (\(state.rawValue))" : " (\(state.rawValue): \(note))"
        }
    }
}

/// One job, whole: what became of its messages, those that tell most first to be kept.
public struct JobDetail: Codable, Equatable, Sendable {
    public var row: JobRow
    /// By partition and offset of the source.
    public var outcomes = Page<JobOutcomeRow>()
    /// Messages that are only counted any more, by outcome: a job keeps a bounded number of ``outcomes``, acked ones go first.
    public var unlisted: [String: Int64] = [:]

    public init(row: JobRow) { self.row = row }
}

/// Messages of a job that lay side by side and fared alike.
public struct JobOutcomeRow: Codable, Equatable, Sendable {
    /// `sent`: its copy is not settled yet; `removed`: its copy was purged or discarded.
    public enum Outcome: String, Codable, Sendable, CaseIterable {
        case sent, acked
        case diedAgain = "died again"
        case moved, removed, skipped
    }
    public var outcome = Outcome.sent
    /// How many messages the row stands for.
    public var count: Int64 = 1
    /// The first one's id in the source, as ``MessageRow/id`` has it; nil where only the copy is known any more.
    public var from: String?
    /// The queue or topic of the copies and the first one's id there; nil for what was skipped.
    public var queue: String?
    public var to: String?
    /// Why it was skipped or died.
    public var reason = ""

    public init() {}

    /// `0/17` or `0/17–41`.
    public var fromText: String? { from.map { Self.span($0, count) } }
    /// `work 0/500` or `work 0/500–524`.
    public var toText: String? { to.map { "\(queue ?? "?") \(Self.span($0, count))" } }

    private static func span(_ id: String, _ count: Int64) -> String {
        guard count > 1, let slash = id.lastIndex(of: "/"), let first = Int64(id[id.index(after: slash)...]) else { return id }
        return "\(id)–\(first + count - 1)"
    }
}

/// A line of the audit log: who did what, when, and what came of it.
public struct AuditRow: Codable, Equatable, Sendable {
    public var id: Int64 = 0
    public var atMs: Int64 = 0
    /// `console`, `http`, `http (claims USER@HOST/PID)`, `kafka CLIENT-ID`; what a client says of itself is not proven.
    public var actor = ""
    /// The equivalent `weir …` command line.
    public var command = ""
    /// The outcome line, or the refusal.
    public var outcome = ""
    public var ok = true
    /// Set while it can be undone.
    public var undo: String?

    public init() {}
}
