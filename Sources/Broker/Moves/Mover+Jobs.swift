import Model
import Queues

/// What jobs ask of a shard's cursors; callable from any task.
extension Mover {
    /// A piece of a source: the messages to look at, and up to where these are all there are.
    struct Stretch: Sendable {
        var ranges: [Range<Offset>] = []
        var end: Offset
    }

    /// The next messages of `gap` that can be moved, or with `settled` those that are settled; `count` at most, of `named` if given.
    func stretch(_ key: ShareKey, _ gap: Range<Offset>, count: Int, settled: Bool, named: Set<Offset>?) async -> Stretch {
        let limit = limits.moveRecords
        var (ranges, end) = await shard.ask { shard -> ([Range<Offset>], Offset) in
            guard let source = shard.mover?.source else { return ([], gap.upperBound) }
            let found = settled ? source.open(key, in: gap, limit: limit) : source.movable(key, in: gap, limit: limit)
            let end = found.count < limit ? gap.upperBound : found[found.count - 1].upperBound
            guard settled else { return (found, end) }
            // What retention freed can't be read again.
            let gone = shard.partitions[key.partition]?.holes ?? OffsetRanges()
            return (Self.between(found, gap.lowerBound..<end).flatMap { gone.missing(in: $0) }, end)
        }
        if let named {
            ranges = Burial.ranges(named.filter { offset in ranges.contains { $0.contains(offset) } })
        }
        var stretch = Stretch(end: end)
        var left = Int64(count)
        for range in ranges {
            let take = min(left, range.upperBound - range.lowerBound)
            stretch.ranges.append(range.lowerBound..<(range.lowerBound + take))
            left -= take
            if left == 0 {
                stretch.end = range.lowerBound + take
                break
            }
        }
        return stretch
    }

    /// What of `whole` is in none of the ranges.
    static func between(_ ranges: [Range<Offset>], _ whole: Range<Offset>) -> [Range<Offset>] {
        var result: [Range<Offset>] = []
        var from = whole.lowerBound
        for range in ranges {
            if from < range.lowerBound { result.append(from..<min(range.lowerBound, whole.upperBound)) }
            from = max(from, range.upperBound)
        }
        if from < whole.upperBound { result.append(from..<whole.upperBound) }
        return result
    }

    func claim(_ key: ShareKey, _ ranges: [Range<Offset>]) async -> [Range<Offset>] {
        await shard.ask { $0.mover?.source?.claim(key, ranges) ?? [] }
    }
}
