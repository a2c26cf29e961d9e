/// Runs of offsets with a value each, sorted and disjoint; neighbours with equal values are one run.
///
/// ```
/// insert 0..<5 "a", insert 5..<9 "a"   → [0, 9) a
/// remove 3..<4                         → [0, 3) a  [4, 9) a, and reports [3, 4) a
/// ```
/// Runs lie in chunks of up to ``chunkRuns``, so that an insertion in the middle of a million moves a few kilobytes.
struct RunMap<Value: Equatable & Sendable>: Sendable {
    struct Run: Sendable {
        var first: Int64
        /// The offset after the last.
        var end: Int64
        var value: Value

        var count: Int64 { end - first }
    }

    private static var chunkRuns: Int { 256 }
    /// No chunk is empty.
    private(set) var chunks: ContiguousArray<ContiguousArray<Run>> = []
    /// Offsets in all runs.
    private(set) var count: Int64 = 0
    private(set) var runCount = 0

    var isEmpty: Bool { chunks.isEmpty }
    var first: Run? { chunks.first?.first }
    var last: Run? { chunks.last?.last }

    /// The place of the first run that ends after `offset`; past the last chunk when there is none.
    private func place(after offset: Int64) -> (chunk: Int, run: Int) {
        var low = 0
        var high = chunks.count
        while low < high {
            let middle = (low + high) / 2
            if chunks[middle][chunks[middle].count - 1].end > offset { high = middle } else { low = middle + 1 }
        }
        guard low < chunks.count else { return (low, 0) }
        let chunk = low
        low = 0
        high = chunks[chunk].count
        while low < high {
            let middle = (low + high) / 2
            if chunks[chunk][middle].end > offset { high = middle } else { low = middle + 1 }
        }
        return (chunk, low)
    }

    /// The run that holds `offset`, or the first one behind it.
    func run(atOrAfter offset: Int64) -> Run? {
        let (chunk, run) = place(after: offset)
        return chunk < chunks.count ? chunks[chunk][run] : nil
    }

    /// Calls `body` with every run that overlaps `range`, cut to it, in order, until it returns false.
    func forEach(in range: Range<Int64>, _ body: (Run) -> Bool) {
        guard !isEmpty, !range.isEmpty else { return }
        var (chunk, index) = place(after: range.lowerBound)
        while chunk < chunks.count {
            while index < chunks[chunk].count {
                var run = chunks[chunk][index]
                guard run.first < range.upperBound else { return }
                run.first = Swift.max(run.first, range.lowerBound)
                run.end = Swift.min(run.end, range.upperBound)
                guard body(run) else { return }
                index += 1
            }
            chunk += 1
            index = 0
        }
    }

    func forEach(_ body: (Run) -> Bool) { forEach(in: Int64.min..<Int64.max, body) }

    // MARK: Changes

    /// Adds a run. Nothing of `range` may be in the map.
    mutating func insert(_ range: Range<Int64>, _ value: Value) {
        guard !range.isEmpty else { return }
        count += range.upperBound - range.lowerBound
        let run = Run(first: range.lowerBound, end: range.upperBound, value: value)
        guard !chunks.isEmpty else {
            chunks.append([run])
            runCount = 1
            return
        }
        var (chunk, index) = place(after: range.lowerBound)
        if chunk == chunks.count {
            chunk -= 1
            index = chunks[chunk].count
        }
        precondition(
            index == chunks[chunk].count || chunks[chunk][index].first >= range.upperBound, "a run may not overlap another")
        let joinsNext =
            index < chunks[chunk].count && chunks[chunk][index].first == range.upperBound && chunks[chunk][index].value == value
        if let before = previous(chunk, index), before.end == range.lowerBound, before.value == value {
            let (at, place) = index > 0 ? (chunk, index - 1) : (chunk - 1, chunks[chunk - 1].count - 1)
            if joinsNext {
                chunks[at][place].end = chunks[chunk][index].end
                removeRuns(index..<index + 1, of: chunk)
            } else {
                chunks[at][place].end = range.upperBound
            }
        } else if joinsNext {
            chunks[chunk][index].first = range.lowerBound
        } else {
            chunks[chunk].insert(run, at: index)
            runCount += 1
            splitIfFull(chunk)
        }
    }

    private func previous(_ chunk: Int, _ index: Int) -> Run? {
        if index > 0 { return chunks[chunk][index - 1] }
        return chunk > 0 ? chunks[chunk - 1][chunks[chunk - 1].count - 1] : nil
    }

    /// Takes `range` out and calls `each` with what was there, in order. Returns the number of offsets taken.
    @discardableResult
    mutating func remove(_ range: Range<Int64>, _ each: (Run) -> Void = { _ in }) -> Int64 {
        guard !isEmpty, !range.isEmpty else { return 0 }
        let before = count
        var (chunk, index) = place(after: range.lowerBound)
        while chunk < chunks.count {
            // Runs of this chunk that overlap: a left rest of the first and a right rest of the last stay.
            let from = index
            var leftRest: Run?
            var rightRest: Run?
            while index < chunks[chunk].count, chunks[chunk][index].first < range.upperBound {
                var run = chunks[chunk][index]
                if run.first < range.lowerBound {
                    leftRest = Run(first: run.first, end: range.lowerBound, value: run.value)
                    run.first = range.lowerBound
                }
                if run.end > range.upperBound {
                    rightRest = Run(first: range.upperBound, end: run.end, value: run.value)
                    run.end = range.upperBound
                }
                count -= run.count
                each(run)
                index += 1
            }
            guard index > from else { break }
            let isLast = rightRest != nil || index < chunks[chunk].count
            let chunksBefore = chunks.count
            replace(from..<index, of: chunk, by: leftRest, rightRest)
            if isLast { break }
            if chunks.count >= chunksBefore { chunk += 1 }
            index = 0
        }
        return before - count
    }

    /// Replaces runs of a chunk by at most two; allocates only when a chunk has to grow.
    private mutating func replace(_ range: Range<Int>, of chunk: Int, by left: Run?, _ right: Run?) {
        var at = range.lowerBound
        if let left {
            chunks[chunk][at] = left
            at += 1
        }
        if let right {
            if at < range.upperBound {
                chunks[chunk][at] = right
            } else {
                chunks[chunk].insert(right, at: at)
                runCount += 1
                return splitIfFull(chunk)
            }
            at += 1
        }
        if at < range.upperBound { removeRuns(at..<range.upperBound, of: chunk) }
    }

    private mutating func removeRuns(_ range: Range<Int>, of chunk: Int) {
        runCount -= range.count
        if range.count == chunks[chunk].count {
            chunks.remove(at: chunk)
        } else {
            chunks[chunk].removeSubrange(range)
        }
    }

    private mutating func splitIfFull(_ chunk: Int) {
        guard chunks[chunk].count > Self.chunkRuns else { return }
        let half = chunks[chunk].count / 2
        let upper = ContiguousArray(chunks[chunk][half...])
        chunks[chunk].removeSubrange(half...)
        chunks.insert(upper, at: chunk + 1)
    }
}
