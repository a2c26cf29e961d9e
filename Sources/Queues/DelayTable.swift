/// A band's newest index entries, in memory. Those that are due soon are a heap; the others only lie there in the order of their arrival,
/// for most messages that wait long are written out before anybody asks for their place.
///
/// ```
/// near < horizon 61,000 ≤ far    insert due 60,500 → near     insert due 3,660,000 → far
/// near is empty                  → the horizon moves on, and what lies before it becomes the heap
/// ```
public struct DelayTable: Sendable {
    private var near = DelayHeap()
    private var far: [DelayEntry] = []
    /// The first of `far`.
    private var farFirst: DelayKey?
    /// Nothing in `far` is due before this.
    private var horizonMs = Int64.min

    /// The horizon moves on by so much at least, and by so much that a sixteenth of `far` comes before it: looking through all of them must
    /// be worth it.
    private static let stepMs: Int64 = 1_000
    /// Arrays larger than this grow by less than double.
    private static let largeCount = 32_768

    public init() {}

    /// - Parameter room: entries that it will most likely get; growing to that bit by bit would copy them several times.
    init(room: Int) { far.reserveCapacity(room) }

    public var count: Int { near.count + far.count }
    public var isEmpty: Bool { near.isEmpty && far.isEmpty }

    /// The key of the first entry.
    public var firstKey: DelayKey? { near.first?.key ?? farFirst }

    /// All of them, in no order.
    public var entries: [DelayEntry] { near.isEmpty ? far : near.entries + far }

    public mutating func insert(_ entry: DelayEntry) {
        if entry.dueMs < horizonMs {
            near.insert(entry)
        } else {
            makeRoom(1)
            far.append(entry)
            farFirst = min(farFirst ?? entry.key, entry.key)
        }
    }

    public mutating func insert(contentsOf entries: [DelayEntry]) {
        guard let first = entries.first else { return }
        var least = first.key
        for entry in entries where entry.key < least { least = entry.key }
        guard least.dueMs >= horizonMs else {
            for entry in entries { insert(entry) }
            return
        }
        makeRoom(entries.count)
        far.append(contentsOf: entries)
        farFirst = min(farFirst ?? least, least)
    }

    private mutating func makeRoom(_ added: Int) {
        let needed = far.count + added
        guard needed > far.capacity, needed > Self.largeCount else { return }
        far.reserveCapacity(needed + needed / 4)
    }

    // MARK: The first entry

    /// The first entry; brings it forward if it still lies with the others.
    public mutating func first() -> DelayEntry? {
        if near.isEmpty { advance() }
        return near.first
    }

    @discardableResult
    public mutating func removeFirst() -> DelayEntry? {
        if near.isEmpty { advance() }
        return near.removeFirst()
    }

    /// Puts another entry, which is due no earlier, in the place of the first.
    public mutating func replaceFirst(with entry: DelayEntry) {
        if near.isEmpty { advance() }
        near.replaceFirst(with: entry)
    }

    private mutating func advance() {
        guard let farFirst else { return }
        var stepMs = Self.stepMs
        func horizon() -> Int64 {
            let (sum, isOver) = farFirst.dueMs.addingReportingOverflow(stepMs)
            return isOver ? .max : sum
        }
        horizonMs = horizon()
        while far.count(where: { $0.dueMs < horizonMs }) < far.count / 16, horizonMs < .max {
            stepMs *= 8
            horizonMs = horizon()
        }
        var kept = 0
        var least: DelayKey?
        for index in far.indices {
            let entry = far[index]
            if entry.dueMs < horizonMs {
                near.insert(entry)
            } else {
                far[kept] = entry
                kept += 1
                least = min(least ?? entry.key, entry.key)
            }
        }
        far.removeSubrange(kept...)
        self.farFirst = least
    }
}
