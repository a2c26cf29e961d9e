import Model
import NIOCore

/// Freeing in memory: whole chunks go, sparse ones are made anew.
extension MemoryStream {
    /// A chunk is made anew when that gives back at least this much and at least half of it.
    static let rewriteBytes: Int64 = 64 << 10
    /// Holes of one stream; where there would be more, only whole chunks go.
    static let holes = 65_536

    mutating func free(_ ranges: OffsetRanges) {
        let decision = FreeDecision.free(segments, ranges, rewriteBytes: Self.rewriteBytes, rewriteLimit: .max)
        if decision.isAll {
            if decision.rollsActive { roll() }
            return chunks.removeFirst(chunks.count - 1)
        }
        if decision.rollsActive { roll() }
        let going = Set(decision.removals)
        chunks.removeAll { going.contains($0.segment.name) }
        for name in decision.rewrites where extent.holes.ranges.count < Self.holes {
            guard let index = chunks.firstIndex(where: { $0.segment.name == name }) else { continue }
            if let chunk = Self.rewritten(chunks[index], ranges, keepsLast: name == decision.last) { chunks[index] = chunk }
        }
    }

    /// A chunk without the batches that are free; nil when it does not pay.
    private static func rewritten(_ chunk: Chunk, _ freed: OffsetRanges, keepsLast: Bool) -> Chunk? {
        let name = SegmentName(chunk.segment.base, version: chunk.segment.name.version + 1)
        var result = Chunk(segment: Segment(name), bytes: ByteBuffer(), isClosed: true)
        var appender = SegmentAppender(result.segment)
        var gaps = OffsetRanges()
        var rest = chunk.bytes
        while let span = rest.withUnsafeReadableBytes({ BatchSpan($0) }), let batch = rest.readSlice(length: span.totalBytes) {
            let isLast = keepsLast && rest.readableBytes == 0
            if !isLast, freed.covers(span.base..<span.next) { continue }
            gaps.append(appender.next..<span.base)
            appender.add(span)
            result.bytes.writeImmutableBuffer(batch)
        }
        let freedBytes = chunk.segment.bytes - appender.position
        guard appender.position > 0, freedBytes >= max(rewriteBytes, appender.position) else { return nil }
        result.segment.absorb(appender)
        result.segment.gaps = gaps
        return result
    }
}
