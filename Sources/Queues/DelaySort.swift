/// Sorting index entries by key. They come nearly always in the order of their refs, so sorting by due time alone, stably and digit by
/// digit, does most of it. What moves is eight bytes an entry, its due time before its place: the entries are fetched once, at the end.
///
/// ```
/// dues 9,000 7,000 7,000   →   0x07D0_0000_0000  0x0000_0000_0001  0x0000_0000_0002   →   entries 1 2 0
/// ```
enum DelaySort {
    private static let digitBits = 11
    /// Below this, and for due times further apart than 32 bits (49 days), comparing is as good.
    private static let leastCount = 256

    static func sorted(_ entries: [DelayEntry]) -> [DelayEntry] {
        guard entries.count >= leastCount, entries.count <= Int(UInt32.max) else { return compared(entries) }
        var least = Int64.max
        var most = Int64.min
        for entry in entries {
            least = min(least, entry.dueMs)
            most = max(most, entry.dueMs)
        }
        let (range, isOver) = most.subtractingReportingOverflow(least)
        let bits = Int64.bitWidth - range.leadingZeroBitCount
        guard !isOver, bits <= 32 else { return compared(entries) }
        var from = entries.enumerated().map { place, entry in UInt64(entry.dueMs - least) << 32 | UInt64(place) }
        var to = from
        for shift in stride(from: 32, to: 32 + bits, by: digitBits) {
            distribute(from, &to, shift)
            swap(&from, &to)
        }
        var sorted = from.map { entries[Int($0 & 0xFFFF_FFFF)] }
        orderRefs(&sorted)
        return sorted
    }

    private static func compared(_ entries: [DelayEntry]) -> [DelayEntry] { entries.sorted { $0.key < $1.key } }

    /// One pass: a stable distribution by the digit at `shift`.
    private static func distribute(_ from: [UInt64], _ to: inout [UInt64], _ shift: Int) {
        let mask = UInt64(1) << UInt64(digitBits) - 1
        withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 1 << digitBits) { places in
            places.initialize(repeating: 0)
            from.withUnsafeBufferPointer { from in
                to.withUnsafeMutableBufferPointer { to in
                    for pair in from { places[Int(pair >> UInt64(shift) & mask)] += 1 }
                    var next: UInt32 = 0
                    for digit in places.indices {
                        let count = places[digit]
                        places[digit] = next
                        next += count
                    }
                    for pair in from {
                        let digit = Int(pair >> UInt64(shift) & mask)
                        to[Int(places[digit])] = pair
                        places[digit] += 1
                    }
                }
            }
        }
    }

    /// Puts entries that are due together in the order of their refs.
    private static func orderRefs(_ entries: inout [DelayEntry]) {
        var start = 0
        for index in 1..<max(1, entries.count) where entries[index].key < entries[index - 1].key {
            // Found out of order: its whole group is sorted, once.
            guard index >= start else { continue }
            let dueMs = entries[index].dueMs
            var low = index
            while low > 0, entries[low - 1].dueMs == dueMs { low -= 1 }
            var high = index
            while high < entries.count, entries[high].dueMs == dueMs { high += 1 }
            entries[low..<high].sort { $0.ref < $1.ref }
            start = high
        }
    }
}
