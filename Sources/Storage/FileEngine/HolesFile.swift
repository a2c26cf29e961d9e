import Model
import NIOCore

/// What of a stream was freed on purpose, written down before any file goes: a start takes nothing else that is missing for freed.
///
/// One file `holes` in the stream's directory, replaced as a whole.
/// ```
/// magic 4 │ format 2 │ count 4 │ { from 8 │ to 8 │ version 4 }… │ CRC-32C of all that 4
/// version 0: between segments; above: left out when a segment was rewritten to that version
/// ```
struct HolesFile: Equatable, Sendable {
    struct Entry: Equatable, Sendable {
        var range: Range<Offset>
        var version: UInt32
    }

    private static let magic: UInt32 = 0x5748_4c31  // WHL1
    private static let format: UInt16 = 1
    private static let name = "holes"
    private static let entryBytes = 20
    /// Larger than a file of ``FileEngineOptions/holes`` entries can be.
    private static let maxBytes = 64 << 20

    private(set) var entries: [Entry] = []

    init(_ entries: [Entry] = []) { self.entries = entries }

    /// What the segments of a stream lack as they are.
    init(_ segments: [Segment]) {
        for (index, segment) in segments.enumerated() {
            if index > 0 { addMissing(segments[index - 1].next..<segment.base) }
            add(gapsOf: segment)
        }
    }

    mutating func addMissing(_ range: Range<Offset>) {
        if !range.isEmpty { entries.append(Entry(range: range, version: 0)) }
    }

    mutating func add(gapsOf segment: Segment) {
        for gap in segment.gaps.ranges { entries.append(Entry(range: gap, version: segment.name.version)) }
    }

    /// Everything that may be missing.
    var all: OffsetRanges { OffsetRanges(entries.map(\.range)) }

    /// What a segment of this version may lack.
    func ofVersion(_ version: UInt32) -> OffsetRanges {
        version == 0 ? OffsetRanges() : OffsetRanges(entries.lazy.filter { $0.version == version }.map(\.range))
    }

    func encode() -> ByteBuffer {
        var buffer = ByteBufferAllocator().buffer(capacity: 14 + entries.count * Self.entryBytes)
        buffer.writeMultipleIntegers(Self.magic, Self.format, UInt32(entries.count))
        for entry in entries { buffer.writeMultipleIntegers(entry.range.lowerBound.value, entry.range.upperBound.value, entry.version) }
        buffer.writeInteger(CRC32C.checksum(buffer))
        return buffer
    }

    /// Nil when the bytes are damaged.
    init?(_ bytes: ByteBuffer) {
        guard bytes.readableBytes >= 14, var rest = bytes.getSlice(at: bytes.readerIndex, length: bytes.readableBytes - 4),
            bytes.getInteger(at: bytes.writerIndex - 4, as: UInt32.self) == CRC32C.checksum(rest),
            let head = rest.readMultipleIntegers(as: (UInt32, UInt16, UInt32).self), head.0 == Self.magic, head.1 == Self.format,
            Int(head.2) == rest.readableBytes / Self.entryBytes
        else { return nil }
        while let fields = rest.readMultipleIntegers(as: (Int64, Int64, UInt32).self) {
            guard fields.0 < fields.1 else { return nil }
            entries.append(Entry(range: Offset(fields.0)..<Offset(fields.1), version: fields.2))
        }
    }

    /// - Throws: `failed` when the file is damaged: whatever is missing could then be a loss.
    static func load(_ directory: String, _ fileSystem: any FileSystem) throws(FileError) -> HolesFile {
        let path = directory + "/" + name
        guard let bytes = try fileSystem.contents(path, limit: maxBytes) else { return HolesFile() }
        guard let holes = HolesFile(bytes) else {
            throw FileError(.failed, "read", path, reason: "the list of freed offsets is damaged; restore it")
        }
        return holes
    }

    func save(_ directory: String, _ fileSystem: any FileSystem) throws(FileError) {
        try fileSystem.replace(directory + "/" + Self.name, with: encode())
    }
}
