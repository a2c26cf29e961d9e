import Model

/// What a queue's log need not keep.
extension QueueCursor {
    /// Stretches of messages that are settled and that no purge could bring back: the longest `limit` of them.
    public func settledRanges(limit: Int) -> OffsetRanges {
        let whole = floor..<max(floor, frontier)
        var kept: [Range<Int64>] = []
        for purge in purges {
            purge.ready.collect(whole, &kept)
            purge.waiting.collect(whole, &kept)
        }
        var settled = gaps(in: whole).map { Range<Offset>($0.lowerBound, $0.upperBound) }
        if !kept.isEmpty {
            let needed = OffsetRanges(kept.map { Range($0.lowerBound, $0.upperBound) })
            settled = settled.flatMap { needed.missing(in: $0) }
        }
        if settled.count > limit {
            settled.sort { $0.upperBound - $0.lowerBound > $1.upperBound - $1.lowerBound }
            settled.removeLast(settled.count - limit)
        }
        return OffsetRanges(settled)
    }
}

extension QueueFact {
    /// Messages that were settled may be open after it.
    public var reopens: Bool {
        switch self {
        case .replayed, .undone, .start, .cut: true
        default: false
        }
    }
}
