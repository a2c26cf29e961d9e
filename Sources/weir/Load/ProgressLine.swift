import Glibc
import Model

/// A progress bar on standard error, drawn again at most ten times a second; nothing where standard error is not a terminal.
struct ProgressLine {
    private let isShown: Bool
    private let total: Int
    private let start: Monotonic
    private var drawn: Monotonic

    /// - Parameter total: how many make the whole; 0 when that is not known.
    init(total: Int, shown: Bool?, now: Monotonic) {
        self.total = total
        isShown = shown ?? (isatty(STDERR_FILENO) == 1)
        start = now
        drawn = now
    }

    mutating func show(_ done: Int, now: Monotonic) {
        guard isShown, now.ms(since: drawn) >= 100 else { return }
        drawn = now
        StandardError.write("\r" + text(done, now: now) + "\u{1B}[K")
    }

    /// `[##########··········]  50 %  1234567 (1200000/s)`
    func text(_ done: Int, now: Monotonic) -> String {
        let perSecond = Int(Double(done) * 1_000 / Double(max(1, now.ms(since: start))))
        guard total > 0 else { return "\(done) (\(perSecond)/s)" }
        let share = min(1, Double(done) / Double(total))
        let width = 20
        let filled = Int(share * Double(width))
        let bar = String(repeating: "#", count: filled) + String(repeating: "·", count: width - filled)
        return "[\(bar)] \(Int(share * 100)) %  \(done) (\(perSecond)/s)"
    }

    /// Wipes the line.
    func clear() {
        if isShown { StandardError.write("\r\u{1B}[K") }
    }
}
