import Compression
import Model
import NIOCore
import Queues
import Storage

/// Reads delayed messages back from the bodies streams, in the order they are asked for. Neighbours come in one read, and a batch that was
/// just read is looked at again without one. Touched on its shard's loop only, which is what `@unchecked Sendable` rests on.
final class BodyReader: @unchecked Sendable {
    /// An encoded record and what its timestamp counts from.
    struct Body {
        var entry: Int
        var ref: DelayRef
        var start: Int
        var baseTimestamp: Timestamp
    }

    /// What was read: records one after the other in `arena`.
    struct Result {
        var arena = ByteBuffer()
        var bodies: [Body] = []
        /// Entries that were dealt with; those behind did not fit.
        var entries = 0
        /// Messages whose bodies are not there any more.
        var lost = 0
    }

    private struct Batch {
        var header: RecordBatchHeader
        /// Its records, unpacked.
        var records: ByteBuffer
        /// The record that was found last, to go on from.
        var index = 0
        var byte = 0
    }

    private let log: any Log
    private let shard: ShardID
    /// Per band, the batch that was used last, and where the log goes on behind the last read.
    private var current: [Batch?] = Array(repeating: nil, count: DelayBand.count)
    private var rest: [ByteBuffer] = Array(repeating: ByteBuffer(), count: DelayBand.count)
    private var following: [(offset: Offset, position: Position)?] = Array(repeating: nil, count: DelayBand.count)
    /// Read ahead where messages are released in the order of their arrival.
    private static let aheadBytes = 128 << 10

    init(log: any Log, shard: ShardID) {
        self.log = log
        self.shard = shard
    }

    /// What is being read.
    private struct Work {
        var entries: [DelayEntry]
        var byteLimit: Int
        var result = Result()
        /// Within the entry that comes next.
        var index = 0
    }

    /// Reads the bodies of entries until `byteLimit` is reached. `done` runs at once when everything is at hand.
    /// - Parameter hop: brings a call that the log makes on a thread of its own back to the loop.
    func read(
        _ entries: [DelayEntry], byteLimit: Int, hop: @escaping @Sendable (@escaping @Sendable () -> Void) -> Void,
        done: @escaping (Swift.Result<Result, LogError>) -> Void
    ) {
        let reading = Reading(work: Work(entries: entries, byteLimit: byteLimit), hop: hop, done: done)
        run(reading)
    }

    /// `@unchecked Sendable`: touched on the host's loop only; `hop` brings it there.
    private final class Reading: @unchecked Sendable {
        var work: Work
        let hop: @Sendable (@escaping @Sendable () -> Void) -> Void
        let done: (Swift.Result<Result, LogError>) -> Void

        init(
            work: Work, hop: @escaping @Sendable (@escaping @Sendable () -> Void) -> Void,
            done: @escaping (Swift.Result<Result, LogError>) -> Void
        ) {
            self.work = work
            self.hop = hop
            self.done = done
        }
    }

    private func run(_ reading: Reading) {
        while reading.work.result.entries < reading.work.entries.count {
            if reading.work.result.arena.readableBytes >= reading.work.byteLimit, reading.work.index == 0 { break }
            let entry = reading.work.entries[reading.work.result.entries]
            let offset = entry.ref.offset + Int64(reading.work.index)
            let band = entry.ref.band
            if take(offset, band, &reading.work) {
                reading.work.index += 1
                if reading.work.index == Int(entry.count) {
                    reading.work.index = 0
                    reading.work.result.entries += 1
                }
                continue
            }
            switch fetch(offset, band, reading) {
            case .ready: continue
            case .later: return
            case .failed(let error): return reading.done(.failure(error))
            }
        }
        reading.done(.success(reading.work.result))
    }

    /// Takes a record from the batch at hand, or from those read with it.
    private func take(_ offset: Offset, _ band: Int, _ work: inout Work) -> Bool {
        while true {
            if var batch = current[band], offset >= batch.header.baseOffset, offset < batch.header.nextOffset {
                current[band] = nil
                let found = copy(offset, band, &batch, &work)
                current[band] = batch
                if !found { work.result.lost += 1 }
                return true
            }
            guard next(band, wanted: offset) else { return false }
        }
    }

    /// Goes on to the batch that holds `wanted` among the bytes read already.
    private func next(_ band: Int, wanted: Offset) -> Bool {
        while let header = try? RecordBatchHeader.parse(rest[band]), header.baseOffset <= wanted,
            let bytes = rest[band].readSlice(length: header.totalBytes)
        {
            guard header.nextOffset > wanted else { continue }
            guard bytes.withUnsafeReadableBytes({ header.checksumMatches($0) }),
                let records = try? Records.body(header: header, batch: bytes)
            else {
                current[band] = Batch(header: header, records: ByteBuffer())
                return true
            }
            current[band] = Batch(header: header, records: records)
            return true
        }
        return false
    }

