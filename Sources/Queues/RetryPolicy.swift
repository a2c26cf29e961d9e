import Model

/// When a message that was released or lost is delivered again.
///
/// ```
/// levels 10s 30s 1m       attempt 1 failed → 10 s, 2 → 30 s, 3 and later → 1 m
/// backoff 1s, ×2, 60s     attempt 1 failed → 1 s, 2 → 2 s, 3 → 4 s … 7 and later → 60 s
/// jitter 0.2              each of these ± 20 %, by a number the caller draws
/// ```
public struct RetryPolicy: Equatable, Sendable {
    public enum Delays: Equatable, Sendable {
        /// The delay after attempt n, the last for all later attempts; never empty.
        case levels([Int64])
        case backoff(minMs: Int64, factor: Double, maxMs: Int64)
    }
    public var delays: Delays
    /// Share of the delay by which it may vary, 0 to 1.
    public var jitter: Double

    public init(delays: Delays, jitter: Double = 0) {
        self.delays = delays
        self.jitter = jitter
    }

    /// The delay after delivery number `attempt` (from 1) failed.
    /// - Parameter noise: from 0 to 1, drawn by the caller; 0.5 means no deviation.
    public func delayMs(afterAttempt attempt: Int, noise: Double = 0.5) -> Int64 {
        let attempt = max(1, attempt)
        let plain: Double
        switch delays {
        case .levels(let levels): plain = Double(levels[min(attempt, levels.count) - 1])
        case .backoff(let minMs, let factor, let maxMs):
            var delay = Double(minMs)
            for _ in 1..<attempt where delay < Double(maxMs) { delay *= factor }
            plain = min(delay, Double(maxMs))
        }
        return max(0, Int64(plain * (1 + jitter * (2 * noise - 1))))
    }
}
