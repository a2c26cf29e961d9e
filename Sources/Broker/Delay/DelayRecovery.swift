import Model
import NIOCore
import Queues
import Storage
import Wire

/// Reads a shard's delay store back: snapshot and facts, the newest bodies, and what the open targets got before the crash.
struct DelayRecovery {
    let shard: Shard
    let extents: [StreamID: StreamExtent]
    /// Per band, the end of the bodies whose producers the producers' snapshot knows.
    let learned: [Offset]
    private var reader: DelayReader { DelayReader(log: shard.log, shard: shard.id) }

    init(shard: Shard, extents: [StreamID: StreamExtent], learned: [Offset]) {
        self.shard = shard
        self.extents = extents
        self.learned = learned
    }

    struct Found {
        var store: DelayStore
        var traces: [PartitionID: [DelayHost.Trace]] = [:]
        /// Bands in which parts of publishes lie that were never whole: their tables are written out before anything is published.
        var voids: Set<Int> = []
        var isRepaired = false
        /// Per band: offsets below were handed out, by what is remembered of their messages. A power failure may have taken those; were
        /// they handed out again, others would be taken for purged or released.
        var reserved: [Offset]
    }

    private func extent(_ stream: DelayStream) -> StreamExtent { extents[.delay(shard.id, stream)] ?? .empty }

    /// - Throws: ``StartFailure`` when something that was logged can't be read: going on would lose messages silently.
    func run() async throws -> Found {
        let store = try await facts()
        var found = Found(store: store, reserved: store.remembered)
        let ends = (0..<DelayBand.count).map { extent(.bodies($0)).end }
        found.isRepaired = found.store.repair(bodyEnds: ends, runEnds: (0..<DelayBand.count).map { extent(.runs($0)).end })
        if found.isRepaired { shard.logger.warning("shard \(shard.id): a power failure took delayed messages that were not confirmed") }
        for request in found.store.open() { found.store.recount(try await reader.block(request).get()) }
        for band in 0..<DelayBand.count { try await tail(band, &found) }
        try await released(&found)
        found.store.countMoved()
        return found
    }

    // MARK: Facts

    private func facts() async throws -> DelayStore {
        var store = DelayStore(limits: shard.options.limits)
        let stream = StreamID.facts(shard.id, .delay)
        let extent = extents[stream] ?? .empty
        var next = extent.start
        if let blob = try await shard.store.getBlob(DelaySnapshot.key(shard.id)) {
            if let snapshot = DelaySnapshot(blob) {
                for fact in snapshot.facts { store.apply(fact) }
                next = max(next, snapshot.end)
            } else if extent.start > .zero {
                throw StartFailure(
                    description:
                        "the snapshot of shard \(shard.id)'s delay store is damaged, and the facts before \(extent.start) are only "
                        + "there; restore the data directory's blobs from a copy")
            } else {
                shard.logger.warning("shard \(shard.id): the delay store's snapshot is damaged; all of its facts are read from the log")
            }
        }
        let first = next
        try await reader.batches(stream, from: next, to: extent.end) { header, batch in
            var records = batch
            records.moveReaderIndex(forwardBy: RecordBatchHeader.size)
            for record in try Record.readAll(header: header, records: records) where record.offset >= first {
                guard let value = record.value else { continue }
                var reader = WireReader(value)
                store.apply(try DelayFact(reading: &reader))
            }
        }
        for band in 0..<DelayBand.count { _ = store.removeDoneRuns(band: band) }
        return store
    }

    // MARK: Bodies

    /// The bodies that no run holds.
    private func tail(_ band: Int, _ found: inout Found) async throws {
        let extent = extent(.bodies(band))
        var store = found.store
        var traces = found.traces
        var voids = found.voids
        var bodiesFollow = false
        let from = max(store.bodyEnds[band], extent.start)
        try await reader.batches(.delay(shard.id, .bodies(band)), from: from, to: extent.end) { header, batch in
            store.addTail(bytes: header.totalBytes, band: band)
            if bodiesFollow {
                bodiesFollow = false
                return
            }
            let meta: DelayMeta
            do { meta = try DelayMeta.read(header, batch) } catch {
                throw StartFailure(
                    description: "\(StreamID.delay(shard.id, .bodies(band))): the batch at \(header.baseOffset) can't be read (\(error)); "
                        + "restore it from a copy")
            }
            if case .next = meta.dues { bodiesFollow = true }
            guard isWhole(meta) else {
                voids.insert(band)
                guard let number = store.numbers[meta.target] else { return }
                for entry in meta.entries(at: header.baseOffset, band: band, number: number) { store.void(entry) }
                return
            }
            if let trace = meta.trace, header.baseOffset >= (band < learned.count ? learned[band] : .zero) {
                traces[meta.target, default: []].append(.init(base: meta.base, header: trace.header(at: meta.base)))
            }
            guard let number = store.numbers[meta.target] else {
                if meta.parts.isEmpty { return }
                throw StartFailure(description: "shard \(shard.id): a delayed message at \(header.baseOffset) names an unknown target")
            }
            for entry in meta.entries(at: header.baseOffset, band: band, number: number) { store.recover(entry) }
        }
        found.store = store
        found.traces = traces
        found.voids = voids
    }

    /// Whether everything of a publish has been written. What was not confirmed may be half there; then none of it counts.
    private func isWhole(_ meta: DelayMeta) -> Bool {
        guard meta.parts.allSatisfy({ extent(.bodies($0.band)).end >= $0.end }) else { return false }
        guard meta.immediate > 0 else { return true }
        return (extents[.partition(meta.target)] ?? .empty).end >= meta.base + Int64(meta.immediate)
    }

    // MARK: Targets

