import Logging
import Model
import NIOCore

/// Checkpoints, rolls and the repair of a shard whose disk failed.
extension FileShard {
    func timedCheckpoint() {
        checkpointIsScheduled = false
        if needsCheckpoint { checkpoint() }
    }

    private var needsCheckpoint: Bool { failure == nil && epoch != nil && (bytesSinceCheckpoint > 0 || !dirty.isEmpty) }

    /// A checkpoint will come some time after the first append since the last one.
    func scheduleCheckpoint() {
        guard let ms = options.checkpointMs, !checkpointIsScheduled else { return }
        checkpointIsScheduled = true
        thread.wake(afterMs: ms)
    }

    func close() {
        if needsCheckpoint { checkpointNow() }
        for log in streams.values {
            do throws(FileError) { try release(log) } catch { warn(error) }
        }
    }

    /// Gives back the blocks that were found for the active segment and not written.
    private func release(_ log: SegmentedLog) throws(FileError) {
        let active = log.state.withLock { $0.active }
        // A segment that grew in an earlier run may hold some too, if that run ended in a crash.
        guard active.preallocatedBytes > active.bytes || active.bytes >= Int64(options.preallocateFromBytes) else { return }
        try activeFile(log, active.name).truncate(to: active.bytes)
        log.state.withLock { $0.segments[$0.segments.count - 1].preallocatedBytes = 0 }
    }

    /// Runs `body` at once, or after the checkpoint and the rewriting that are under way.
    func whenNoCheckpointRuns(_ body: @escaping @Sendable (FileShard) -> Void) {
        if isBusy { waitingForCheckpoint.append(body) } else { body(self) }
    }

    private var isBusy: Bool { checkpointIsRunning || !rewriting.isEmpty }

    /// What waited for a checkpoint or a rewriting runs when neither is under way.
    func goOnIfIdle() {
        guard !isBusy else { return }
        let waiting = waitingForCheckpoint
        waitingForCheckpoint = []
        for body in waiting { whenNoCheckpointRuns(body) }
    }

    /// Makes everything durable that was written before, by a checkpoint.
    func syncAll(_ done: @escaping @Sendable (Result<Void, LogError>) -> Void) {
        if let refusal = refusal() { return done(.failure(refusal)) }
        if needsCheckpoint { checkpoint() }
        whenNoCheckpointRuns { shard in done(shard.failure.map { .failure($0) } ?? .success(())) }
    }

    // MARK: While commits go on

    /// What a checkpoint covers: everything published when it began.
    private struct Run: Sendable {
        struct Item: Sendable {
            var log: SegmentedLog
            var base: Offset
            var bytes: Int64
            var hasNewFile: Bool
            var hasNewDirectory: Bool
        }
        var items: [Item]
        var checkpoint: Checkpoint
    }

    /// Begins a checkpoint: the files are synced and the checkpoint file is written by another thread.
    func checkpoint() {
        guard options.checkpointsInBackground else { return checkpointNow() }
        guard !checkpointIsRunning, failure == nil else { return }
        checkpointIsRunning = true
        var items: [Run.Item] = []
        for (id, state) in dirty {
            let bytes = state.log.state.withLock { $0.active.bytes }
            items.append(
                Run.Item(
                    log: state.log, base: state.base, bytes: bytes, hasNewFile: state.hasNewFile, hasNewDirectory: state.hasNewDirectory))
            dirty[id]?.hasUncoveredInCheckpoint = state.needsFileSync
            dirty[id]?.hasUncovered = false
        }
        journal.turn()
        bytesSinceCheckpoint = 0
        wantsCheckpoint = false
        let run = Run(items: items, checkpoint: Checkpoint(generation: journal.generation, streams: marks()))
        syncing.submit { [self] in
            let result = syncFiles(run)
            thread.submit { [self] in filesAreSynced(run, result) }
        }
    }