    /// Copies the record at `offset` to the arena; false when the batch's bytes are no records.
    private func copy(_ offset: Offset, _ band: Int, _ batch: inout Batch, _ work: inout Work) -> Bool {
        let wanted = Int(offset - batch.header.baseOffset)
        if batch.index > wanted {
            batch.index = 0
            batch.byte = 0
        }
        let body = batch.records.withUnsafeReadableBytes { bytes -> Range<Int>? in
            while let record = RawRecord.read(bytes, at: batch.byte) {
                batch.index += 1
                batch.byte = record.end
                if batch.index == wanted + 1 {
                    let start = work.result.arena.writerIndex
                    work.result.arena.writeBytes(UnsafeRawBufferPointer(rebasing: bytes[record.start..<record.end]))
                    return start..<work.result.arena.writerIndex
                }
            }
            return nil
        }
        guard let body else { return false }
        let timestamp = batch.header.attributes.isLogAppendTime ? batch.header.maxTimestamp : batch.header.baseTimestamp
        work.result.bodies.append(
            Body(entry: work.result.entries, ref: DelayRef(band: band, offset: offset), start: body.lowerBound, baseTimestamp: timestamp))
        return true
    }

    // MARK: The log

    private enum Fetched { case ready, later, failed(LogError) }

    private func fetch(_ offset: Offset, _ band: Int, _ reading: Reading) -> Fetched {
        // The batch's own head may stand before its first body.
        if let following = following[band], offset >= following.offset, offset - following.offset <= 1 {
            return read(at: following.position, Self.aheadBytes, band, offset, reading, isExact: false)
        }
        let later: @Sendable (Swift.Result<Located, LogError>) -> Void = { located in
            reading.hop { self.resume(reading, self.located(located, band, offset, reading)) }
        }
        guard let located = log.locate(stream(band), .offset(offset), later: later) else { return .later }
        return self.located(located, band, offset, reading)
    }

    private func located(_ located: Swift.Result<Located, LogError>, _ band: Int, _ offset: Offset, _ reading: Reading) -> Fetched {
        switch located {
        case .success(let place): return read(at: place.position, place.header.totalBytes, band, offset, reading, isExact: true)
        case .failure(.outOfRange), .failure(.unknownStream): return lose(reading)
        case .failure(let error): return .failed(error)
        }
    }

    private func read(
        at position: Position, _ bytes: Int, _ band: Int, _ offset: Offset, _ reading: Reading, isExact: Bool
    ) -> Fetched {
        let later: @Sendable (Swift.Result<LogSlice, LogError>) -> Void = { slice in
            reading.hop { self.resume(reading, self.took(slice, band, offset, reading, isExact: isExact)) }
        }
        guard let slice = log.read(stream(band), at: position, maxBytes: bytes, wantsRegion: false, later: later) else { return .later }
        return took(slice, band, offset, reading, isExact: isExact)
    }

    private func took(
        _ slice: Swift.Result<LogSlice, LogError>, _ band: Int, _ offset: Offset, _ reading: Reading, isExact: Bool
    ) -> Fetched {
        following[band] = nil
        switch slice {
        case .success(let slice):
            guard case .bytes(let bytes) = slice.content else {
                return .failed(.corrupt("\(stream(band)): a region where bytes were asked for"))
            }
            rest[band] = bytes
            if let next = slice.next, let offset = slice.nextOffset { following[band] = (offset, next) }
            // A read that does not bring the record would be repeated for ever.
            if !next(band, wanted: offset), isExact { return lose(reading) }
            return .ready
        case .failure(.outOfRange), .failure(.unknownStream): return lose(reading)
        case .failure(let error): return .failed(error)
        }
    }

    /// The body is not there: it is counted and passed over.
    private func lose(_ reading: Reading) -> Fetched {
        reading.work.result.lost += 1
        reading.work.index += 1
        if reading.work.index == Int(reading.work.entries[reading.work.result.entries].count) {
            reading.work.index = 0
            reading.work.result.entries += 1
        }
        return .ready
    }

    private func resume(_ reading: Reading, _ fetched: Fetched) {
        switch fetched {
        case .ready: run(reading)
        case .later: break
        case .failed(let error): reading.done(.failure(error))
        }
    }

    private func stream(_ band: Int) -> StreamID { .delay(shard, .bodies(band)) }
}
