import Model
import NIOCore

/// Index files: blocks of entries, appended at every checkpoint.
/// ```
/// block: magic 4 │ segment base 8 │ number of the first entry 4 │ count 4 │ entries … │ CRC-32C of all that 4
/// ```
/// They are written without a sync and trusted block by block: what is missing or damaged is made again by reading the segment.
enum IndexFile {
    static let headerBytes = 20
    /// A 1 GiB segment's offset index is at most 2 MiB and its block headers.
    static let maxBytes = 64 << 20

    static func block<Entry: IndexEntry>(_ entries: ArraySlice<Entry>, first: Int, base: Offset) -> ByteBuffer {
        var block = ByteBufferAllocator().buffer(capacity: headerBytes + entries.count * Entry.encodedBytes + 4)
        block.writeMultipleIntegers(Entry.magic, base.value, UInt32(first), UInt32(entries.count))
        for entry in entries { entry.write(to: &block) }
        block.writeInteger(CRC32C.checksum(block))
        return block
    }

    /// The entries from the first up to the first block that does not fit, at most `limit`.
    static func entries<Entry: IndexEntry>(_ bytes: ByteBuffer, base: Offset, limit: Int) -> [Entry] {
        var rest = bytes
        var result: [Entry] = []
        while result.count < limit, let block: [Entry] = readBlock(&rest, first: result.count, base: base) {
            result.append(contentsOf: block)
        }
        if result.count > limit { result.removeLast(result.count - limit) }
        return result
    }

    private static func readBlock<Entry: IndexEntry>(_ rest: inout ByteBuffer, first: Int, base: Offset) -> [Entry]? {
        let start = rest
        guard let header = rest.readMultipleIntegers(as: (UInt32, Int64, UInt32, UInt32).self),
            header.0 == Entry.magic, header.1 == base.value, Int(header.2) == first,
            Int(header.3) <= rest.readableBytes / Entry.encodedBytes,
            var body = rest.readSlice(length: Int(header.3) * Entry.encodedBytes), let crc: UInt32 = rest.readInteger(),
            let covered = start.getSlice(at: start.readerIndex, length: headerBytes + body.readableBytes),
            CRC32C.checksum(covered) == crc
        else { return nil }
        var entries: [Entry] = []
        entries.reserveCapacity(Int(header.3))
        var last: UInt32?
        while let entry = Entry.read(from: &body) {
            if let last, entry.position <= last { return nil }
            last = entry.position
            entries.append(entry)
        }
        return entries
    }

    /// Appends what is not in the file yet; begins the file anew when nothing is.
    static func persist<Entry: IndexEntry>(
        _ index: SparseIndex<Entry>, upTo limit: Int, base: Offset, path: String, fileSystem: any FileSystem
    ) throws(FileError) {
        let news = index.unpersisted(upTo: limit)
        guard !news.isEmpty else { return }
        let file = try fileSystem.open(path, create: true)
        if index.persisted == 0 { try file.truncate(to: 0) }
        try file.writeAll(block(news, first: index.persisted, base: base), at: try file.size())
    }

    /// Both indexes of a segment that is not written to any more.
    static func persist(_ segment: Segment, of log: SegmentedLog, fileSystem: any FileSystem) throws(FileError) {
        let paths = (log.path(segment.name, .index), log.path(segment.name, .time))
        try persist(segment.offsets, upTo: segment.offsets.count, base: segment.base, path: paths.0, fileSystem: fileSystem)
        try persist(segment.times, upTo: segment.times.count, base: segment.base, path: paths.1, fileSystem: fileSystem)
    }

    static func load<Entry: IndexEntry>(
        base: Offset, path: String, limit: Int, fileSystem: any FileSystem
    ) throws(FileError) -> [Entry] {
        guard let bytes = try fileSystem.contents(path, limit: maxBytes) else { return [] }
        return entries(bytes, base: base, limit: limit)
    }
}
