import Broker
import Model
import NIOCore
import Queues
import Storage

/// A record as a consumer finds it.
struct FoundRecord {
    var offset: Offset
    /// nil: a value that nobody published.
    var message: Int?
    /// By which move it came, and of which job; which delayed message it was.
    var move: String?
    var job: Int64?
    var handle: String?
}

/// Reads a partition from its start to its end, as a consumer would.
struct LogReading {
    let broker: Broker
    let id: PartitionID

    private final class Answer: @unchecked Sendable {
        var parts: [FetchPart] = []
    }
    enum Problem: Error {
        /// The broker says that it can't be read.
        case refused(String)
        /// A batch does not have the checksum it should have.
        case damaged(Offset)
    }

    func all(in world: World) -> Result<[FoundRecord], Problem> {
        var found: [FoundRecord] = []
        var next = Offset.zero
        while true {
            let answer = Answer()
            let item = FetchItem(slot: 0, partition: id, offset: next, maxBytes: 1 << 20)
            let shard = broker.shard(of: id)
            world.wait { done in
                shard.fetch([item], maxBytes: 1 << 20, minBytes: 0, wantsRegion: false, waiter: nil, replyLoop: shard.loop) { parts in
                    answer.parts = parts
                    done()
                }
            }
            guard let part = answer.parts.first, part.error == nil else {
                return .failure(.refused("\(id) at \(next): \(answer.parts.first?.error.map { "\($0)" } ?? "no answer")"))
            }
            guard let slice = part.slice, case .bytes(let bytes) = slice.content else { return .success(found) }
            let before = next
            guard let records = Self.records(bytes, next: &next) else { return .failure(.damaged(next)) }
            found += records.filter { $0.offset >= before }
            guard next > before else { return .success(found) }
        }
    }

    /// The records of whole batches; nil when one is damaged.
    static func records(_ bytes: ByteBuffer) -> [FoundRecord]? {
        var next = Offset.zero
        return records(bytes, next: &next)
    }

    private static func records(_ bytes: ByteBuffer, next: inout Offset) -> [FoundRecord]? {
        var bytes = bytes
        var found: [FoundRecord] = []
        do {
            while bytes.readableBytes >= RecordBatchHeader.size {
                let header = try RecordBatchHeader.parse(bytes)
                guard var batch = bytes.readSlice(length: header.totalBytes) else { break }
                guard batch.withUnsafeReadableBytes({ header.checksumMatches($0) }) else { return nil }
                batch.moveReaderIndex(forwardBy: RecordBatchHeader.size)
                for record in try Record.readAll(header: header, records: batch) { found.append(read(record)) }
                next = header.nextOffset
            }
        } catch { return nil }
        return found
    }

    private static func read(_ record: Record) -> FoundRecord {
        func header(_ name: String) -> String? { record.headers.last { $0.name == name }?.value.map { String(buffer: $0) } }
        return FoundRecord(
            offset: record.offset, message: Payload.number(record.value), move: header(DeadLetterHeader.move),
            job: header(DeadLetterHeader.redrive).flatMap { Int64($0) }, handle: header(RecordPacker.handleHeader))
    }
}
