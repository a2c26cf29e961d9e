import Model

/// Which segments may go. Pure: segments in, a decision out.
struct RetentionDecision: Equatable {
    /// Whether the segment being written must be closed first, because it is to be removed itself.
    var rollsActive = false
    /// How many of the oldest segments go.
    var removals = 0

    /// Segments that hold only offsets below `before`.
    /// ```
    /// segments [0,50) [50,90) [90,120): before 60 → 1 goes; before 90 → 2; before 120 → the active one is rolled and 3 go
    /// ```
    static func trim(_ segments: [Segment], before: Offset) -> RetentionDecision {
        let removals = segments.prefix { $0.next <= before && $0.bytes > 0 }.count
        return RetentionDecision(rollsActive: removals == segments.count, removals: removals)
    }

    /// Kafka's rules: by time, segments whose newest record is older; by size, the oldest while what remains is still at least `maxBytes`.
    /// A segment without any timestamp is never too old.
    static func retain(_ segments: [Segment], _ retention: Retention) -> RetentionDecision {
        var removals = 0
        if let olderThan = retention.olderThan {
            removals = segments.prefix { $0.bytes > 0 && $0.maxTimestamp > .none && $0.maxTimestamp < olderThan }.count
        }
        if let maxBytes = retention.maxBytes {
            var left = segments.dropFirst(removals).reduce(0) { $0 + $1.bytes }
            while removals < segments.count - 1, left - segments[removals].bytes >= maxBytes {
                left -= segments[removals].bytes
                removals += 1
            }
        }
        if let below = retention.below { removals = min(removals, segments.prefix { $0.next <= below }.count) }
        return RetentionDecision(rollsActive: removals == segments.count, removals: removals)
    }
}