    /// On the other thread. Through descriptors of its own: the system tells an error once per descriptor, and a commit that syncs the
    /// same file must hear of it too.
    private func syncFiles(_ run: Run) -> Result<Void, FileError> {
        do throws(FileError) {
            for item in run.items {
                do throws(FileError) {
                    try fileSystem.open(item.log.path(SegmentName(item.base), .log), create: false).sync()
                    if item.hasNewFile { try fileSystem.syncDirectory(item.log.directory) }
                } catch  where error.kind == .notFound {
                    // Trimmed or dropped meanwhile.
                    continue
                }
            }
            if run.items.contains(where: \.hasNewDirectory) { try fileSystem.syncDirectory(directory) }
            return .success(())
        } catch {
            return .failure(error)
        }
    }

    private func filesAreSynced(_ run: Run, _ result: Result<Void, FileError>) {
        if case .failure(let error) = result { fail(error) }
        guard failure == nil else { return checkpointEnded() }
        for item in run.items {
            guard var state = dirty[item.log.id], state.log === item.log, state.base == item.base else { continue }
            state.syncedBytes = max(state.syncedBytes, item.bytes)
            state.hasUncoveredInCheckpoint = false
            state.hasNewFile = false
            state.hasNewDirectory = false
            let end = item.log.state.withLock { $0.active.bytes }
            dirty[item.log.id] = end == state.syncedBytes ? nil : state
        }
        for log in streams.values {
            do throws(FileError) { try persistIndex(log, upTo: run.checkpoint) } catch { warn(error) }
        }
        syncing.submit { [self] in
            var problem: FileError?
            do throws(FileError) { try fileSystem.replace(checkpointPath, with: run.checkpoint.encode()) } catch { problem = error }
            let failed = problem
            thread.submit { [self] in
                if let failed { warn(failed) } else { forgetJournal(below: run.checkpoint.generation) }
                checkpointEnded()
            }
        }
    }

    private func checkpointEnded() {
        checkpointIsRunning = false
        evictIndexes()
        // Commits that came meanwhile asked in vain.
        if needsCheckpoint { scheduleCheckpoint() }
        goOnIfIdle()
    }

    private func forgetJournal(below generation: UInt64) {
        do throws(FileError) { try journal.forget(below: generation) } catch { warn(error) }
    }

    /// Nothing is lost without a checkpoint: recovery starts from the older one and the journal.
    private func warn(_ error: FileError) {
        logger.warning("no checkpoint", metadata: ["shard": "\(id)", "error": "\(error)"])
    }

    // MARK: At once

    /// Syncs everything, writes index entries and the checkpoint file, and begins the journal anew.
    func checkpointNow() {
        precondition(!checkpointIsRunning)
        do throws(FileError) {
            try sync(Array(dirty.keys))
        } catch {
            return fail(error)
        }
        do throws(FileError) {
            for log in streams.values { try persistIndex(log) }
            journal.turn()
            try fileSystem.replace(checkpointPath, with: Checkpoint(generation: journal.generation, streams: marks()).encode())
            try journal.forget(below: journal.generation)
        } catch {
            warn(error)
        }
        bytesSinceCheckpoint = 0
        wantsCheckpoint = false
        evictIndexes()
    }

    private func marks() -> [String: [Checkpoint.Mark]] {
        var result: [String: [Checkpoint.Mark]] = [:]
        result.reserveCapacity(streams.count)
        for log in streams.values { result[log.name] = log.state.withLock { $0.segments.map(Checkpoint.Mark.init) } }
        return result
    }

    /// Appends the active segment's new index entries to its files: all, or those that a checkpoint covers. What is not synced must stay
    /// out, for a crash may put other bytes there.
    func persistIndex(_ log: SegmentedLog, upTo checkpoint: Checkpoint? = nil) throws(FileError) {
        let active = log.state.withLock { state -> Segment? in
            let active = state.active
            return active.offsets.unpersisted.isEmpty && active.times.unpersisted.isEmpty ? nil : active
        }
        guard let active else { return }
        var counts = (offsets: active.offsets.count, times: active.times.count)
        if let checkpoint {
            guard let mark = checkpoint.streams[log.name]?.last, mark.name == active.name else { return }
            counts = (Int(mark.offsetEntries), Int(mark.timeEntries))
        }
        let paths = (log.path(active.name, .index), log.path(active.name, .time))
        try IndexFile.persist(active.offsets, upTo: counts.offsets, base: active.base, path: paths.0, fileSystem: fileSystem)
        try IndexFile.persist(active.times, upTo: counts.times, base: active.base, path: paths.1, fileSystem: fileSystem)
        log.state.withLock { state in
            state.segments[state.segments.count - 1].offsets.markPersisted(upTo: counts.offsets)
            state.segments[state.segments.count - 1].times.markPersisted(upTo: counts.times)
        }
    }

