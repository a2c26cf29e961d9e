/// Index entries in memory, the next due on top: a binary heap in one array.
public struct DelayHeap: Sendable {
    public private(set) var entries: [DelayEntry] = []

    public init() {}

    public var count: Int { entries.count }
    public var isEmpty: Bool { entries.isEmpty }
    public var first: DelayEntry? { entries.first }

    public mutating func insert(_ entry: DelayEntry) {
        entries.append(entry)
        var child = entries.count - 1
        entries.withUnsafeMutableBufferPointer { heap in
            let key = entry.key
            while child > 0 {
                let parent = (child - 1) >> 1
                if heap[parent].key <= key { break }
                heap[child] = heap[parent]
                child = parent
            }
            heap[child] = entry
        }
    }

    @discardableResult
    public mutating func removeFirst() -> DelayEntry? {
        guard let last = entries.popLast() else { return nil }
        guard let top = entries.first else { return last }
        replaceFirst(with: last)
        return top
    }

    /// Puts another entry in the place of the first.
    public mutating func replaceFirst(with entry: DelayEntry) {
        let count = entries.count
        precondition(count > 0, "an empty table has no first entry")
        let key = entry.key
        entries.withUnsafeMutableBufferPointer { heap in
            var hole = 0
            while true {
                var child = 2 * hole + 1
                guard child < count else { break }
                if child + 1 < count, heap[child + 1].key < heap[child].key { child += 1 }
                if key <= heap[child].key { break }
                heap[hole] = heap[child]
                hole = child
            }
            heap[hole] = entry
        }
    }
}
