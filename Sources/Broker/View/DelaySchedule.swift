import Control
import Model

/// The release schedule by how far off messages are: buckets on a logarithmic scale, and a forecast of the next five minutes.
struct DelaySchedule: Sendable {
    /// [fromMs, toMs) from now; overdue has what is due already, the last bucket has no end.
    static let spans: [(label: String, fromMs: Int64, toMs: Int64?)] = [
        ("overdue", -1, 0), ("<1s", 0, 1_000), ("1-10s", 1_000, 10_000), ("10s-1m", 10_000, 60_000), ("1-5m", 60_000, 300_000),
        ("5-30m", 300_000, 1_800_000), ("30m-1h", 1_800_000, 3_600_000), ("1-6h", 3_600_000, 21_600_000), (">6h", 21_600_000, nil),
    ]
    static let forecastStepMs: Int64 = 5_000
    static let forecastSteps = 60
    /// Attempts that have a figure of their own; later ones count as the last.
    static let lastAttempt = 9

    private(set) var buckets: [DelayBucketRow]
    /// Messages that come due in each step.
    private(set) var forecast = [Double](repeating: 0, count: forecastSteps)
    private(set) var nextDueMs: Int64?
    private(set) var overdue: Int64 = 0

    init() {
        buckets = Self.spans.map { label, fromMs, toMs in
            var row = DelayBucketRow()
            row.label = label
            row.fromMs = fromMs
            row.toMs = toMs
            return row
        }
    }

    /// The bucket of a message due in `ms`: 0 when it is due already.
    static func bucket(ms: Int64) -> Int {
        if ms <= 0 { return 0 }
        return spans.lastIndex { ms >= $0.fromMs } ?? 0
    }

    /// Adds messages with a publish delay: `count` of them due within bucket `index`.
    mutating func add(delayed count: Int64, bucket index: Int) {
        buckets[index].delayed += count
        if index == 0 { overdue += count }
    }

    /// Adds what comes due in step `index` of the forecast.
    mutating func add(forecast count: Double, step index: Int) { forecast[index] += count }

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

    /// The step in which far more comes due than around it: at least 100 messages and five times the mean of the others. nil: none.
    var herd: (inMs: Int64, count: Int64)? {
        guard let peak = forecast.indices.max(by: { forecast[$0] < forecast[$1] }), forecast[peak] >= 100 else { return nil }
        let others = (forecast.reduce(0, +) - forecast[peak]) / Double(forecast.count - 1)
        guard forecast[peak] >= 5 * others else { return nil }
        return (Int64(peak) * Self.forecastStepMs, Int64(forecast[peak]))
    }
}
