import Model
import NIOCore
import Queues
import Storage

/// Writing the index out, so that memory stays bounded and a start reads little.
extension DelayHost {
    func spillIfDue(_ band: Int) {
        guard !spillRunning, !isStopped else { return }
        let isFull = store.tables[band].count >= limits.delayTableEntries || store.tailBytes[band] >= limits.delayTailBytes
        if isFull {
            spill(band, always: true)
        } else if store.tableCount >= 2 * limits.delayTableEntries,
            let largest = (0..<DelayBand.count).max(by: { store.tables[$0].count < store.tables[$1].count })
        {
            spill(largest)
        }
    }

    /// Writes a band's table out as a run.
    /// ```
    /// 1 the table is set aside; it goes on being released from. What producers have sent is noted
    /// 2 the run's blocks are appended
    /// 3 all that was written is made durable, while publishing goes on: what the run will name, and the run, can't be lost any more
    /// 4 what was noted is snapshotted: a start will not read these bodies any more
    /// 5 the front passes what was taken before 1, for that is not in the run
    /// 6 fact: the run, with the end of the bodies it covers
    /// ```
    /// - Parameter always: even if there is nothing in the table: its bodies are not to be read again.
    /// - Parameter done: told when it is written, or why not; right away when there is nothing to write.
    func spill(_ band: Int, always: Bool = false, done: @escaping (LogError?) -> Void = { _ in }) {
        guard traces.isEmpty, !spillRunning else { return done(.unavailable("the delay store is not ready to write its index")) }
        guard let entries = store.freeze(band: band, bodyEnd: wholeEnds[band], always: always) else { return done(nil) }
        spillRunning = true
        spillDone = done
        let takenBefore = store.taken
        let producers = shard.snapshotBytes()
        Task {
            let error = await self.write(entries, band: band, producers: producers, takenBefore: takenBefore)
            self.shard.run {
                self.spillRunning = false
                if let error {
                    self.logger.error("delay store of shard \(self.shard.id): the index was not written out: \(error)")
                    self.store.thaw()
                }
                let (done, waiting) = (self.spillDone, self.afterSpill)
                (self.spillDone, self.afterSpill) = ({ _ in }, [])
                done(error)
                for body in waiting { body() }
                if error == nil { self.spillIfDue(band) }
            }
        }
    }

    /// Writes a band's table out, after the one that is being written if there is one.
    func spillNow(_ band: Int, done: @escaping (LogError?) -> Void) {
        if spillRunning { return afterSpill.append { self.spillNow(band, done: done) } }
        spill(band, always: true, done: done)
    }

    private func write(_ entries: [DelayEntry], band: Int, producers: ByteBuffer, takenBefore: DelayKey) async -> LogError? {
        let sorted = DelayRun.sorted(entries)
        var first = Offset.zero
        if !sorted.isEmpty {
            let (offset, error) = await append(blocks: sorted, band: band)
            if let error { return error }
            first = offset
        }
        if let error = await shard.log.synced(shard.id) { return error }
        guard await shard.putSnapshot(producers) else { return .unavailable("the producers' snapshot was not written") }
        guard let bodyEnd = await shard.ask({ _ in self.store.frozen?.bodyEnd }) else { return nil }
        let run = sorted.isEmpty ? nil : DelayRun(band: band, first: first, bodyEnd: bodyEnd, sorted: sorted)
        await frontPasses(takenBefore)
        let made = run
        return await withCheckedContinuation { continuation in
            shard.run {
                guard let frozen = self.store.frozen else { return continuation.resume(returning: nil) }
                let fact = made.map { DelayFact.run($0) } ?? .emptied(band: band, bodyEnd: frozen.bodyEnd)
                self.log([fact]) { error in
                    if error == nil { if let made { self.store.adopt(made) } else { self.store.dropFrozen() } }
                    continuation.resume(returning: error)
                    self.tick()
                }
            }
        }
    }

    /// Appends a run's blocks; the offset of the first.
    private func append(blocks sorted: [DelayEntry], band: Int) async -> (Offset, LogError?) {
        let (first, epoch) = await shard.ask { _ in (self.runEnds[band], self.shard.epoch.value) }
        let time = shard.clock.now
        var next = first
        var at = 0
        while at < sorted.count {
            var bytes = ByteBuffer()
            let base = next
            while at < sorted.count, bytes.readableBytes < 1 << 20 {
                let end = min(at + DelayRun.blockEntries, sorted.count)
                var builder = RecordBatchBuilder(baseOffset: next)
                builder.append(timestamp: time, value: DelayRun.encode(block: sorted[at..<end]))
                var batch = builder.finish()
                RecordBatchHeader.patch(&batch, baseOffset: next, leaderEpoch: epoch)
                bytes.writeImmutableBuffer(batch)
                next = next + 1
                at = end
            }
            let append = Append(stream: runsStream(band), base: base, next: next, maxTimestamp: time, bytes: bytes)
            let error = await withCheckedContinuation { (continuation: CheckedContinuation<LogError?, Never>) in
                shard.run {
                    self.shard.enqueue(
                        .init(append: append, owner: .facts(done: { continuation.resume(returning: $0) }), wants: .written))
                    self.shard.startFrame()
                }
            }
            if let error { return (first, error) }
            let reached = next
            _ = await shard.ask { _ in self.runEnds[band] = reached }
        }
        return (first, nil)
    }

    /// Waits until everything up to `key` is done and that is logged.
    private func frontPasses(_ key: DelayKey) async {
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            shard.run { self.whenFront(key) { continuation.resume() } }
        }
    }

    private func whenFront(_ key: DelayKey, _ body: @escaping () -> Void) {
        if store.front >= key || isStopped || shard.broken != nil { return body() }
        afterFront.append { self.whenFront(key, body) }
        scheduleFront()
    }
}
