/// Sorting index entries by key. They come nearly always in the order of their refs, so sorting by due time alone, stably and digit by
/// digit, does most of it: 131,072 entries due within two hours take three passes.
enum DelaySort {
    private static let digitBits = 11
    /// Below this, and for due times further apart than three digits, comparing is as good.
    private static let leastCount = 256

    static func sorted(_ entries: [DelayEntry]) -> [DelayEntry] {
        guard entries.count >= leastCount, entries.count <= Int(Int32.max) else { return compared(entries) }
        var least = Int64.max
        var most = Int64.min
        for entry in entries {
            least = min(least, entry.dueMs)
            most = max(most, entry.dueMs)
        }
        let (range, isOver) = most.subtractingReportingOverflow(least)
        let bits = Int64.bitWidth - range.leadingZeroBitCount
        guard !isOver, bits <= 3 * digitBits else { return compared(entries) }
        var from = entries
        if bits > 0 {
            var to = entries
            for shift in stride(from: 0, to: bits, by: digitBits) {
                distribute(from, &to, least, shift)
                swap(&from, &to)
            }
        }
        orderRefs(&from)
        return from
    }

    private static func compared(_ entries: [DelayEntry]) -> [DelayEntry] { entries.sorted { $0.key < $1.key } }

    /// One pass: a stable distribution by the digit at `shift`.
    private static func distribute(_ from: [DelayEntry], _ to: inout [DelayEntry], _ least: Int64, _ shift: Int) {
        let mask = Int64(1) << Int64(digitBits) - 1
        withUnsafeTemporaryAllocation(of: Int32.self, capacity: 1 << digitBits) { places in
            places.initialize(repeating: 0)
            from.withUnsafeBufferPointer { from in
                to.withUnsafeMutableBufferPointer { to in
                    for entry in from { places[Int((entry.dueMs - least) >> Int64(shift) & mask)] += 1 }
                    var next: Int32 = 0
                    for digit in places.indices {
                        let count = places[digit]
                        places[digit] = next
                        next += count
                    }
                    for entry in from {
                        let digit = Int((entry.dueMs - least) >> Int64(shift) & mask)
                        to[Int(places[digit])] = entry
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
