import Control

/// Broker totals by the second, the last 15 minutes, merged from snapshots.
///
/// A second nobody reported (the broker was away, or not yet started) stays a gap, never a zero.
public struct HistoryStore: Equatable, Sendable {
    public struct Point: Equatable, Sendable {
        public var inRate: Double?
        public var outRate: Double?
        public var backlog: Double?
        /// Messages of queues by state; nil from a broker that does not count them.
        public var ready: Double?
        public var unacked: Double?
        public var delayed: Double?
        public var dead: Double?
        var isGap: Bool { inRate == nil && outRate == nil && backlog == nil }
    }

    /// Seconds kept.
    public static let capacity = 900

    /// The second (since 1970) of the last point; 0 before the first.
    public private(set) var endSecond: Int64 = 0
    /// Always `capacity` points, the last one at `endSecond`.
    private var points = Array(repeating: Point(), count: Self.capacity)

    public init() {}

    public var isEmpty: Bool { endSecond == 0 }

    /// How many points to ask for next, at a wall time: the missing seconds and a few more.
    public func pointsWanted(nowMs: Int64) -> Int {
        guard !isEmpty else { return Self.capacity }
        return Int(min(Int64(Self.capacity), max(0, nowMs / 1000 - endSecond) + 10))
    }

    public mutating func merge(_ history: History) {
        let count = history.inRate.count
        guard count > 0, history.outRate.count == count, history.backlog.count == count, history.stepMs > 0 else { return }
        advance(to: history.endMs / 1000)
        for index in 0..<min(count, Self.capacity) {
            let from = count - 1 - index
            func known(_ series: [Double?]) -> Double? { series.count == count ? series[from] : nil }
            let point = Point(
                inRate: history.inRate[from], outRate: history.outRate[from], backlog: history.backlog[from], ready: known(history.ready),
                unacked: known(history.unacked), delayed: known(history.delayed), dead: known(history.dead))
            guard !point.isGap, let place = place(ofSecond: (history.endMs - Int64(index) * history.stepMs) / 1000) else { continue }
            points[place] = point
        }
    }

    private mutating func advance(to second: Int64) {
        // A clock that was set far back starts anew.
        if isEmpty || second < endSecond - Int64(Self.capacity) {
            self = HistoryStore()
            endSecond = second
        }
        guard second > endSecond else { return }
        let gap = Int(min(second - endSecond, Int64(Self.capacity)))
        points.removeFirst(gap)
        points.append(contentsOf: repeatElement(Point(), count: gap))
        endSecond = second
    }

    private func place(ofSecond second: Int64) -> Int? {
        let back = endSecond - second
        return (0..<Int64(Self.capacity)).contains(back) ? Self.capacity - 1 - Int(back) : nil
    }

    /// The `seconds` up to a wall time, oldest first, in `columns` columns: the mean of each column's known seconds, nil for none.
    public func series(_ field: KeyPath<Point, Double?>, endMs: Int64, seconds: Int, columns: Int) -> [Double?] {
        guard columns > 0 else { return [] }
        let end = points.count - 1 - Int(max(-900, min(900, endSecond - endMs / 1000)))
        return (0..<columns).map { column in
            let from = end - seconds + 1 + column * seconds / columns
            let to = max(from, end - seconds + (column + 1) * seconds / columns)
            var sum = 0.0
            var known = 0
            for index in from...to where points.indices.contains(index) {
                guard let value = points[index][keyPath: field] else { continue }
                sum += value
                known += 1
            }
            return known > 0 ? sum / Double(known) : nil
        }
    }

    /// The largest value of the last `seconds`.
    public func peak(_ field: KeyPath<Point, Double?>, endMs: Int64, seconds: Int) -> Double? {
        let end = points.count - 1 - Int(max(-900, min(900, endSecond - endMs / 1000)))
        return (max(0, end - seconds + 1)..<max(0, end + 1, end - seconds + 1)).compactMap {
            points.indices.contains($0) ? points[$0][keyPath: field] : nil
        }.max()
    }
}
