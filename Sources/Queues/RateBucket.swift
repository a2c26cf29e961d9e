import Model

/// A token bucket: `rate` tokens a second, up to a tenth of a second's worth in stock (at least one).
///
/// ```
/// rate 100: at 0 s take(20) → 10, and more at 0.01 s; at 0.05 s take(20) → 5
/// ```
public struct RateBucket: Sendable {
    private var tokens = 0.0
    private var at: Monotonic?
    /// Set when less was given than was asked: when there is a token again.
    public private(set) var waitsUntil: Monotonic?

    public init() {}

    private static func stock(_ rate: Double) -> Double { max(1, rate / 10) }

    private mutating func refill(_ rate: Double, now: Monotonic) {
        let elapsed = at.map { now.ns > $0.ns ? Double(now.ns - $0.ns) / 1e9 : 0 }
        tokens = min(Self.stock(rate), elapsed.map { tokens + $0 * rate } ?? Self.stock(rate))
        at = now
    }

    /// How many of `wanted` may go now; they are to be taken with ``take(_:rate:)``.
    public mutating func allowance(_ wanted: Int, rate: Double?, now: Monotonic) -> Int {
        waitsUntil = nil
        guard let rate else { return wanted }
        refill(rate, now: now)
        if tokens < Double(wanted) {
            let missing = max(0, 1 - tokens)
            waitsUntil = Monotonic(ns: now.ns + UInt64(max(1e6, missing / rate * 1e9)))
        }
        return min(wanted, Int(tokens))
    }

    public mutating func take(_ count: Int, rate: Double?) {
        if rate != nil { tokens -= Double(count) }
    }

    /// Takes all of `count` whether there are enough or not. Returns the ms after which the debt is paid; 0 when there is none.
    public mutating func charge(_ count: Int, rate: Double, now: Monotonic) -> Int64 {
        refill(rate, now: now)
        tokens -= Double(count)
        return tokens >= 0 ? 0 : Int64((-tokens / rate * 1_000).rounded(.up))
    }

    /// The ms after which what was charged so far is paid.
    public mutating func debtMs(rate: Double, now: Monotonic) -> Int64 {
        refill(rate, now: now)
        return tokens >= 0 ? 0 : Int64((-tokens / rate * 1_000).rounded(.up))
    }

    mutating func stopWaiting() { waitsUntil = nil }
}
