import Model

/// How many records are due at a rate: those since the start, less those already sent. A rate of nil is as fast as possible.
struct Pacer {
    var perSecond: Double?
    private let start: Monotonic
    private var sent = 0

    init(perSecond: Double?, start: Monotonic) {
        self.perSecond = perSecond
        self.start = start
    }

    /// Records due at `now`, at most `limit`. After 250 ms at 1,000 a second: 250, less those sent.
    func due(_ now: Monotonic, limit: Int) -> Int {
        guard let perSecond else { return limit }
        let seconds = Double(now.ns &- start.ns) / 1e9
        return min(limit, max(0, Int(seconds * perSecond) + 1 - sent))
    }

    mutating func sent(_ count: Int) { sent += count }
}
