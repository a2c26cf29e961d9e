import Model
import Wire

/// At which offset each leader epoch began (KIP-101), newest last. One more epoch per start of the broker that wrote here.
///
/// ```
/// entries (3, 0) (5, 100)    log end 140
/// end of 3 → 100, of 4 → (3, 100), of 5 → 140, of 2 → unknown
/// ```
struct LeaderEpochs: Equatable, Sendable {
    struct Entry: Equatable, Sendable {
        var epoch: Int32
        var start: Offset
    }
    /// Older entries are forgotten; an epoch that is not known is answered as such.
    static let limit = 64
    private(set) var entries: [Entry] = []

    /// Notes that a batch of `epoch` begins at `offset`.
    mutating func note(_ epoch: Int32, at offset: Offset) {
        if let last = entries.last, last.epoch >= epoch { return }
        entries.append(Entry(epoch: epoch, start: offset))
        if entries.count > Self.limit { entries.removeFirst(entries.count - Self.limit) }
    }

    /// The largest known epoch not above `epoch`, and the offset at which it ended.
    func end(of epoch: Int32, logEnd: Offset) -> (epoch: Int32, end: Offset)? {
        guard let index = entries.lastIndex(where: { $0.epoch <= epoch }) else { return nil }
        return (entries[index].epoch, index + 1 < entries.count ? entries[index + 1].start : logEnd)
    }

    func write(to writer: inout WireWriter) {
        writer.count(entries.count, compact: true)
        for entry in entries {
            writer.int32(entry.epoch)
            writer.int64(entry.start.value)
        }
    }

    init() {}

    init(reading reader: inout WireReader) throws(WireError) {
        for _ in 0..<(try reader.count(compact: true, minimumBytes: 12)) {
            entries.append(Entry(epoch: try reader.int32(), start: Offset(try reader.int64())))
        }
    }
}
