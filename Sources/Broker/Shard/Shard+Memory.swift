import Groups
import Model
import NIOCore
import Storage

/// Reading producers and epochs back from the log, and keeping the snapshot that makes it short.
extension Shard {
    private static let readBytes = 1 << 20

    /// Reads the batch headers behind the partition's snapshot, then appends what was held back meanwhile.
    func loadMemory(of partition: Partition) {
        guard !partition.memory.isLoading, !partition.memory.isLoaded else { return }
        partition.memory.isLoading = true
        if partition.memory.upTo > partition.highWatermark {
            partition.memory = .unread(options.limits)
            partition.memory.isLoading = true
        }
        readMemory(of: partition, from: max(partition.memory.upTo, partition.start))
    }

    /// Runs `body` when the partition's memory is whole; for requests that need epochs.
    func whenLoaded(_ partition: Partition, _ body: @escaping @Sendable () -> Void, tries: Int = 200) {
        if partition.memory.isLoaded || tries == 0 { return body() }
        loadMemory(of: partition)
        loop.scheduleTask(in: .milliseconds(5)) { self.whenLoaded(partition, body, tries: tries - 1) }
    }

    /// Runs `done` on the loop when the partition's memory is whole, or with the error that prevented it.
    func awaitMemory(of partition: Partition, _ done: @escaping (LogError?) -> Void) {
        if partition.memory.isLoaded { return done(nil) }
        partition.afterLoad.append(done)
        loadMemory(of: partition)
    }

    private func readMemory(of partition: Partition, from offset: Offset) {
        guard partitions[partition.id] === partition else { return }
        // Whatever is still being written is learnt when it is written, or fails and is never learnt.
        guard offset < partition.highWatermark else { return loaded(partition) }
        let read: @Sendable (Result<Located, LogError>) -> Void = { located in
            switch located {
            // What was not read yet has been freed.
            case .failure(.outOfRange(let extent)) where extent.start > offset: self.readMemory(of: partition, from: extent.start)
            case .failure(let error): self.loadFailed(partition, error)
            case .success(let place):
                let learn: @Sendable (Result<LogSlice, LogError>) -> Void = { slice in
                    self.run { self.learn(partition, slice, from: offset) }
                }
                let bytes = max(Self.readBytes, place.header.totalBytes)
                if let slice = self.log.read(partition.stream, at: place.position, maxBytes: bytes, wantsRegion: false, later: learn) {
                    self.loop.execute { self.learn(partition, slice, from: offset) }
                }
            }
        }
        if let located = log.locate(partition.stream, .offset(offset), later: { result in self.run { read(result) } }) { read(located) }
    }

    private func learn(_ partition: Partition, _ slice: Result<LogSlice, LogError>, from offset: Offset) {
        guard partitions[partition.id] === partition else { return }
        guard case .success(let found) = slice, case .bytes(let bytes) = found.content else {
            if case .failure(.outOfRange(let extent)) = slice, offset < extent.end {
                return readMemory(of: partition, from: max(offset, extent.start))
            }
            if case .failure(let error) = slice { return loadFailed(partition, error) }
            return loadFailed(partition, .corrupt("a region where bytes were asked for"))
        }
        var at = 0
        var next = offset
        while bytes.readableBytes - at >= RecordBatchHeader.size, let header = try? RecordBatchHeader.parse(bytes, at: at) {
            if header.nextOffset > offset {
                learnDelayed(partition, before: header.baseOffset + 1)
                partition.memory.learn(header, now: clock.now)
            }
            next = max(next, header.nextOffset)
            at += header.totalBytes
        }
        guard next > offset else { return loadFailed(partition, .corrupt("no batch at offset \(offset)")) }
        readMemory(of: partition, from: next)
    }

    private func loaded(_ partition: Partition) {
        learnDelayed(partition, before: Offset(Int64.max))
        partition.memory.isLoaded = true
        partition.memory.isLoading = false
        partition.writtenMemory = partition.memory
        let held = partition.held
        partition.held = []
        for batch in held { append(batch.item, wants: batch.wants, ticket: batch.ticket) }
        startFrame()
        tellLoaded(partition, nil)
    }

    private func loadFailed(_ partition: Partition, _ error: LogError) {
        run {
            self.logger.error("\(partition.stream): reading its producers back failed: \(error)")
            partition.memory.isLoading = false
            let held = partition.held
            partition.held = []
            self.finish(held.map { ($0.ticket, ProduceResult(slot: $0.item.slot, error: .storage("\(error)"))) })
            self.tellLoaded(partition, error)
        }
    }

    func tellLoaded(_ partition: Partition, _ error: LogError?) {
        let waiting = partition.afterLoad
        partition.afterLoad = []
        for done in waiting { done(error) }
    }

    /// - Parameter isWanted: somebody waits for what is behind the last one to be saved.
    func snapshotIfDue(isWanted: Bool = false) {
        guard isWanted || bytesSinceSnapshot >= options.limits.producerSnapshotBytes, !snapshotRunning else { return }
        snapshotRunning = true
        let bytes = snapshotBytes()
        Task {
            let isSaved = await self.putSnapshot(bytes)
            self.run {
                self.snapshotRunning = false
                guard isSaved else { return }
                for partition in self.partitions.values { partition.savedEnd = partition.savingEnd }
            }
        }
    }

    /// The memories of all partitions as a blob, as of their high watermarks: a batch that is still being written is not in it, or a
    /// producer that sends it again after a crash would be told it is there.
    func snapshotBytes() -> ByteBuffer {
        loop.preconditionInEventLoop()
        bytesSinceSnapshot = 0
        let now = clock.now
        var memories: [(PartitionID, ProducerMemory)] = []
        for (id, partition) in partitions {
            partition.writtenMemory.producers.expire(now: now)
            partition.savingEnd = partition.writtenMemory.upTo
            memories.append((id, partition.writtenMemory))
        }
        return ProducerSnapshot.encode(memories, delayed: delays?.writtenEnds ?? []).buffer
    }

    @discardableResult
    func putSnapshot(_ bytes: ByteBuffer) async -> Bool {
        // What the delay store knows of producers and the partitions do not yet would be taken for known.
        guard await ask({ $0.delays?.traces.isEmpty ?? true }) else { return false }
        do {
            try await store.putBlob(ProducerSnapshot.key(id), bytes)
            return true
        } catch {
            logger.warning("shard \(id): the producer snapshot was not written (\(error)); the next start reads more of the log")
            return false
        }
    }
}
