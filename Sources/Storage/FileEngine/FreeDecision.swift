import Model

/// What of a stream goes when ranges of it are freed. Pure: segments in, a decision out.
///
/// ```
/// segments [0,50) [50,90) [90,120) active [120,130)    free [10,95) [100,125)
/// → [50,90) goes; [90,120) is rewritten to 95..<100; of [0,50) and the active one too little is free
/// ```
struct FreeDecision: Equatable {
    /// Everything goes; the active segment is rolled first.
    var isAll = false
    /// Segments that go as they are.
    var removals: [SegmentName] = []
    /// Segments that may be worth rewriting.
    var rewrites: [SegmentName] = []
    /// Whether one of these is the active segment, which must be closed first.
    var rollsActive = false
    /// The segment with the stream's last batch, which stays.
    var last: SegmentName?

    /// - Parameters:
    ///   - rewriteBytes: what a segment's rewriting must free at least, by its share of the records.
    ///   - rewriteLimit: segments that are rewritten at a time.
    static func free(_ segments: [Segment], _ ranges: OffsetRanges, rewriteBytes: Int64, rewriteLimit: Int) -> FreeDecision {
        var decision = FreeDecision()
        guard let lastFilled = segments.lastIndex(where: { $0.bytes > 0 }) else { return decision }
        decision.last = segments[lastFilled].name
        func isFree(_ segment: Segment) -> Bool {
            let range = segment.base..<segment.next
            return segment.gaps.isEmpty ? ranges.covers(range) : ranges.intersection(range).union(segment.gaps).covers(range)
        }
        if segments.allSatisfy(isFree) {
            decision.isAll = true
            decision.rollsActive = segments[segments.count - 1].bytes > 0
            return decision
        }
        for (index, segment) in segments.enumerated() where segment.bytes > 0 {
            if index != lastFilled, index != segments.count - 1, isFree(segment) {
                decision.removals.append(segment.name)
            } else if decision.rewrites.count < rewriteLimit, pays(segment, ranges, rewriteBytes) {
                decision.rewrites.append(segment.name)
                if index == segments.count - 1 { decision.rollsActive = true }
            }
        }
        return decision
    }

    /// Whether at least half of a segment's records are freed and this many bytes, as far as can be told without reading it.
    private static func pays(_ segment: Segment, _ ranges: OffsetRanges, _ rewriteBytes: Int64) -> Bool {
        let freed = freed(segment, ranges)
        let records = segment.next - segment.base - segment.gaps.count
        guard records > 0, freed * 2 >= records, freed > segment.vainlyFreed else { return false }
        return Double(segment.bytes) * Double(freed) / Double(records) >= Double(rewriteBytes)
    }

    /// Records of a segment that are still there and are freed.
    static func freed(_ segment: Segment, _ ranges: OffsetRanges) -> Int64 {
        ranges.intersection(segment.base..<segment.next).subtracting(segment.gaps).count
    }
}
