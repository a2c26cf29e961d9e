import Model
import NIOCore
import Storage

/// When a shard's append times were, and will be, written down. Owned by the shard's loop.
struct TimesPace {
    /// Something was appended since they were taken for writing.
    var isDirty = false
    /// They are being written, or will be.
    var isUnderWay = false
    /// No more: the broker is closing.
    var isStopped = false
    /// From the first append to the writing: longer where there is much to write.
    var delayMs: Int64

    init(limits: Limits) { delayMs = limits.appendTimesMs }
}

/// Keeping what is known of append times over a restart.
extension Shard {
    /// Partitions have more records: writes their times down soon.
    func noteAppended() {
        times.isDirty = true
        guard !times.isUnderWay, !times.isStopped else { return }
        times.isUnderWay = true
        loop.scheduleTask(in: .milliseconds(times.delayMs)) { [weak self] in
            guard let self, !self.times.isStopped, self.broken == nil else { return }
            let blob = self.takeTimes()
            Task { await self.putTimes(blob) }
        }
    }

    /// All append times as of now. Call on the shard's loop.
    func takeTimes() -> AppendTimesBlob {
        loop.preconditionInEventLoop()
        times.isDirty = false
        var blob = AppendTimesBlob(savedAt: clock.now, entries: [])
        blob.entries.reserveCapacity(partitions.count)
        for (id, partition) in partitions where partition.highWatermark > .zero {
            partition.times.trim(before: partition.start)
            blob.entries.append(.init(id: id, end: partition.highWatermark, times: partition.times))
        }
        return blob
    }

    /// Encodes off the loop, on copies.
    func putTimes(_ blob: AppendTimesBlob) async {
        let bytes = blob.encode(limitBytes: options.limits.appendTimesBytes)
        do { try await store.putBlob(AppendTimesBlob.key(id), bytes) } catch {
            logger.warning(
                "shard \(id): append times were not written (\(error)); a start now would know ages by the clients' timestamps only")
            run { self.times.isDirty = true }
        }
        let limits = options.limits
        run {
            self.times.delayMs = max(limits.appendTimesMs, Int64(bytes.readableBytes) * 1_000 / Int64(limits.appendTimesBytesPerSecond))
            self.times.isUnderWay = false
            if self.times.isDirty { self.noteAppended() }
        }
    }

    /// What was written down; nil when there is nothing that can be read.
    func savedTimes() async throws(StoreError) -> AppendTimesBlob? {
        guard let bytes = try await store.getBlob(AppendTimesBlob.key(id)) else { return nil }
        let blob = AppendTimesBlob(bytes, limit: options.limits.appendTimes)
        if blob == nil { logger.warning("shard \(id): append times are damaged; ages go by the clients' timestamps until new ones come") }
        return blob
    }
}
