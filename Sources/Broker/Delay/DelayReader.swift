import Model
import NIOCore
import Queues
import Storage

/// Reads a shard's delay streams for those who can wait: a start, a list, a block of the index. Usable from any thread.
struct DelayReader: Sendable {
    let log: any Log
    let shard: ShardID
    private static let readBytes = 1 << 20

    /// The batch that holds an offset.
    func batch(_ stream: StreamID, _ offset: Offset) async -> Result<(header: RecordBatchHeader, bytes: ByteBuffer), LogError> {
        let place: Located
        switch await log.located(stream, offset) {
        case .success(let found): place = found
        case .failure(let error): return .failure(error)
        }
        switch await log.slice(stream, at: place.position, maxBytes: place.header.totalBytes) {
        case .failure(let error): return .failure(error)
        case .success(let slice):
            guard case .bytes(var bytes) = slice.content, let batch = bytes.readSlice(length: place.header.totalBytes) else {
                return .failure(.corrupt("\(stream): no whole batch at \(offset)"))
            }
            guard batch.withUnsafeReadableBytes({ place.header.checksumMatches($0) }) else {
                return .failure(.corrupt("\(stream): the batch at \(place.header.baseOffset) is damaged"))
            }
            return .success((place.header, batch))
        }
    }

    /// A block of a run.
    func block(_ request: DelayStore.BlockRequest) async -> Result<[DelayEntry], LogError> {
        switch await batch(.delay(shard, .runs(request.band)), request.offset) {
        case .failure(let error): return .failure(error)
        case .success(let found):
            var body = found.bytes
            body.moveReaderIndex(forwardBy: RecordBatchHeader.size)
            guard let record = try? Record.readAll(header: found.header, records: body).first, let value = record.value,
                let entries = DelayRun.decode(block: value)
            else { return .failure(.corrupt("index block \(request.offset) of band \(request.band)")) }
            return .success(entries)
        }
    }

    /// Hands every batch of [from, to) to `body`, in order.
    func batches(
        _ stream: StreamID, from: Offset, to: Offset, _ body: (RecordBatchHeader, ByteBuffer) throws -> Void
    ) async throws {
        var next = from
        var position: Position?
        while next < to {
            if position == nil { position = try await log.located(stream, next).get().position }
            guard let at = position else { return }
            let slice = try await log.slice(stream, at: at, maxBytes: Self.readBytes).get()
            guard case .bytes(var bytes) = slice.content else { throw LogError.corrupt("\(stream): a region where bytes were asked for") }
            var reached = next
            while let header = try? RecordBatchHeader.parse(bytes), let batch = bytes.readSlice(length: header.totalBytes) {
                if reached < to { try header.expect(reached, in: stream) }
                if header.baseOffset >= to { break }
                reached = max(reached, header.nextOffset)
                guard header.nextOffset > next else { continue }
                guard batch.withUnsafeReadableBytes({ header.checksumMatches($0) }) else {
                    throw LogError.corrupt("\(stream): the batch at \(header.baseOffset) is damaged; restore it from a copy")
                }
                try body(header, batch)
            }
            guard reached > next else { throw LogError.corrupt("\(stream): nothing can be read at \(next)") }
            next = reached
            position = slice.nextOffset == next ? slice.next : nil
        }
    }
}
