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

    /// `149 sent, 147 acked, 2 died again`
    public var outcome: String {
        var text = "\(sent) sent, \(acked) acked, \(diedAgain) died again"
        if skipped > 0 { text += ", \(skipped) skipped" }
        return text
    }
}

/// A line of the audit log: who did what, when, and what came of it.
public struct AuditRow: Codable, Equatable, Sendable {
    public var id: Int64 = 0
    public var atMs: Int64 = 0
    /// `console`, `http`, `kafka CLIENT-ID`.
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
