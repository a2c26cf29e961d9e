import Broker
import Model
import NIOCore
import Storage

/// Reads a partition from its start to its end, as a consumer would.
struct LogReading {
    let broker: Broker
    let id: PartitionID

    private final class Answer: @unchecked Sendable {
        var parts: [FetchPart] = []
    }

    /// nil when it could not be read.
    func all(in world: World) -> [(offset: Offset, message: Int)]? {
        var found: [(offset: Offset, message: Int)] = []
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
                world.tell("\(id) at \(next): \(answer.parts.first?.error.map { "\($0)" } ?? "no answer")")
                return nil
            }
            guard let slice = part.slice, case .bytes(let bytes) = slice.content else { return found }
            let before = next
            guard let records = Self.records(bytes, next: &next) else { return nil }
            found += records.filter { $0.offset >= before }
            guard next > before else { return found }
        }
    }

    /// The records of whole batches; nil when one is damaged.
    static func records(_ bytes: ByteBuffer) -> [(offset: Offset, message: Int)]? {
        var next = Offset.zero
        return records(bytes, next: &next)
    }

    private static func records(_ bytes: ByteBuffer, next: inout Offset) -> [(offset: Offset, message: Int)]? {
        var bytes = bytes
        var found: [(offset: Offset, message: Int)] = []
        do {
            while bytes.readableBytes >= RecordBatchHeader.size {
                let header = try RecordBatchHeader.parse(bytes)
                guard var batch = bytes.readSlice(length: header.totalBytes) else { break }
                guard batch.withUnsafeReadableBytes({ header.checksumMatches($0) }) else { return nil }
                batch.moveReaderIndex(forwardBy: RecordBatchHeader.size)
                for record in try Record.readAll(header: header, records: batch) {
                    found.append((record.offset, number(record.value) ?? -1))
                }
                next = header.nextOffset
            }
        } catch { return nil }
        return found
    }

    /// Messages begin with their number.
    static func number(_ value: ByteBuffer?) -> Int? {
        value.flatMap { Int(String(buffer: $0).prefix { $0 != " " }) }
    }
}
