import Compression
import Model
import NIOCore
import Queues
import Storage

/// Looks through a copy of a shard's index, off its loop: lists what waits by due time and finds single messages.
struct DelayList: Sendable {
    let shard: Shard
    private var reader: DelayReader { DelayReader(log: shard.log, shard: shard.id) }

    /// Index entries that one listing looks at, at most: a queue with few messages among very many of others shows what lies before.
    static let scanLimit = 1_000_000

    /// Messages due in [fromMs, toMs) of the targets (nil: all), in order of release.
    func entries(targets: Set<PartitionID>?, fromMs: Int64, toMs: Int64, limit: Int) async throws -> [(
        ref: DelayRef, dueMs: Int64, target: PartitionID
    )] {
        guard let host = await shard.ask({ $0.delays }) else { return [] }
        var copy = await shard.ask { _ in host.store }
        let numbers = targets.map { targets in Set(targets.compactMap { copy.numbers[$0] }) }
        if let numbers, numbers.isEmpty { return [] }
        copy.seek(fromMs: fromMs, targets: numbers)
        var found: [(ref: DelayRef, dueMs: Int64, target: PartitionID)] = []
        var scanned = 0
        while found.count < limit, scanned < Self.scanLimit {
            let take = copy.take(dueMs: toMs - 1, limit: 4_096)
            scanned += take.records
            for entry in take.entries where numbers?.contains(entry.target) ?? true {
                guard let target = copy.targets[entry.target] else { continue }
                for index in 0..<Int(entry.count) where found.count < limit {
                    found.append((entry.ref.advanced(by: index), entry.dueMs, target))
                }
            }
            if let needs = take.needs {
                copy.load(needs, try await reader.block(needs).get())
            } else if take.through == nil {
                break
            }
        }
        return found
    }

    /// What the bodies streams hold of a message; nil when there is none with this ref.
    func message(_ ref: DelayRef) async -> DelayedMessage? {
        let stream = StreamID.delay(shard.id, .bodies(ref.band))
        guard case .success(let found) = await reader.batch(stream, ref.offset) else { return nil }
        var index = Int(ref.offset - found.header.baseOffset)
        if let meta = try? DelayMeta.read(found.header, found.bytes), case .each(let dues) = meta.dues {
            guard index > 0, index <= dues.count else { return nil }
            let record = record(index, found.header, found.bytes)
            return DelayedMessage(ref: ref, target: meta.target, indexedMs: dues[index - 1], arrivedMs: meta.arrivedMs, record: record)
        }
        // The producer's own batch: what it is stands before it.
        guard found.header.baseOffset > .zero,
            case .success(let head) = await reader.batch(stream, found.header.baseOffset + -1),
            let meta = try? DelayMeta.read(head.header, head.bytes), case .next(let dueMs, let count) = meta.dues, index < Int(count)
        else { return nil }
        index = Int(ref.offset - found.header.baseOffset)
        return DelayedMessage(
            ref: ref, target: meta.target, indexedMs: dueMs, arrivedMs: meta.arrivedMs, record: record(index, found.header, found.bytes))
    }

    private func record(_ index: Int, _ header: RecordBatchHeader, _ batch: ByteBuffer) -> Record? {
        guard let body = try? Records.body(header: header, batch: batch) else { return nil }
        let length = body.withUnsafeReadableBytes { bytes -> Range<Int>? in
            var at = 0
            for position in 0..<Int(header.recordCount) {
                guard let record = RawRecord.read(bytes, at: at) else { return nil }
                if position == index { return record.start..<record.end }
                at = record.end
            }
            return nil
        }
        guard let length, let one = body.getSlice(at: body.readerIndex + length.lowerBound, length: length.count) else { return nil }
        var single = header
        single.recordCount = 1
        single.attributes = .init(rawValue: header.attributes.rawValue & ~7)
        return try? Record.readAll(header: single, records: one).first
    }

    /// When a message is due by now; nil when it does not wait any more.
    func dueMs(_ message: DelayedMessage) async -> Int64? {
        await shard.ask { shard in
            guard let store = shard.delays?.store, let number = store.numbers[message.target] else { return nil }
            return store.dueMs(of: message.ref, indexed: message.indexedMs, target: number)
        }
    }
}
