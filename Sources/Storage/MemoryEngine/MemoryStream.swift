import Model
import NIOCore

/// One stream in memory: chunks of about a mebibyte, each whole batches. Small appends are copied together, so that a slice of a network
/// buffer is not kept for a few bytes; large ones are kept as they are.
struct MemoryStream: Sendable {
    struct Chunk: Sendable {
        var segment: Segment
        var bytes: ByteBuffer
        /// Taken over as it came, or full: nothing will be written to it, so readers may share it.
        var isClosed = false
    }

    static let chunkBytes = 1 << 20
    static let sharedBytes = 64 << 10

    var chunks: [Chunk]

    init(base: Offset) { chunks = [Chunk(segment: Segment(base: base), bytes: ByteBuffer())] }

    var end: Offset { chunks[chunks.count - 1].segment.next }
    var segments: [Segment] { chunks.map(\.segment) }

    var extent: StreamExtent {
        StreamExtent(segments)
    }

    /// Whether the append's batches continue at the end.
    func accepts(_ append: Append, at end: Offset) -> Bool {
        var segment = Segment(base: end)
        segment.next = end
        var appender = SegmentAppender(segment)
        return append.base == end && append.bytes.withUnsafeReadableBytes { appender.add($0) } && appender.next == append.next
    }

    /// Appends batches that ``accepts(_:at:)`` has checked.
    mutating func append(_ append: Append) {
        let count = append.bytes.readableBytes
        let isShared = count >= Self.sharedBytes
        var last = chunks.count - 1
        let activeBytes = Int(chunks[last].segment.bytes)
        if chunks[last].isClosed || activeBytes > 0 && (isShared || activeBytes + count > Self.chunkBytes) {
            roll()
            last += 1
        }
        var appender = SegmentAppender(chunks[last].segment)
        _ = append.bytes.withUnsafeReadableBytes { appender.add($0) }
        if isShared {
            chunks[last].bytes = append.bytes.slice()
            chunks[last].isClosed = true
        } else {
            chunks[last].bytes.writeImmutableBuffer(append.bytes)
        }
        chunks[last].segment.absorb(appender)
    }

    mutating func roll() {
        chunks[chunks.count - 1].isClosed = true
        chunks.append(Chunk(segment: Segment(base: end), bytes: ByteBuffer()))
    }

    mutating func remove(_ decision: RetentionDecision) {
        if decision.rollsActive { roll() }
        chunks.removeFirst(decision.removals)
    }

    // MARK: Look-ups

    func locate(_ target: LocateTarget) -> Result<Located, LogError> {
        switch target {
        case .offset(let offset):
            guard offset >= chunks[0].segment.base, offset < end else { return .failure(.outOfRange(extent)) }
            var index = chunkIndex(holding: offset)
            // A hole ends where the next chunk begins.
            if offset >= chunks[index].segment.next { index += 1 }
            let chunk = chunks[index]
            let relative = offset - chunk.segment.base
            let entry = chunk.segment.offsets.last { Int64($0.relativeOffset) <= relative }
            return walk(chunk, from: Self.position(entry)) { $0.nextOffset > offset }
        case .timestamp(let time):
            guard let chunk = chunks.first(where: { $0.segment.bytes > 0 && $0.segment.maxTimestamp >= time }) else {
                return .failure(.outOfRange(extent))
            }
            let entry = chunk.segment.times.last { $0.maxTimestampBefore < time }
            return walk(chunk, from: Self.position(entry)) { $0.maxTimestamp >= time }
        case .maxTimestamp:
            var best: Chunk?
            for chunk in chunks where chunk.segment.bytes > 0 {
                if best.map({ chunk.segment.maxTimestamp > $0.segment.maxTimestamp }) ?? true { best = chunk }
            }
            guard let best else { return .failure(.outOfRange(extent)) }
            return walk(best, from: Int(best.segment.maxTimestampPosition)) { _ in true }
        }
    }

    private static func position<Entry: IndexEntry>(_ lookup: SparseIndex<Entry>.Lookup) -> Int {
        if case .entry(let entry) = lookup { return Int(entry.position) }
        return 0
    }

    private func walk(_ chunk: Chunk, from start: Int, until: (RecordBatchHeader) -> Bool) -> Result<Located, LogError> {
        var byte = start
        while byte < chunk.bytes.readableBytes {
            do throws(RecordBatchHeader.Malformed) {
                let header = try RecordBatchHeader.parse(chunk.bytes, at: byte)
                if until(header) {
                    return .success(Located(position: chunk.segment.name.position(Int64(byte)), header: header))
                }
                byte += header.totalBytes
            } catch {
                return .failure(.corrupt("chunk \(chunk.segment.base) at byte \(byte): \(error)"))
            }
        }
        return .failure(.outOfRange(extent))
    }

    func read(at position: Position, maxBytes: Int) -> Result<LogSlice, LogError> {
        var index = chunkIndex(holding: Offset(position.segment))
        guard chunks[index].segment.name == SegmentName(position), position.byte >= 0, position.byte <= chunks[index].segment.bytes else {
            return .failure(.outOfRange(extent))
        }
        var byte = Int(position.byte)
        while byte == chunks[index].bytes.readableBytes, index + 1 < chunks.count {
            index += 1
            byte = 0
        }
        let chunk = chunks[index]
        var end = byte
        var endOffset = chunk.segment.next
        if chunk.bytes.readableBytes - byte <= max(0, maxBytes) {
            end = chunk.bytes.readableBytes
        } else {
            // Jump by the index to near the end, walk the rest.
            let limit = byte + max(0, maxBytes)
            end = max(byte, Self.position(chunk.segment.offsets.last { Int($0.position) <= limit }))
            while let header = try? RecordBatchHeader.parse(chunk.bytes, at: end) {
                endOffset = header.baseOffset
                if end + header.totalBytes > limit, end > byte { break }
                end += header.totalBytes
                endOffset = header.nextOffset
                if end >= limit { break }
            }
        }
        return .success(slice(index, byte, end, endOffset))
    }

    private func slice(_ index: Int, _ byte: Int, _ end: Int, _ endOffset: Offset) -> LogSlice {
        let chunk = chunks[index]
        var next = chunk.segment.name.position(Int64(end))
        if end == chunk.bytes.readableBytes, index + 1 < chunks.count {
            next = chunks[index + 1].segment.name.position(0)
        }
        let start = chunk.bytes.readerIndex + byte
        var bytes = ByteBuffer()
        if chunk.isClosed {
            bytes = chunk.bytes.getSlice(at: start, length: end - byte) ?? bytes
        } else {
            // A slice would share the chunk's storage, and the next append would have to copy the whole of it.
            chunk.bytes.withUnsafeReadableBytes { all in
                _ = bytes.writeBytes(UnsafeRawBufferPointer(rebasing: all[byte..<end]))
            }
        }
        return LogSlice(content: .bytes(bytes), count: bytes.readableBytes, next: next, nextOffset: endOffset)
    }

    private func chunkIndex(holding offset: Offset) -> Int {
        var low = 0
        var high = chunks.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if chunks[middle].segment.base <= offset { low = middle } else { high = middle }
        }
        return low
    }
}