    private func evictIndexes() {
        let total = streams.values.reduce(0) { sum, log in
            sum + log.state.withLock { $0.segments.reduce(0) { $0 + $1.offsets.memoryBytes + $1.times.memoryBytes } }
        }
        guard total > options.indexBytes else { return }
        for log in streams.values {
            log.state.withLock { state in
                for index in state.segments.indices {
                    state.segments[index].offsets.evict()
                    state.segments[index].times.evict()
                }
            }
        }
    }

    /// Closes the active segment for good and begins the next one: what precedes the new file is on the disk before the file exists.
    func roll(_ log: SegmentedLog) throws(FileError) {
        try sync([log.id])
        try release(log)
        let active = log.state.withLock { $0.active }
        do throws(FileError) { try persistIndex(log) } catch {
            logger.warning("no index", metadata: ["stream": "\(log.id)", "error": "\(error)"])
        }
        let following = SegmentName(active.next)
        let file = try files.open(log.key(following), path: log.path(following, .log), create: true)
        // A file of that name can only be a leftover of a roll that failed.
        try file.truncate(to: 0)
        dirty[log.id] = DirtyStream(log: log, file: file, base: active.next, syncedBytes: 0, hasNewFile: true)
        log.state.withLock { $0.segments.append(Segment(base: active.next)) }
        wantsCheckpoint = true
    }

    // MARK: Resolve

    func resolve(_ frame: FrameID) -> Result<FrameFate, LogError> {
        if failure != nil {
            do throws(FileError) { try repair() } catch { return .failure(.unavailable("\(error)")) }
            guard failure == nil else { return .failure(failure ?? .indeterminate) }
        }
        if let refusal = refusal() { return .failure(refusal) }
        return .success(fates.fate(frame))
    }

    /// After a failed sync the system may hold pages that it believes clean and the disk never got. So whatever was not synced before is
    /// written again, from what reads back whole, and only then synced.
    private func repair() throws(FileError) {
        for state in dirty.values {
            let end = state.log.state.withLock { $0.active.bytes }
            try state.file.truncate(to: end)
            try verify(state.file, from: state.syncedBytes, to: end)
            try rewrite(state.file, from: state.syncedBytes, to: end)
        }
        let stopped = failure
        failure = nil
        checkpointNow()
        guard failure == nil else { return }
        logger.notice("shard repaired", metadata: ["shard": "\(id)", "after": "\(stopped.map { "\($0)" } ?? "")"])
        fates.settleDoubt()
    }

    private func verify(_ file: any File, from: Int64, to: Int64) throws(FileError) {
        var scanner = SegmentScanner(file, limit: to, checksums: true)
        var position = from
        while position < to {
            switch scanner.batch(at: position) {
            case .batch(let span): position += Int64(span.totalBytes)
            case .damaged(let what): throw FileError(.failed, "repair", file.path, reason: "at byte \(position): \(what)")
            case .failed(let error): throw error
            }
        }
    }

    /// Reads a range and writes it to the same place, so that the next sync has it to write.
    func rewrite(_ file: any File, from: Int64, to: Int64) throws(FileError) {
        var position = from
        while position < to {
            let bytes = try file.readBytes(at: position, count: Int(min(to - position, 1 << 20)))
            guard bytes.readableBytes > 0 else { throw FileError(.failed, "read", file.path, reason: "ends at byte \(position)") }
            try file.writeAll(bytes, at: position)
            position += Int64(bytes.readableBytes)
        }
    }
}
