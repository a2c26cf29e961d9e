import Compression
import Model
import NIOCore
import NIOPosix
import Storage

/// What ListOffsets, OffsetForLeaderEpoch and DeleteRecords ask of a partition.
extension Shard {
    public enum OffsetTarget: Sendable {
        case earliest, latest
        /// The first record at or after a time.
        case timestamp(Timestamp)
        /// The record with the largest timestamp (KIP-734).
        case maxTimestamp
    }

    public struct OffsetAnswer: Sendable {
        public var error: PartitionError?
        /// −1: there is none.
        public var offset = Offset(-1)
        public var timestamp = Timestamp.none
        public var leaderEpoch: Int32 = -1
    }

    /// Answers on the shard's loop. Inside a batch the record itself is found; a batch that cannot be unpacked answers with its first
    /// offset for a time (the client skips what is older) and with its last for the largest timestamp.
    public func offset(of id: PartitionID, _ target: OffsetTarget, leaderEpoch: Int32, reply: @escaping @Sendable (OffsetAnswer) -> Void) {
        run {
            guard let partition = self.partitions[id] else { return reply(OffsetAnswer(error: .unknownPartition)) }
            if leaderEpoch >= 0 && leaderEpoch < self.epoch.value { return reply(OffsetAnswer(error: .fencedLeaderEpoch)) }
            if leaderEpoch > self.epoch.value { return reply(OffsetAnswer(error: .unknownLeaderEpoch)) }
            let none = OffsetAnswer(leaderEpoch: self.epoch.value)
            switch target {
            case .earliest: reply(OffsetAnswer(offset: partition.start, leaderEpoch: self.epoch.value))
            case .latest: reply(OffsetAnswer(offset: partition.highWatermark, leaderEpoch: self.epoch.value))
            case .timestamp(let time):
                guard partition.start < partition.highWatermark, time <= partition.maxTimestamp else { return reply(none) }
                self.search(partition, .timestamp(time), reply)
            case .maxTimestamp:
                guard partition.start < partition.highWatermark else { return reply(none) }
                self.search(partition, .maxTimestamp, reply)
            }
        }
    }

    private func search(
        _ partition: Partition, _ target: LocateTarget, tries: Int = 3, _ reply: @escaping @Sendable (OffsetAnswer) -> Void
    ) {
        let found: @Sendable (Result<Located, LogError>) -> Void = { located in
            switch located {
            case .failure(.outOfRange), .failure(.unknownStream): reply(OffsetAnswer(leaderEpoch: self.epoch.value))
            case .failure(let error): reply(OffsetAnswer(error: .storage("\(error)")))
            case .success(let place): self.searchBatch(partition, place, target, tries: tries, reply)
            }
        }
        if let located = log.locate(partition.stream, target, later: { result in self.run { found(result) } }) { found(located) }
    }

    private func searchBatch(
        _ partition: Partition, _ place: Located, _ target: LocateTarget, tries: Int, _ reply: @escaping @Sendable (OffsetAnswer) -> Void
    ) {
        let start = partition.start
        let read: @Sendable (Result<LogSlice, LogError>) -> Void = { slice in
            // Freed or rewritten since it was found.
            if case .failure(.outOfRange) = slice, tries > 0 { return self.search(partition, target, tries: tries - 1, reply) }
            guard case .success(let found) = slice, case .bytes(var bytes) = found.content,
                let batch = bytes.readSlice(length: place.header.totalBytes)
            else { return reply(OffsetAnswer(error: .storage("the batch at \(place.header.baseOffset) can't be read"))) }
            let pick: @Sendable () -> OffsetAnswer = { Self.pick(target, header: place.header, batch: batch, start: start) }
            if place.header.attributes.compression == RecordBatchHeader.Compression.none { return reply(pick()) }
            // A megabyte may unpack to many, which would hold up everything else on the loop.
            NIOThreadPool.singleton.submit { _ in
                let answer = pick()
                self.run { reply(answer) }
            }
        }
        let bytes = place.header.totalBytes
        if let slice = log.read(
            partition.stream, at: place.position, maxBytes: bytes, wantsRegion: false, later: { r in self.run { read(r) } })
        {
            read(slice)
        }
    }

    /// The record of a batch that answers a search by time; what deleting records has hidden, below `start`, does not count.
    private static func pick(_ target: LocateTarget, header: RecordBatchHeader, batch: ByteBuffer, start: Offset) -> OffsetAnswer {
        if let record = find(target, header: header, batch: batch, start: start) {
            return OffsetAnswer(offset: record.offset, timestamp: record.timestamp, leaderEpoch: header.leaderEpoch)
        }
        if case .timestamp = target {
            return OffsetAnswer(
                offset: max(header.baseOffset, start), timestamp: header.baseTimestamp, leaderEpoch: header.leaderEpoch)
        }
        return OffsetAnswer(offset: header.lastOffset, timestamp: header.maxTimestamp, leaderEpoch: header.leaderEpoch)
    }

