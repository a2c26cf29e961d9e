import Model
import NIOCore

/// What a sparse index keeps of a place in a segment.
protocol IndexEntry: BitwiseCopyable, Sendable {
    /// Bytes of one entry in a file.
    static var encodedBytes: Int { get }
    /// Tells the two kinds of index files apart.
    static var magic: UInt32 { get }
    /// Where in the segment the batch begins that the entry is about.
    var position: UInt32 { get }
    func write(to buffer: inout ByteBuffer)
    static func read(from buffer: inout ByteBuffer) -> Self?
}

/// "The batch at `position` begins with offset base + `relativeOffset`."
struct OffsetEntry: IndexEntry, Equatable {
    var relativeOffset: UInt32
    var position: UInt32

    static let encodedBytes = 8
    static let magic: UInt32 = 0x5749_4f31  // WIO1

    func write(to buffer: inout ByteBuffer) { buffer.writeMultipleIntegers(relativeOffset, position) }
    static func read(from buffer: inout ByteBuffer) -> OffsetEntry? {
        buffer.readMultipleIntegers(as: (UInt32, UInt32).self).map { OffsetEntry(relativeOffset: $0.0, position: $0.1) }
    }
}

/// "No batch before `position` has a timestamp above `maxTimestampBefore`."
struct TimeEntry: IndexEntry, Equatable {
    /// Halves of an Int64, so that an entry takes 12 bytes in memory and not 16.
    private var high: Int32
    private var low: UInt32
    var position: UInt32

    init(maxTimestampBefore: Timestamp, position: UInt32) {
        high = Int32(truncatingIfNeeded: maxTimestampBefore.ms >> 32)
        low = UInt32(truncatingIfNeeded: maxTimestampBefore.ms)
        self.position = position
    }

    var maxTimestampBefore: Timestamp { Timestamp(ms: Int64(high) << 32 | Int64(low)) }

    static let encodedBytes = 12
    static let magic: UInt32 = 0x5749_5431  // WIT1

    func write(to buffer: inout ByteBuffer) { buffer.writeMultipleIntegers(maxTimestampBefore.ms, position) }
    static func read(from buffer: inout ByteBuffer) -> TimeEntry? {
        buffer.readMultipleIntegers(as: (Int64, UInt32).self).map {
            TimeEntry(maxTimestampBefore: Timestamp(ms: $0.0), position: $0.1)
        }
    }
}

/// A segment's sparse index: entries by ascending position. The first ``missing`` entries may be in the index file only; they are loaded
/// when a look-up needs them, so that a stream which is only appended to and read at its end holds no index in memory.
/// ```
/// count 100 = missing 80 (file only) + 20 in memory; persisted 90: the last 10 are not in the file yet
/// ```
struct SparseIndex<Entry: IndexEntry>: Sendable {
    private(set) var entries: [Entry] = []
    /// Entries before those in memory, found in the index file only.
    private(set) var missing = 0
    /// Entries in the index file, from the first.
    private(set) var persisted = 0

    /// - Parameter onFile: entries that an index file of an earlier run holds.
    init(onFile: Int = 0) {
        missing = onFile
        persisted = onFile
    }

    var count: Int { missing + entries.count }
    var memoryBytes: Int { entries.capacity * MemoryLayout<Entry>.stride }
    var unpersisted: ArraySlice<Entry> { unpersisted(upTo: count) }

    /// Entries that the file lacks, of the first `limit`.
    func unpersisted(upTo limit: Int) -> ArraySlice<Entry> {
        let first = max(persisted, missing) - missing
        return entries[first..<max(first, min(limit, count) - missing)]
    }

    mutating func append(_ more: [Entry]) { entries.append(contentsOf: more) }

    mutating func markPersisted(upTo limit: Int) { persisted = max(persisted, min(limit, count)) }

    /// Puts the missing entries back. `rebuilt` entries come from a scan: the file is damaged and will be written anew.
    mutating func restore(_ loaded: [Entry], rebuilt: Bool) {
        entries = loaded + entries
        missing = 0
        if rebuilt { persisted = 0 }
    }

    /// Gives back the memory of entries that the file holds.
    mutating func evict() {
        let evictable = persisted - missing
        guard evictable > 0 else { return }
        entries = Array(entries[evictable...])
        missing = persisted
    }

    /// The last entry in memory for which `isBefore` holds (it holds for a prefix of all entries), `.first` when it holds for none, or
    /// `.load` when a missing entry could be the answer.
    func last(where isBefore: (Entry) -> Bool) -> Lookup {
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if isBefore(entries[middle]) { low = middle + 1 } else { high = middle }
        }
        if low > 0 { return .entry(entries[low - 1]) }
        return missing > 0 ? .load : .first
    }

    enum Lookup {
        case entry(Entry)
        /// Begin at the segment's first byte.
        case first
        /// The index file must be loaded first.
        case load
    }
}
