import Model

/// How long messages are with a consumer until it answers them: counted by length, this minute's and those of the one before.
///
/// ```
/// 0 1 2 3 ms exactly, then four steps a doubling: 4 5 6 7, 8-9 10-11 12-13 14-15, 16-19 …, up to an hour
/// ```
struct AnswerTimes {
    /// Counts by length; those of several partitions add up.
    struct Counts: Equatable, Sendable {
        fileprivate var counts = [Int64](repeating: 0, count: AnswerTimes.places)

        mutating func add(_ other: Counts) {
            for place in counts.indices { counts[place] += other.counts[place] }
        }

        /// The time within which a share of the messages was answered, ms, to within an eighth; nil when none was.
        func quantile(_ share: Double) -> Int64? {
            let all = counts.reduce(0, +)
            guard all > 0 else { return nil }
            var left = max(1, Int64((share * Double(all)).rounded(.up)))
            for (place, count) in counts.enumerated() {
                left -= count
                if left <= 0 { return AnswerTimes.middle(place) }
            }
            return nil
        }
    }

    private static let longestMs: Int64 = 3_600_000
    fileprivate static let places = 84
    private var minute: UInt64 = 0
    private var current: [UInt32] = []
    private var before: [UInt32] = []

    static func place(_ ms: Int64) -> Int {
        let ms = min(max(0, ms), longestMs)
        if ms < 4 { return Int(ms) }
        let power = 63 - ms.leadingZeroBitCount
        return (power - 1) * 4 + Int((ms >> Int64(power - 2)) & 3)
    }

    /// The middle of what is counted there.
    static func middle(_ place: Int) -> Int64 {
        if place < 4 { return Int64(place) }
        let width = Int64(1) << Int64(place / 4 - 1)
        return Int64(4 + place % 4) * width + width / 2
    }

    mutating func add(_ ms: Int64, count: Int64, now: Monotonic) {
        turn(to: Self.minute(now))
        if current.isEmpty { current = Array(repeating: 0, count: Self.places) }
        let place = Self.place(ms)
        current[place] = UInt32(clamping: Int64(current[place]) + max(0, count))
    }

    /// nil when nothing was answered of late.
    func counts(now: Monotonic) -> Counts? {
        var turned = self
        turned.turn(to: Self.minute(now))
        guard !(turned.current.isEmpty && turned.before.isEmpty) else { return nil }
        var sum = Counts()
        for (place, count) in turned.current.enumerated() { sum.counts[place] += Int64(count) }
        for (place, count) in turned.before.enumerated() { sum.counts[place] += Int64(count) }
        return sum
    }

    private static func minute(_ now: Monotonic) -> UInt64 { now.ns / 60_000_000_000 }

    private mutating func turn(to next: UInt64) {
        guard next > minute else { return }
        before = next == minute + 1 ? current : []
        current = []
        minute = next
    }
}
