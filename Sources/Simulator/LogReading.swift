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
            guard let part = answer.parts.first, part.error == nil else { return nil }
            guard let slice = part.slice, case .bytes(var bytes) = slice.content else { return found }
            let before = next
            do {
                while bytes.readableBytes >= RecordBatchHeader.size {
                    let header = try RecordBatchHeader.parse(bytes)
                    guard var batch = bytes.readSlice(length: header.totalBytes) else { break }
                    guard batch.withUnsafeReadableBytes({ header.checksumMatches($0) }) else { return nil }
                    batch.moveReaderIndex(forwardBy: RecordBatchHeader.size)
                    for record in try Record.readAll(header: header, records: batch) where record.offset >= next {
                        found.append((record.offset, Self.number(record.value) ?? -1))
                    }
                    next = header.nextOffset
                }
            } catch { return nil }
            guard next > before else { return found }
        }
    }

    /// Messages begin with their number.
    static func number(_ value: ByteBuffer?) -> Int? {
        value.flatMap { Int(String(buffer: $0).prefix { $0 != " " }) }
    }
}
