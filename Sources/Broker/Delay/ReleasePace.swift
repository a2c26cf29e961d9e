import Model

/// How many messages may be released now: a bucket that fills at the rate and holds a tenth of a second of it, or one message.
struct ReleasePace: Equatable {
    let perSecond: Int
    private var allowance: Double
    private var last: Monotonic?

    init(perSecond: Int) {
        self.perSecond = perSecond
        allowance = max(1, Double(perSecond) / 10)
    }

    private var capacity: Double { max(1, Double(perSecond) / 10) }

    mutating func available(now: Monotonic) -> Int {
        if let last, now > last { allowance = min(capacity, allowance + Double(now.ns - last.ns) / 1e9 * Double(perSecond)) }
        last = now
        return Int(allowance)
    }

    mutating func use(_ count: Int) { allowance -= Double(count) }

    /// Until `count` are available, or as many as there ever are at once.
    func waitMs(for count: Int) -> Int64 {
        max(1, Int64(((min(Double(count), capacity) - allowance) / Double(perSecond) * 1_000).rounded(.up)))
    }
}
