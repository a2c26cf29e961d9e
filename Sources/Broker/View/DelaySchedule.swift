import Control
import Model

/// The release schedule by how far off messages are: buckets on a logarithmic scale, and a forecast of the next five minutes.
struct DelaySchedule: Sendable {
    static let forecastStepMs: Int64 = 5_000
    static let forecastSteps = DelayBuckets.forecastPoints
    /// Attempts that have a figure of their own; later ones count as the last.
    static let lastAttempt = 9

    private(set) var buckets: [DelayBucketRow]
    /// Messages that come due in each step.
    private(set) var forecast = [Double](repeating: 0, count: forecastSteps)
    private(set) var nextDueMs: Int64?
    private(set) var overdue: Int64 = 0

    init() {
        buckets = DelayBuckets.ranges.map { range in
            var row = DelayBucketRow()
            row.label = range.label
            row.fromMs = range.fromMs
            row.toMs = range.toMs
            return row
        }
    }

    /// The bucket of a message due in `ms`: 0 when it is due already.
    static func bucket(ms: Int64) -> Int {
        if ms <= 0 { return 0 }
        return DelayBuckets.ranges.lastIndex { ms >= $0.fromMs } ?? 0
    }

    /// Adds what waits in the delay store, in the same buckets and steps.
    mutating func add(_ stored: DelayOverview) {
        for (index, row) in stored.buckets.enumerated() where index < buckets.count { buckets[index].delayed += row.delayed }
        overdue += stored.overdue
        for (index, rate) in stored.forecast.enumerated() where index < forecast.count {
            forecast[index] += rate * Double(stored.forecastStepMs) / 1_000
        }
        if let ms = stored.nextDueMs { note(nextDueMs: ms) }
    }

    /// Adds a failed message that waits for delivery number `attempt`.
    mutating func add(retryIn ms: Int64, attempt: Int) {
        let index = Self.bucket(ms: ms)
        buckets[index].retries[min(attempt, Self.lastAttempt), default: 0] += 1
        if index == 0 { overdue += 1 }
        let step = max(0, ms) / Self.forecastStepMs
        if step < Self.forecastSteps { forecast[Int(step)] += 1 }
        note(nextDueMs: ms)
    }

    mutating func note(nextDueMs ms: Int64) { nextDueMs = min(nextDueMs ?? Int64.max, max(0, ms)) }

    /// Buckets with their release rates: messages over the bucket's length.
    var rows: [DelayBucketRow] {
        buckets.map { row in
            var row = row
            if let toMs = row.toMs, toMs > 0 { row.releaseRate = Double(row.count) * 1_000 / Double(toMs - max(0, row.fromMs)) }
            return row
        }
    }

    /// Per second.
    var forecastRates: [Double] { forecast.map { $0 * 1_000 / Double(Self.forecastStepMs) } }
}

/// A moment at which far more comes due than around it: at least 100 messages within one step, and five times the mean of the others.
struct DelayHerd: Equatable, Sendable {
    var at: Timestamp
    var count: Int64
    var perSecond: Double
    /// Releases per second at most.
    var drainLimit: Double

    init?(_ overview: DelayOverview, now: Timestamp) {
        let forecast = overview.forecast.map { $0 * Double(overview.forecastStepMs) / 1_000 }
        guard forecast.count > 1, let peak = forecast.indices.max(by: { forecast[$0] < forecast[$1] }), forecast[peak] >= 100 else {
            return nil
        }
        let others = (forecast.reduce(0, +) - forecast[peak]) / Double(forecast.count - 1)
        guard forecast[peak] >= 5 * others else { return nil }
        at = now + Int64(peak) * overview.forecastStepMs
        count = Int64(forecast[peak].rounded())
        perSecond = overview.forecast[peak]
        drainLimit = overview.drainLimit
    }
}
