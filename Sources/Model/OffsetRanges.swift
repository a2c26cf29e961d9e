/// A set of offsets as sorted ranges that neither overlap nor touch.
///
/// ```
/// [0, 50) [90, 120)   insert 50..<60 → [0, 60) [90, 120)   covers 10..<60 yes, 50..<95 no
///                     subtract [40, 100) → [0, 40) [100, 120)
/// ```
public struct OffsetRanges: Equatable, Sendable {
    public private(set) var ranges: [Range<Offset>] = []

    public init() {}

    /// Ranges in any order, which may overlap.
    public init(_ ranges: some Sequence<Range<Offset>>) {
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) { append(range) }
    }

    public var isEmpty: Bool { ranges.isEmpty }
    /// Offsets in all ranges.
    public var count: Int64 { ranges.reduce(0) { $0 + ($1.upperBound - $1.lowerBound) } }

    /// Adds a range that begins at or behind the last one's beginning.
    public mutating func append(_ range: Range<Offset>) {
        guard !range.isEmpty else { return }
        guard let last = ranges.last, last.upperBound >= range.lowerBound else { return ranges.append(range) }
        precondition(range.lowerBound >= last.lowerBound, "ranges are appended in order")
        ranges[ranges.count - 1] = last.lowerBound..<max(last.upperBound, range.upperBound)
    }

    public mutating func insert(_ range: Range<Offset>) {
        guard !range.isEmpty else { return }
        // Those that touch it become one with it.
        let first = index { $0.upperBound >= range.lowerBound }
        var end = first
        var merged = range
        while end < ranges.count, ranges[end].lowerBound <= range.upperBound {
            merged = min(merged.lowerBound, ranges[end].lowerBound)..<max(merged.upperBound, ranges[end].upperBound)
            end += 1
        }
        ranges.replaceSubrange(first..<end, with: CollectionOfOne(merged))
    }

    /// Whether every offset of `range` is in one of the ranges; true for an empty one.
    public func covers(_ range: Range<Offset>) -> Bool {
        if range.isEmpty { return true }
        let at = index { $0.upperBound > range.lowerBound }
        return at < ranges.count && ranges[at].lowerBound <= range.lowerBound && ranges[at].upperBound >= range.upperBound
    }

    public func contains(_ offset: Offset) -> Bool { covers(offset..<(offset + 1)) }

    /// What of `range` is in the set.
    public func intersection(_ range: Range<Offset>) -> OffsetRanges {
        var result = OffsetRanges()
        var at = index { $0.upperBound > range.lowerBound }
        while at < ranges.count, ranges[at].lowerBound < range.upperBound {
            result.append(ranges[at].clamped(to: range))
            at += 1
        }
        return result
    }

    /// What of `range` is not in the set, in order.
    public func missing(in range: Range<Offset>) -> [Range<Offset>] {
        var result: [Range<Offset>] = []
        var from = range.lowerBound
        var at = index { $0.upperBound > range.lowerBound }
        while at < ranges.count, ranges[at].lowerBound < range.upperBound {
            if ranges[at].lowerBound > from { result.append(from..<ranges[at].lowerBound) }
            from = ranges[at].upperBound
            at += 1
        }
        if from < range.upperBound { result.append(from..<range.upperBound) }
        return result
    }

    public func union(_ other: OffsetRanges) -> OffsetRanges {
        if isEmpty { return other }
        if other.isEmpty { return self }
        var result = OffsetRanges()
        var left = ranges[...]
        var right = other.ranges[...]
        while let next = [left.first, right.first].compactMap({ $0 }).min(by: { $0.lowerBound < $1.lowerBound }) {
            result.append(next)
            if left.first == next { left.removeFirst() } else { right.removeFirst() }
        }
        return result
    }

    public func intersection(_ other: OffsetRanges) -> OffsetRanges {
        var result = OffsetRanges()
        var (mine, theirs) = (0, 0)
        while mine < ranges.count, theirs < other.ranges.count {
            let (a, b) = (ranges[mine], other.ranges[theirs])
            if a.overlaps(b) { result.append(a.clamped(to: b)) }
            if a.upperBound < b.upperBound { mine += 1 } else { theirs += 1 }
        }
        return result
    }

    public func subtracting(_ other: OffsetRanges) -> OffsetRanges {
        if other.isEmpty { return self }
        var result = OffsetRanges()
        for range in ranges { for piece in other.missing(in: range) { result.append(piece) } }
        return result
    }

    /// The first range for which `isFound` holds; it holds for all behind it too.
    private func index(where isFound: (Range<Offset>) -> Bool) -> Int {
        var low = 0
        var high = ranges.count
        while low < high {
            let middle = (low + high) / 2
            if isFound(ranges[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
