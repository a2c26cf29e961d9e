import Model

/// How many messages wait, by target and by when they are due, kept without scanning: seconds for what came in less than ten minutes
/// before its time, minutes for hours, hours for days, days beyond.
///
/// ```
/// due 1,000,500 of band 0 → second 1,000     due 90,000,000 of band 1 → minute 1,500
/// ```
public struct DelayCounts: Equatable, Sendable {
    /// [startMs, startMs + lengthMs)
    public struct Span: Hashable, Sendable {
        /// Start, with the resolution in the two lowest bits: starts are whole seconds, hence multiples of 8 ms.
        fileprivate var code: Int64

        static let lengths: [Int64] = [1_000, 60_000, 3_600_000, 86_400_000]

        init(startMs: Int64, resolution: Int) {
            code = startMs / Self.lengths[resolution] * Self.lengths[resolution] | Int64(resolution)
        }

        init(dueMs: Int64, band: Int, atLeast resolution: Int) {
            self.init(startMs: dueMs, resolution: max(resolution, band == 0 ? 0 : band < 3 ? 1 : band < 5 ? 2 : 3))
        }

        public init?(code: Int64) {
            guard code >= 0, code & 7 == code & 3 else { return nil }
            self.code = code
        }

        public var coded: Int64 { code }

        public var startMs: Int64 { code & ~3 }
        public var lengthMs: Int64 { Self.lengths[Int(code & 3)] }
        public var endMs: Int64 { startMs + lengthMs }
    }

    public private(set) var byTarget: [UInt32: [Span: Int64]] = [:]
    public private(set) var totals: [UInt32: Int64] = [:]
    /// Spans of all targets together; past the limit all are made coarser, so that many targets with scattered messages stay bounded.
    private var spanCount = 0
    private let spanLimit: Int
    private var coarseness = 0

    public init(spanLimit: Int = 100_000) { self.spanLimit = spanLimit }

    /// The span that a message is counted in.
    public func span(dueMs: Int64, band: Int) -> Span { Span(dueMs: dueMs, band: band, atLeast: coarseness) }

    public var total: Int64 { totals.values.reduce(0, +) }

    public mutating func add(_ count: Int64, dueMs: Int64, band: Int, target: UInt32) {
        add(count, in: span(dueMs: dueMs, band: band), target: target)
    }

    public mutating func add(_ entry: DelayEntry, sign: Int64 = 1) {
        add(sign * Int64(entry.count), dueMs: entry.dueMs, band: entry.ref.band, target: entry.target)
    }

    /// Messages of one band and target.
    public mutating func add(contentsOf entries: [DelayEntry]) {
        guard entries.count > 8, let first = entries.first else {
            for entry in entries { add(entry) }
            return
        }
        var least = first.dueMs
        var most = first.dueMs
        for entry in entries {
            least = min(least, entry.dueMs)
            most = max(most, entry.dueMs)
        }
        let start = span(dueMs: least, band: first.ref.band)
        let lengthMs = start.lengthMs
        let places = (most - start.startMs) / lengthMs + 1
        guard places <= 4 * entries.count else {
            for entry in entries { add(entry) }
            return
        }
        // One look-up for all messages of a span.
        withUnsafeTemporaryAllocation(of: Int64.self, capacity: Int(places)) { sums in
            sums.initialize(repeating: 0)
            for entry in entries { sums[Int((entry.dueMs - start.startMs) / lengthMs)] += Int64(entry.count) }
            for place in sums.indices where sums[place] > 0 {
                let span = Span(startMs: start.startMs + Int64(place) * lengthMs, resolution: Int(start.coded & 3))
                add(sums[place], in: span, target: first.target)
            }
        }
    }

    /// Entries by due time, of any bands and targets.
    public mutating func add(sorted entries: [DelayEntry], sign: Int64 = 1) {
        var open: (span: Span, target: UInt32, count: Int64)?
        for entry in entries {
            let span = span(dueMs: entry.dueMs, band: entry.ref.band)
            if let known = open, known.span == span, known.target == entry.target {
                open?.count += sign * Int64(entry.count)
            } else {
                if let known = open { add(known.count, in: known.span, target: known.target) }
                open = (span, entry.target, sign * Int64(entry.count))
            }
        }
        if let known = open { add(known.count, in: known.span, target: known.target) }
    }

    /// - Parameter span: made by these counts or, coarser or finer, by those of an earlier run.
    public mutating func add(_ count: Int64, in span: Span, target: UInt32) {
        guard count != 0 else { return }
        let resolution = max(coarseness, Int(span.coded & 3))
        let span = Span(startMs: span.startMs, resolution: resolution)
        let before = byTarget[target]?[span] ?? 0
        let after = max(0, before + count)
        if before == 0, after > 0 { spanCount += 1 }
        if before > 0, after == 0 { spanCount -= 1 }
        byTarget[target, default: [:]][span] = after > 0 ? after : nil
        let total = totals[target, default: 0] + after - before
        totals[target] = total > 0 ? total : nil
        if total <= 0 { byTarget[target] = nil }
        if spanCount > spanLimit, coarseness < Span.lengths.count - 1 { coarsen() }
    }

    private mutating func coarsen() {
        coarseness += 1
        spanCount = 0
        for (target, spans) in byTarget {
            var coarse: [Span: Int64] = [:]
            for (span, count) in spans {
                coarse[Span(startMs: span.startMs, resolution: max(coarseness, Int(span.coded & 3))), default: 0] += count
            }
            spanCount += coarse.count
            byTarget[target] = coarse
        }
    }

    public mutating func remove(target: UInt32) {
        spanCount -= byTarget[target]?.count ?? 0
        byTarget[target] = nil
        totals[target] = nil
    }

    /// The start of the first span in which a message of the targets (nil: of any) is due.
    public func firstMs(targets: Set<UInt32>?) -> Int64? {
        byTarget.filter { targets?.contains($0.key) ?? true }.compactMap { $0.value.keys.map(\.startMs).min() }.min()
    }

    /// Messages due in [fromMs, toMs), of the targets named (nil: all). A span that lies partly inside counts with its share: nothing in
    /// front of `nowMs` can still be there, so a span that is running counts from there.
    public func count(fromMs: Int64, toMs: Int64, nowMs: Int64, targets: Set<UInt32>?) -> Double {
        var sum = 0.0
        for (target, spans) in byTarget where targets?.contains(target) ?? true {
            for (span, count) in spans {
                let isRunning = span.startMs <= nowMs && nowMs < span.endMs
                let start = isRunning ? nowMs : span.startMs
                let overlap = min(toMs, span.endMs) - max(fromMs, start)
                if overlap > 0 { sum += Double(count) * Double(overlap) / Double(span.endMs - start) }
            }
        }
        return sum
    }
}
