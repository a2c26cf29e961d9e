import Model

/// When the messages of a queue were appended, by stretches: exact enough to expire them, small whatever their number.
///
/// ```
/// ttl 128 s: appends 0..<10 at 0.0 s, 10..<20 at 0.9 s, 20..<30 at 5 s → stretches [0, 20) newest 0.9 s, [20, 30) newest 5 s
/// expired at 130 s: everything before 20
/// ```
/// A stretch is as long as 1/128 of the time to live, and counts as old as its newest message: nothing expires early.
struct QueueAges {
    private struct Stretch {
        var first: Offset
        var oldest: Timestamp
        var newest: Timestamp
    }
    private static let parts: Int64 = 128
    private var stretches: [Stretch] = []
    /// Stretches before this one have expired.
    private var head = 0

    var isEmpty: Bool { head == stretches.count }

    /// Messages from `first` on were appended at `now`.
    mutating func note(_ first: Offset, at now: Timestamp, ttlMs: Int64) {
        if let last = stretches.last, head < stretches.count, now - last.oldest < max(1, ttlMs / Self.parts) {
            stretches[stretches.count - 1].newest = max(last.newest, now)
        } else {
            stretches.append(Stretch(first: first, oldest: now, newest: now))
        }
    }

    /// The offset below which everything is older than `ttlMs`; `end` is the log's end. nil when nothing is.
    mutating func expired(at now: Timestamp, ttlMs: Int64, end: Offset) -> Offset? {
        var limit: Offset?
        while head < stretches.count, stretches[head].newest + ttlMs <= now {
            head += 1
            limit = head < stretches.count ? stretches[head].first : end
        }
        if head > Int(Self.parts) {
            stretches.removeFirst(head)
            head = 0
        }
        return limit
    }

    /// When the next stretch expires.
    func nextExpiry(ttlMs: Int64) -> Timestamp? { isEmpty ? nil : stretches[head].newest + ttlMs }
}
