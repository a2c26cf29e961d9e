import Console
import Control
import Glibc
import Model

/// Follows a job of the broker to its end, with a progress line on a terminal, and says its outcome.
struct JobWatch: Sendable {
    let door: AdminDoor
    let id: Int64
    /// Also waits until every message sent was acked, died again, or was moved on or removed.
    let waitAcked: Bool

    /// Throws ``CommandFailure`` (exit code 1) when the job ended otherwise than done.
    func finish() async throws {
        let watch = self
        let end = try await Interrupt.cancelling { try await watch.follow() }
        Self.wipe()
        guard let end else {
            return StandardError.write("job \(id) goes on in the broker: weir job show \(id), weir job cancel \(id)\n")
        }
        if door.json { try JSONOutput.print([JobText.json(end)]) } else { print(end.outcome) }
        guard end.state == .done else {
            throw CommandFailure("job \(id) \(end.state.rawValue)\(end.note.isEmpty ? "" : ": \(end.note)")")
        }
    }

    /// The job at its end; nil when the person went away first (^C): it goes on in the broker.
    private func follow() async throws -> JobRow? {
        while !Task.isCancelled {
            let job = try await door.job(id)
            if Self.isOver(job, waitAcked: waitAcked) { return job }
            if isatty(STDERR_FILENO) == 1 { StandardError.write("\r" + Self.line(job) + "\u{1B}[K") }
            // Only cancellation ends it early, and the loop looks for that.
            try? await Task.sleep(for: .milliseconds(200))
        }
        return nil
    }

    static func isOver(_ job: JobRow, waitAcked: Bool) -> Bool {
        switch job.state {
        case .running, .waiting: false
        case .done: !waitAcked || job.open == 0
        case .cancelled, .stopped, .failed: true
        }
    }

    /// `job 17 redrive refunds.dlq > refunds  [################········] 132/198  50/s  0 died`
    static func line(_ job: JobRow) -> String {
        let width = 24
        let handled = job.sent + job.skipped
        let share = job.total > 0 ? min(1, Double(handled) / Double(job.total)) : 0
        let filled = Int(share * Double(width))
        let bar = String(repeating: "#", count: filled) + String(repeating: "·", count: width - filled)
        var text = "job \(job.id) \(job.kind) \(job.source)\(job.target.map { " > \($0)" } ?? "")  [\(bar)] \(handled)/\(job.total)"
        text += "  \(Short.number(job.rate))/s  \(job.diedAgain) died"
        if let eta = job.etaMs { text += "  \(Short.duration(ms: eta)) left" }
        if !job.note.isEmpty { text += "  \(job.note)" }
        if job.state == .done { text += "  waiting for \(Short.exact(job.open)) to be acked or die (^C leaves it to the broker)" }
        return text
    }

    private static func wipe() {
        if isatty(STDERR_FILENO) == 1 { StandardError.write("\r\u{1B}[K") }
    }
}
