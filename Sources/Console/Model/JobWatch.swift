import Control
import Terminal

/// The job on the line above the footer.
extension ConsoleModel {
    /// The running job that was started here, else the newest running one.
    var jobLine: JobRow? {
        guard let shown, watchedJob != nil || shown.totals.jobs > 0 else { return nil }
        let active = shown.jobs.rows.filter(\.isActive)
        return active.first { $0.id == watchedJob } ?? active.first
    }

    /// Says how the watched job ended.
    mutating func watchJob() {
        guard let watchedJob, let job = live?.jobs.rows.first(where: { $0.id == watchedJob }), !job.isActive else { return }
        self.watchedJob = nil
        let key: ThemeKey
        switch job.state {
        case .failed, .stopped: key = .crit
        case .cancelled: key = .warn
        case .done, .running, .waiting: key = job.diedAgain > 0 ? .warn : .ok
        }
        say("job \(job.id) \(job.kind) \(job.source): \(job.outcome)\(job.ending)", key, seconds: 60)
    }
}

extension JobRow {
    var isActive: Bool { state == .running || state == .waiting }
    /// Part of the messages that are dealt with, 0 to 1.
    var share: Double { total > 0 ? min(1, Double(sent + skipped) / Double(total)) : 0 }
    /// `redrive payments.dlq > payments`.
    var path: String { "\(kind) \(source) > \(target ?? "origin")" }
}