    /// Nil too where the records cannot be read: a broker keeps what producers packed as it is, and only their readers can complain.
    private static func find(_ target: LocateTarget, header: RecordBatchHeader, batch: ByteBuffer, start: Offset) -> Record? {
        var latest: Record?
        do {
            var reader = try Records.reader(header: header, batch: batch)
            while let record = try reader.next() {
                guard record.offset >= start else { continue }
                switch target {
                case .timestamp(let time): if record.timestamp >= time { return record }
                case .maxTimestamp: if latest.map({ record.timestamp > $0.timestamp }) ?? true { latest = record }
                case .offset: return nil
                }
            }
        } catch { return nil }
        return latest
    }

    /// Where `epoch` ended (KIP-101); epoch −1 and offset −1 when it is not known.
    public func endOfEpoch(
        of id: PartitionID, epoch: Int32, currentEpoch: Int32, reply: @escaping @Sendable (PartitionError?, _ epoch: Int32, Offset) -> Void
    ) {
        run {
            guard let partition = self.partitions[id] else { return reply(.unknownPartition, -1, Offset(-1)) }
            if currentEpoch >= 0 && currentEpoch < self.epoch.value { return reply(.fencedLeaderEpoch, -1, Offset(-1)) }
            if currentEpoch > self.epoch.value { return reply(.unknownLeaderEpoch, -1, Offset(-1)) }
            if epoch == self.epoch.value { return reply(nil, epoch, partition.highWatermark) }
            self.whenLoaded(partition) {
                guard let found = partition.memory.epochs.end(of: epoch, logEnd: partition.highWatermark) else {
                    return reply(nil, -1, Offset(-1))
                }
                reply(nil, found.epoch, found.end)
            }
        }
    }

    /// Raises the first readable offset; −1 means up to the high watermark. Answers with the new first offset once it is kept in the store.
    public func deleteRecords(of id: PartitionID, before: Offset, reply: @escaping @Sendable (Result<Offset, PartitionError>) -> Void) {
        run {
            guard let partition = self.partitions[id] else { return reply(.failure(.unknownPartition)) }
            let target = before.value == -1 ? partition.highWatermark : before
            guard target.value >= 0, target <= partition.highWatermark else { return reply(.failure(.offsetOutOfRange)) }
            guard target > partition.start else { return reply(.success(partition.start)) }
            Task {
                do {
                    try await self.store.put(PartitionStart.key(id), PartitionStart.encode(target))
                } catch {
                    return reply(.failure(.storage("\(error)")))
                }
                self.run { self.raiseStart(id, to: target, reply) }
            }
        }
    }

    private func raiseStart(_ id: PartitionID, to target: Offset, _ reply: @escaping @Sendable (Result<Offset, PartitionError>) -> Void) {
        guard let partition = partitions[id] else { return reply(.failure(.unknownPartition)) }
        partition.start = max(partition.start, target)
        cursors?.trimmed(partition)
        let start = partition.start
        log.trim(partition.stream, before: start) { result in
            self.run { self.took(result, id) }
        }
        reply(.success(start))
    }

    /// Takes in what the log holds after it has freed space.
    func took(_ result: Result<StreamExtent, LogError>, _ id: PartitionID) {
        guard let partition = partitions[id] else { return }
        switch result {
        case .success(let extent):
            partition.start = max(partition.start, extent.start)
            partition.holes = extent.holes.intersection(partition.start..<max(partition.start, extent.end))
            cursors?.trimmed(partition)
            partition.bytes = extent.bytes
        case .failure(.unknownStream): break
        case .failure(let error): logger.error("\(partition.stream): freeing space failed: \(error)")
        }
    }

    /// Applies every topic's retention; called by the broker's clockwork.
    /// - Parameter onlyQueues: space is short, and what is settled in queues is wanted back.
    func retain(onlyQueues: Bool = false) {
        let now = clock.now
        let shareBytes = space?.shareBytes()
        for (id, partition) in partitions where partition.start < partition.highWatermark || partition.bytes > 0 {
            guard partition.own == nil else {
                cursors?.retain(partition, shareBytes: shareBytes)
                continue
            }
            if onlyQueues { continue }
            let config = partition.config
            let retention = Retention(
                olderThan: config.retentionMs >= 0 ? now + -config.retentionMs : nil,
                maxBytes: config.retentionBytes >= 0 ? config.retentionBytes : nil)
            guard retention.olderThan != nil || retention.maxBytes != nil else { continue }
            log.retain(partition.stream, retention) { result in self.run { self.took(result, id) } }
        }
    }
}

/// The first readable offset that delete-records set, kept in the store by partition.
enum PartitionStart {
    static let prefix = "starts/"
    static func key(_ id: PartitionID) -> String { prefix + id.description }
    static func encode(_ offset: Offset) -> ByteBuffer { ByteBuffer(integer: offset.value) }
    static func decode(_ entry: StoreEntry) -> (key: String, start: Offset)? {
        entry.value.getInteger(at: entry.value.readerIndex, as: Int64.self).map { (entry.key, Offset($0)) }
    }
}

extension Broker {
    /// ``Shard/deleteRecords(of:before:reply:)`` on the shard that owns the partition.
    public func deleteRecords(of id: PartitionID, before: Offset) async -> Result<Offset, PartitionError> {
        await withCheckedContinuation { continuation in
            shard(of: id).deleteRecords(of: id, before: before) { continuation.resume(returning: $0) }
        }
    }
}
