import Model
import NIOCore
import Wire

/// Index entries that were written out, sorted by key, in blocks of one record each in the runs stream of their band. In memory a run is
/// its fences (the first key of each block), 16 bytes for 1,024 entries.
public struct DelayRun: Equatable, Sendable {
    /// Entries of a block; the last one of a run may have fewer.
    public static let blockEntries = 1_024
    /// Entries of a run at most.
    public static let entryLimit = 1 << 20

    public var band: Int
    /// The offset of its first block in the runs stream; block n is at first + n.
    public var first: Offset
    /// Bodies of the band below this are in this run or in earlier ones.
    public var bodyEnd: Offset
    /// Bodies at or above this were lost by a power failure; normally ``bodyEnd``.
    public var validBelow: Offset
    public var entries: Int
    public var fences: [DelayKey]
    public var last: DelayKey
    /// What it held when it was written.
    public var spans: [SpanCount]

    public struct SpanCount: Equatable, Sendable {
        public var target: UInt32
        public var span: DelayCounts.Span
        public var count: Int64
    }

    public var blocks: Int { fences.count }
    public var end: Offset { first + Int64(blocks) }

    public init(band: Int, first: Offset, bodyEnd: Offset, sorted: [DelayEntry]) {
        precondition(!sorted.isEmpty && sorted.count <= Self.entryLimit)
        self.band = band
        self.first = first
        self.bodyEnd = bodyEnd
        validBelow = bodyEnd
        entries = sorted.count
        fences = stride(from: 0, to: sorted.count, by: Self.blockEntries).map { sorted[$0].key }
        last = sorted.reduce(DelayKey.zero) { max($0, $1.lastKey) }
        var counts = DelayCounts()
        counts.add(sorted: sorted)
        spans = counts.byTarget.sorted { $0.key < $1.key }.flatMap { target, spans in
            spans.sorted { $0.key.coded < $1.key.coded }.map { SpanCount(target: target, span: $0.key, count: $0.value) }
        }
    }

    /// Entries in the order of a run.
    public static func sorted(_ entries: [DelayEntry]) -> [DelayEntry] { DelaySort.sorted(entries) }

    /// The block in which the first entry behind `front` may be: the last whose fence is not behind it.
    public func block(after front: DelayKey) -> Int {
        var low = 0
        var high = fences.count
        while low < high {
            let middle = (low + high) / 2
            if fences[middle] <= front { low = middle + 1 } else { high = middle }
        }
        return max(0, low - 1)
    }

    // MARK: Blocks

    public static func encode(block entries: ArraySlice<DelayEntry>) -> ByteBuffer {
        let byteCount = entries.count * DelayEntry.encodedBytes
        var buffer = ByteBufferAllocator().buffer(capacity: byteCount)
        buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: byteCount) { bytes in
            var at = 0
            for entry in entries {
                bytes.storeBytes(of: entry.dueMs.bigEndian, toByteOffset: at, as: Int64.self)
                bytes.storeBytes(of: entry.ref.raw.bigEndian, toByteOffset: at + 8, as: UInt64.self)
                bytes.storeBytes(of: entry.count.bigEndian, toByteOffset: at + 16, as: UInt32.self)
                bytes.storeBytes(of: entry.target.bigEndian, toByteOffset: at + 20, as: UInt32.self)
                at += DelayEntry.encodedBytes
            }
            return at
        }
        return buffer
    }

    /// nil when the bytes are no block.
    public static func decode(block bytes: ByteBuffer) -> [DelayEntry]? {
        var bytes = bytes
        let count = bytes.readableBytes / DelayEntry.encodedBytes
        guard count > 0, count <= blockEntries, bytes.readableBytes == count * DelayEntry.encodedBytes else { return nil }
        var entries: [DelayEntry] = []
        entries.reserveCapacity(count)
        while let fields = bytes.readMultipleIntegers(as: (Int64, UInt64, UInt32, UInt32).self) {
            guard fields.2 > 0 else { return nil }
            entries.append(DelayEntry(dueMs: fields.0, ref: DelayRef(raw: fields.1), count: fields.2, target: fields.3))
        }
        return entries
    }
}

extension DelayRun {
    func write(to writer: inout WireWriter) {
        writer.int8(Int8(band))
        writer.int64(first.value)
        writer.int64(bodyEnd.value)
        writer.int64(validBelow.value)
        writer.int32(Int32(entries))
        writer.key(last)
        writer.count(fences.count, compact: true)
        for fence in fences { writer.key(fence) }
        writer.count(spans.count, compact: true)
        for span in spans {
            writer.uint32(span.target)
            writer.int64(span.span.coded)
            writer.int64(span.count)
        }
    }

    init(reading reader: inout WireReader) throws(DelayFact.Misread) {
        do throws(WireError) {
            band = Int(try reader.int8())
            first = Offset(try reader.int64())
            bodyEnd = Offset(try reader.int64())
            validBelow = Offset(try reader.int64())
            entries = Int(try reader.int32())
            last = try reader.key()
            fences = []
            for _ in 0..<(try reader.count(compact: true, minimumBytes: 16)) { fences.append(try reader.key()) }
            spans = []
            for _ in 0..<(try reader.count(compact: true, minimumBytes: 20)) {
                let target = try reader.uint32()
                guard let span = DelayCounts.Span(code: try reader.int64()) else { throw .varintTooLong }
                spans.append(SpanCount(target: target, span: span, count: try reader.int64()))
            }
        } catch { throw .wire(error) }
        guard (0..<DelayBand.count).contains(band), !fences.isEmpty else { throw .unknown }
    }
}

extension WireWriter {
    mutating func key(_ key: DelayKey) {
        int64(key.dueMs)
        integer(key.ref.raw)
    }
}

extension WireReader {
    mutating func key() throws(WireError) -> DelayKey {
        DelayKey(dueMs: try int64(), ref: DelayRef(raw: try integer()))
    }
}
