import Compression
import Model
import NIOCore
import Storage

/// Reads a stream's records in order, off the loops, and lets no damaged batch pass. Callable from any thread.
struct StreamReader: Sendable {
    let log: any Log
    /// Bytes of one read; a larger batch is read whole.
    static let readBytes = 1 << 20

    struct Chunk: Sendable {
        var records: [Record]
        /// Where to go on: everything below it has been looked at.
        var next: Offset
    }

    /// Records with offsets in [from, to), as many as one read gives. Gaps in the stream are passed over.
    /// - Throws: ``LogError``: `corrupt` also for a batch that is packed in a way that can't be read here.
    func read(_ stream: StreamID, from: Offset, to: Offset) async throws(LogError) -> Chunk {
        guard from < to else { return Chunk(records: [], next: from) }
        var bytes: ByteBuffer
        do throws(LogError) { bytes = try await read(stream, from) } catch {
            // Below the stream's start or behind its end: what is not there has been looked at.
            guard case .outOfRange(let extent) = error, from < extent.start || from >= extent.end else { throw error }
            return Chunk(records: [], next: from < extent.start ? min(extent.start, to) : to)
        }
        var chunk = Chunk(records: [], next: from)
        while bytes.readableBytes >= RecordBatchHeader.size {
            guard case .success(let header) = bytes.withUnsafeReadableBytes({ RecordBatchHeader.parse($0) }) else {
                throw .corrupt("\(stream): no record batch where one should be, behind offset \(chunk.next)")
            }
            guard let batch = bytes.readSlice(length: header.totalBytes) else { break }
            if chunk.next < to { try header.expect(chunk.next, in: stream) }
            if header.baseOffset >= to { return Chunk(records: chunk.records, next: to) }
            if header.nextOffset > from, !header.attributes.isControl { try Self.take(header, batch, from..<to, stream, &chunk.records) }
            chunk.next = max(chunk.next, min(header.nextOffset, to))
        }
        guard chunk.next > from else { throw .corrupt("\(stream): nothing can be read at \(from)") }
        return chunk
    }

    /// Hands the records of several ranges, which are in order, to `body`. What lies between close ranges is read along and passed over.
    /// - Returns: where to go on: the end of the last range, or less after `reads` reads.
    func read(
        _ stream: StreamID, ranges: [Range<Offset>], reads: Int = .max, _ body: (Record) -> Void
    ) async throws(LogError) -> Offset {
        guard let end = ranges.last?.upperBound else { return .zero }
        var index = 0
        var from = ranges[0].lowerBound
        var left = reads
        while index < ranges.count, left > 0 {
            left -= 1
            let chunk = try await read(stream, from: from, to: end)
            for record in chunk.records {
                while index < ranges.count, ranges[index].upperBound <= record.offset { index += 1 }
                if index < ranges.count, ranges[index].contains(record.offset) { body(record) }
            }
            while index < ranges.count, ranges[index].upperBound <= chunk.next { index += 1 }
            from = index < ranges.count ? max(chunk.next, ranges[index].lowerBound) : end
        }
        return from
    }

    /// Hands the facts of a stream in [from, to) to `body`, in order: what a start reads.
    /// - Throws: ``StartFailure`` when one can't be read, and what `body` throws.
    func facts(_ stream: StreamID, from: Offset, to: Offset, _ body: (Record) throws -> Void) async throws {
        var next = from
        while next < to {
            let chunk: Chunk
            do throws(LogError) { chunk = try await read(stream, from: next, to: to) } catch {
                throw StartFailure(description: "\(stream) can't be read at \(next): \(error); restore it from a copy")
            }
            for record in chunk.records { try body(record) }
            next = chunk.next
        }
    }

    private static func take(
        _ header: RecordBatchHeader, _ batch: ByteBuffer, _ range: Range<Offset>, _ stream: StreamID, _ records: inout [Record]
    ) throws(LogError) {
        guard batch.withUnsafeReadableBytes({ header.checksumMatches($0) }) else {
            throw .corrupt("\(stream): the batch at \(header.baseOffset) is damaged")
        }
        let found: [Record]
        do { found = try Records.open(header: header, batch: batch) } catch {
            throw .corrupt("\(stream): the batch at \(header.baseOffset) can't be read: \(error)")
        }
        if header.baseOffset >= range.lowerBound, header.lastOffset < range.upperBound {
            records.append(contentsOf: found)
        } else {
            records.append(contentsOf: found.lazy.filter { range.contains($0.offset) })
        }
    }

    /// How the batch that holds `offset` is packed: `none`, `gzip`, …
    func compression(_ stream: StreamID, at offset: Offset) async throws(LogError) -> String {
        try await log.located(stream, offset).get().header.attributes.compression.map { "\($0)" } ?? "unknown"
    }

    private func read(_ stream: StreamID, _ from: Offset, tries: Int = 3) async throws(LogError) -> ByteBuffer {
        let place = try await log.located(stream, from).get()
        let bytes = max(Self.readBytes, place.header.totalBytes)
        let slice = await log.slice(stream, at: place.position, maxBytes: bytes)
        // Freed or rewritten since it was found: its offset has another place now.
        if case .failure(.outOfRange) = slice, tries > 0 { return try await read(stream, from, tries: tries - 1) }
        guard case .bytes(let buffer) = try slice.get().content else {
            throw .corrupt("\(stream): the log gave a file region where bytes were asked for")
        }
        return buffer
    }
}

extension RecordBatchHeader {
    /// The offset that a batch begins with is not under its checksum: a wrong one would let a reader pass over the batch, or stop
    /// before it.
    /// - Throws: ``LogError``: `corrupt` when the batch does not hold `offset`, and what does can't have been freed.
    func expect(_ offset: Offset, in stream: StreamID) throws(LogError) {
        if stream.mayHaveHoles || baseOffset <= offset && offset < nextOffset { return }
        throw .corrupt("\(stream): a batch of offsets \(baseOffset) to \(lastOffset) stands where \(offset) should be")
    }
}
