import Model

/// When the records of a partition were appended, by the broker's clock: stretches of offsets, the newest ones a second long at most, older
/// ones as coarse as their age allows. Clients may stamp anything on their records, and a delayed one carries the time of its publish; so
/// ages and time lags take a record's stamp as it is only where it fits what is known here.
///
/// ```
/// appends 0..<10 at 12:00:00.0, 10..<20 at 12:00:00.9, 20..<30 at 12:30:00
/// stretches [0: 12:00:00.0 to 12:00:00.9] [20: 12:30:00 to 12:30:00]
/// record 5, stamped 12:00:00.4 → 12:00:00.4     record 25, stamped 12:00 (it was delayed until now) → 12:30:00
/// ```
/// A stretch ends where the next one begins; the last one goes on to the log's end. Times never go back.
struct AppendTimes: Sendable, Equatable {
    struct Stretch: Sendable, Equatable {
        var first: Offset
        /// When its first and its last record were appended, as far as is known: not before and not after.
        var oldest: Timestamp
        var newest: Timestamp
    }
    private(set) var stretches: [Stretch] = []
    /// Stretches kept; past it the older ones become longer.
    let limit: Int

    private static let stretchMs: Int64 = 1_000
    /// A stretch is no longer than this part of its age, or a larger part where there are too many.
    private static let finestPart: Int64 = 64

    init(limit: Int, stretches: [Stretch] = []) {
        self.limit = limit
        self.stretches = stretches
    }

    /// Records from `first` on were appended at `now`.
    mutating func note(_ first: Offset, at now: Timestamp) {
        guard let last = stretches.last else { return stretches.append(Stretch(first: first, oldest: now, newest: now)) }
        let now = max(now, last.newest)
        if now - last.oldest < Self.stretchMs {
            stretches[stretches.count - 1].newest = now
        } else {
            stretches.append(Stretch(first: first, oldest: now, newest: now))
            if stretches.count > limit { thin(now: now) }
        }
    }

    /// With stretches that are as long as they are old a year takes about fifty of them.
    private mutating func thin(now: Timestamp) {
        var part = Self.finestPart
        while part > 0, stretches.count > limit * 3 / 4 {
            var kept: [Stretch] = []
            kept.reserveCapacity(stretches.count)
            for stretch in stretches {
                if let last = kept.last, stretch.newest - last.oldest <= (now - stretch.newest) / part {
                    kept[kept.count - 1].newest = stretch.newest
                } else {
                    kept.append(stretch)
                }
            }
            stretches = kept
            part /= 2
        }
        if stretches.count > limit { stretches.removeFirst(stretches.count - limit) }
    }

    /// When the record at `offset` was appended: its stamp, or what is nearest to it of what is known.
    func appendedAt(_ offset: Offset, stamp: Timestamp) -> Timestamp {
        guard let index = stretch(of: offset) else { return stretches.first.map { min(stamp, $0.oldest) } ?? stamp }
        return min(max(stamp, stretches[index].oldest), stretches[index].newest)
    }

    /// When the record at `offset` was appended, where that is known to the second whatever its stamp says.
    func known(_ offset: Offset) -> Timestamp? {
        stretch(of: offset).flatMap { index in
            stretches[index].newest - stretches[index].oldest < Self.stretchMs ? stretches[index].oldest : nil
        }
    }

    /// What is known of the records from `offset` on.
    func stretches(from offset: Offset) -> ArraySlice<Stretch> { stretches[(stretch(of: offset) ?? 0)...] }

    /// Records before `start` are gone.
    mutating func trim(before start: Offset) {
        if let index = stretch(of: start), index > 0 { stretches.removeFirst(index) }
    }

    private func stretch(of offset: Offset) -> Int? {
        var low = 0
        var high = stretches.count
        while low < high {
            let middle = (low + high) / 2
            if stretches[middle].first <= offset { low = middle + 1 } else { high = middle }
        }
        return low > 0 ? low - 1 : nil
    }

    /// What a start knows: of records behind `savedEnd` only that they came after what was saved.
    /// - Parameters:
    ///   - end: the log's end as it was found.
    ///   - savedEnd: what it was at `savedAt`, when this was written down.
    mutating func recover(end: Offset, savedEnd: Offset, savedAt: Timestamp, now: Timestamp) {
        // The log may have lost its tail.
        stretches.removeAll { $0.first >= end }
        guard savedEnd < end else { return }
        let oldest = max(savedAt, stretches.last?.newest ?? savedAt)
        stretches.append(Stretch(first: savedEnd, oldest: oldest, newest: max(oldest, now)))
        if stretches.count > limit { thin(now: max(oldest, now)) }
    }
}
