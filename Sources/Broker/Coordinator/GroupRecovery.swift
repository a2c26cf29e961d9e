import Groups
import Model
import NIOCore
import Storage
import Wire

/// Reads a shard's groups back: the snapshot, then the facts behind it.
struct GroupRecovery {
    let shard: Shard
    private static let readBytes = 1 << 20

    /// - Parameter extent: what the log holds of the shard's group facts.
    /// - Throws: ``StartFailure`` when something that was logged can't be read: going on would lose committed offsets silently.
    func table(extent: StreamExtent) async throws -> GroupTable {
        var table = GroupTable()
        var next = extent.start
        if let blob = try await shard.store.getBlob(GroupSnapshot.key(shard.id)) {
            if let snapshot = GroupSnapshot(blob) {
                for fact in snapshot.facts { table.apply(fact) }
                next = max(next, snapshot.end)
            } else if extent.start > .zero {
                throw StartFailure(
                    description:
                        "the snapshot of shard \(shard.id)'s groups is damaged, and the facts before \(extent.start) are only there; "
                        + "restore the data directory's blobs from a copy, or remove the snapshot to lose those offsets")
            } else {
                shard.logger.warning("shard \(shard.id): the group snapshot is damaged; all of its facts are read from the log")
            }
        }
        while next < extent.end { next = try await apply(from: next, to: &table) }
        return table
    }

    /// Applies the facts of one read; the offset after the last.
    private func apply(from next: Offset, to table: inout GroupTable) async throws -> Offset {
        let stream = StreamID.facts(shard.id, .groups)
        let place = try await shard.log.located(stream, next).get()
        var bytes = try await read(stream, place)
        var reached = next
        while bytes.readableBytes >= RecordBatchHeader.size {
            let header = try RecordBatchHeader.parse(bytes)
            guard let batch = bytes.readSlice(length: header.totalBytes) else { break }
            guard header.nextOffset > next else { continue }
            guard batch.withUnsafeReadableBytes({ header.checksumMatches($0) }) else {
                throw StartFailure(description: "\(stream): the batch at \(header.baseOffset) is damaged; restore it from a copy")
            }
            var records = batch
            records.moveReaderIndex(forwardBy: RecordBatchHeader.size)
            for record in try Record.readAll(header: header, records: records) where record.offset >= next {
                guard let key = record.key else { continue }
                // Bytes of their own: a slice would keep the whole read alive.
                let value = record.value.map { ByteBuffer(bytes: $0.readableBytesView) }
                table.apply(try GroupFact.decode(key: key, value: value))
            }
            reached = header.nextOffset
        }
        guard reached > next else { throw StartFailure(description: "\(stream): nothing can be read at \(next)") }
        return reached
    }

    private func read(_ stream: StreamID, _ place: Located) async throws -> ByteBuffer {
        let bytes = max(Self.readBytes, place.header.totalBytes)
        let slice = try await shard.log.slice(stream, at: place.position, maxBytes: bytes).get()
        guard case .bytes(let buffer) = slice.content else {
            throw StartFailure(description: "\(stream): the log gave a file region where bytes were asked for")
        }
        return buffer
    }
}

extension Shard {
    /// Reads the shard's groups back and begins to coordinate. Call once, before the doors open.
    func startCoordinator(extent: StreamExtent, random: @escaping @Sendable () -> UInt64) async throws {
        let table = try await GroupRecovery(shard: self).table(extent: extent)
        _ = await ask { shard in
            let coordinator = GroupCoordinator(shard: shard, random: random)
            coordinator.begin(with: table, end: extent.end)
            shard.coordinator = coordinator
        }
    }
}
