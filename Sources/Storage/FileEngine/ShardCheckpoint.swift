import Logging
import Model
import NIOCore

/// Checkpoints, rolls and the repair of a shard whose disk failed.
extension FileShard {
    func timedCheckpoint() {
        checkpointIsScheduled = false
        if failure == nil, bytesSinceCheckpoint > 0 || !dirty.isEmpty { checkpoint() }
    }

    func close() {
        if epoch != nil { timedCheckpoint() }
    }

    /// Syncs everything, writes index entries and the checkpoint file, and begins the journal anew.
    func checkpoint() {
        do throws(FileError) {
            for id in Array(dirty.keys) { try sync(id) }
        } catch {
            return fail(error)
        }
        do throws(FileError) {
            for log in streams.values { try persistIndex(log) }
            let next = Checkpoint(generation: journal.generation + 1, streams: marks())
            try fileSystem.replace(checkpointPath, with: next.encode())
            journal.reset(generation: next.generation)
        } catch {
            // Nothing is lost: recovery starts from the older checkpoint and its journal.
            logger.warning("no checkpoint", metadata: ["shard": "\(id)", "error": "\(error)"])
        }
        bytesSinceCheckpoint = 0
        wantsCheckpoint = false
        evictIndexes()
    }

    private func marks() -> [String: [Checkpoint.Mark]] {
        var result: [String: [Checkpoint.Mark]] = [:]
        result.reserveCapacity(streams.count)
        for (id, log) in streams { result[StreamName.encode(id)] = log.state.withLock { $0.segments.map(Checkpoint.Mark.init) } }
        return result
    }

    /// Appends the active segment's new index entries to its files.
    func persistIndex(_ log: SegmentedLog) throws(FileError) {
        let active = log.state.withLock { state -> Segment? in
            let active = state.active
            return active.offsets.unpersisted.isEmpty && active.times.unpersisted.isEmpty ? nil : active
        }
        guard let active else { return }
        try IndexFile.persist(active.offsets, base: active.base, path: log.path(active.base, .index), fileSystem: fileSystem)
        try IndexFile.persist(active.times, base: active.base, path: log.path(active.base, .time), fileSystem: fileSystem)
        log.state.withLock { state in
            state.segments[state.segments.count - 1].offsets.markPersisted()
            state.segments[state.segments.count - 1].times.markPersisted()
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
        try sync(log.id)
        let active = log.state.withLock { $0.active }
        do throws(FileError) { try persistIndex(log) } catch {
            logger.warning("no index", metadata: ["stream": "\(log.id)", "error": "\(error)"])
        }
        let key = OpenFiles.Key(stream: log.number, base: active.next.value)
        let file = try files.open(key, path: log.path(active.next, .log), create: true)
        // A file of that name can only be a leftover of a roll that failed.
        try file.truncate(to: 0)
        dirty[log.id] = DirtyStream(log: log, file: file, syncedBytes: 0, hasNewFile: true)
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

    /// After a failed sync the system may hold pages that it believes clean and the disk never got. So whatever was not synced before is written
    /// again, from what reads back whole, and only then synced.
    private func repair() throws(FileError) {
        for state in dirty.values {
            let end = state.log.state.withLock { $0.active.bytes }
            try state.file.truncate(to: end)
            try verify(state.file, from: state.syncedBytes, to: end)
            try rewrite(state.file, from: state.syncedBytes, to: end)
        }
        let stopped = failure
        failure = nil
        checkpoint()
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