    /// What was released behind the front: the open targets are searched for stamps.
    private func released(_ found: inout Found) async throws {
        var refs: [DelayRef] = []
        for (number, from) in found.store.openTargets.sorted(by: { $0.key < $1.key }) {
            guard let id = found.store.targets[number], let extent = extents[.partition(id)], from < extent.end else { continue }
            try await reader.batches(.partition(id), from: max(from, extent.start), to: extent.end) { header, batch in
                // Released messages are in batches of our own making.
                guard header.attributes.compression == RecordBatchHeader.Compression.none, header.producerID == .none else { return }
                var records = batch
                records.moveReaderIndex(forwardBy: RecordBatchHeader.size)
                guard let all = try? Record.readAll(header: header, records: records) else { return }
                for record in all where record.offset >= from {
                    guard let stamp = record.headers.last(where: { $0.name == RecordPacker.handleHeader })?.value,
                        let handle = DelayRef.parse(handle: String(buffer: stamp)), handle.shard == shard.id
                    else { continue }
                    refs.append(handle.ref)
                }
            }
        }
        for ref in refs { found.reserved[ref.band] = max(found.reserved[ref.band], ref.offset + 1) }
        found.store.noteReleased(refs, nowMs: shard.clock.now.ms)
    }
}

extension Shard {
    /// Reads the shard's delay store back and begins to release. Call once, before the doors open and after the partitions are adopted.
    func startDelays(extents: [StreamID: StreamExtent], learned: [Offset]) async throws {
        let found = try await DelayRecovery(shard: self, extents: extents, learned: learned).run()
        let host = DelayHost(shard: self)
        _ = await ask { shard in
            host.store = found.store
            for band in 0..<DelayBand.count {
                host.bodyEnds[band] = extents[.delay(shard.id, .bodies(band))]?.end ?? .zero
                host.runEnds[band] = extents[.delay(shard.id, .runs(band))]?.end ?? .zero
            }
            host.writtenEnds = host.bodyEnds
            host.wholeEnds = host.bodyEnds
            host.loggedEnd = extents[.facts(shard.id, .delay)]?.end ?? .zero
            host.doneKey = found.store.front
            host.searched = found.store.openTargets
            shard.delays = host
            host.traces = found.traces.filter { shard.partitions[$0.key] != nil }
                .mapValues { $0.enumerated().sorted { ($0.element.base, $0.offset) < ($1.element.base, $1.offset) }.map(\.element) }
            for id in host.traces.keys.sorted() {
                guard let partition = shard.partitions[id] else { continue }
                partition.memory.isLoaded = false
                shard.loadMemory(of: partition)
            }
        }
        for band in 0..<DelayBand.count { try await host.skip(band, to: found.reserved[band]) }
        if !found.voids.isEmpty || found.isRepaired { try await host.settleStart(found.voids) }
        _ = await ask { _ in host.tick() }
    }
}

extension DelayHost {
    /// Makes sure that the next start does not take for whole what this one found to be in parts: nothing is published before.
    func settleStart(_ voids: Set<Int>) async throws {
        try await settled("producers of delayed messages were not read back") { self.whenLearned($0) }
        for band in voids.sorted() {
            let end = await shard.ask { _ in self.writtenEnds[band] }
            try await settled("the delay store's index could not be written at the start") { self.spillNow(band, done: $0) }
            guard await shard.ask({ _ in self.store.bodyEnds[band] >= end }) else {
                throw StartFailure(description: "shard \(shard.id): the delay store's index could not be written at the start")
            }
        }
        guard await putSnapshot() else {
            throw StartFailure(description: "shard \(shard.id): the delay store's snapshot could not be written at the start")
        }
    }

    /// Sees to it that a band's next message gets an offset at or behind `end`: an empty batch takes those before.
    func skip(_ band: Int, to end: Offset) async throws {
        try await settled("the delay store could not be brought behind what a power failure took") { done in
            let start = self.bodyEnds[band]
            guard end > start else { return done(nil) }
            let now = self.shard.clock.now
            let meta = DelayMeta(
                target: PartitionID(topic: .zero, index: 0), arrivedMs: now.ms, dues: .each([]), parts: [], base: .zero, immediate: 0,
                trace: nil)
            var packer = RecordPacker(capacity: 64)
            packer.begin(meta: meta.encoded(), baseTimestamp: now, maxTimestamp: now)
            var bytes = packer.finish(base: start, leaderEpoch: self.shard.epoch.value)
            RecordBatchHeader.widen(&bytes, to: Int32(clamping: end - start))
            let next = start + Int64(Int32(clamping: end - start))
            let append = Append(stream: self.bodiesStream(band), base: start, next: next, maxTimestamp: now, bytes: bytes)
            let owner = GroupCommit.Owner.facts(done: { error in
                if error == nil { (self.bodyEnds[band], self.writtenEnds[band], self.wholeEnds[band]) = (next, next, next) }
                done(error)
            })
            self.shard.enqueue(.init(append: append, owner: owner, wants: .durable))
            self.shard.startFrame()
        }
    }

    private func settled(_ what: String, _ body: @escaping @Sendable (@escaping (LogError?) -> Void) -> Void) async throws {
        let error: LogError? = await withCheckedContinuation { continuation in
            shard.run { body { continuation.resume(returning: $0) } }
        }
        if let error { throw StartFailure(description: "shard \(shard.id): \(what): \(error)") }
    }

    /// Runs `done` when the partitions know the producers that only the delay store knew of.
    private func whenLearned(_ done: @escaping (LogError?) -> Void) {
        guard let id = traces.keys.min() else { return done(nil) }
        guard let partition = shard.partitions[id] else {
            traces[id] = nil
            return whenLearned(done)
        }
        shard.awaitMemory(of: partition) { error in
            if let error { done(error) } else { self.whenLearned(done) }
        }
    }
}
