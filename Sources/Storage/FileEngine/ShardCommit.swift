import Model
import NIOCore

/// Group commit: one frame's appends grouped by stream, one vectored write per stream, then as few syncs as its durability takes.
extension FileShard {
    /// The appends of one stream in a frame.
    struct Group {
        var log: SegmentedLog
        var appends: [Append] = []
        var byteCount = 0
        /// The active segment's end before, and with, this frame.
        var startByte: Int64 = 0
        var preallocatedBytes: Int64 = 0
        var appender: SegmentAppender
        var file: any File
        var isJournaled = false
        /// Whether the frame's durability is for any of the appends.
        var needsSync = false
    }

    typealias Progress = @Sendable (Result<CommitStage, LogError>) -> Void

    func commit(_ frame: Frame, progress: Progress) {
        if let epoch, frame.epoch < epoch { return progress(.failure(.fenced(epoch))) }
        if let refusal = refusal() {
            fates.refuse(frame.id)
            return progress(.failure(refusal))
        }
        guard frame.epoch == epoch else { return progress(.failure(.unavailable("shard \(id) was not acquired for epoch \(frame.epoch)"))) }
        var groups: [Group]
        switch prepare(frame) {
        case .success(let prepared): groups = prepared
        case .failure(let error):
            fates.refuse(frame.id)
            return progress(.failure(error))
        }
        if let error = write(frame, &groups) { return progress(.failure(error)) }
        publish(groups)
        fates.commit(frame.id)
        progress(.success(.written))
        if frame.durable {
            do throws(FileError) {
                try makeDurable(groups, frame)
                progress(.success(.durable))
            } catch {
                fail(error)
                fates.inDoubt = (frame.id, .committed)
                return progress(.failure(.indeterminate))
            }
        }
        afterCommit()
    }

    // MARK: Prepare

    /// Finds or makes the streams, rolls full segments and checks every append against the stream's end. Nothing of the frame is written.
    private func prepare(_ frame: Frame) -> Result<[Group], LogError> {
        var byStream: [StreamID: Int] = [:]
        var appends: [[Append]] = []
        for append in frame.appends {
            guard append.bytes.readableBytes <= options.entryBytes else {
                return .failure(
                    .unavailable("\(append.stream): an append of \(append.bytes.readableBytes) bytes, more than \(options.entryBytes)"))
            }
            if let index = byStream[append.stream] {
                appends[index].append(append)
            } else {
                byStream[append.stream] = appends.count
                appends.append([append])
            }
        }
        var groups: [Group] = []
        groups.reserveCapacity(appends.count)
        for appends in appends {
            do throws(FileError) {
                switch try prepare(appends) {
                case .success(let group): groups.append(group)
                case .failure(let error): return .failure(error)
                }
            } catch {
                if error.operation == "sync" { fail(error) }
                return .failure(logError(error))
            }
        }
        return .success(groups)
    }

    private func segmentBytes(of stream: StreamID) -> Int {
        switch stream {
        case .partition: min(units[stream]?.bytes ?? options.segmentBytes, Self.largestSegmentBytes)
        case .facts: min(options.segmentBytes, options.factSegmentBytes)
        case .delay: min(options.segmentBytes, options.delaySegmentBytes)
        }
    }

    /// Whether the segment is closed before these batches: it would get too large, too old, or its offsets too far apart.
    private func isFull(_ active: Segment, _ appends: [Append], _ byteCount: Int) -> Bool {
        guard active.bytes > 0 else { return false }
        let stream = appends[0].stream
        if active.bytes + Int64(byteCount) > Int64(segmentBytes(of: stream)) { return true }
        // By the records' own times, as Kafka does: no clock is asked, and a replay of old records divides as the first time did.
        if case .partition = stream, active.firstTimestamp > .none {
            if appends[0].maxTimestamp - active.firstTimestamp > units[stream]?.ms ?? options.segmentMs { return true }
        }
        return appends[appends.count - 1].next - active.base > Int64(UInt32.max)
    }

    /// Positions in a segment are 32 bits, and one frame may go beyond.
    private static let largestSegmentBytes = 2 << 30

    private func prepare(_ appends: [Append]) throws(FileError) -> Result<Group, LogError> {
        let first = appends[0]
        if let owner = registry.shard(of: first.stream), owner != id {
            return .failure(.unavailable("\(first.stream) belongs to shard \(owner), not \(id)"))
        }
        if pendingDrops.contains(where: { $0.log.id == first.stream }) {
            return .failure(.unavailable("\(first.stream) is being dropped"))
        }
        let byteCount = appends.reduce(0) { $0 + $1.bytes.readableBytes }
        guard byteCount + segmentBytes(of: first.stream) <= Int(UInt32.max) else {
            return .failure(.unavailable("\(first.stream): \(byteCount) bytes in one frame"))
        }
        let log: SegmentedLog
        if let known = streams[first.stream] { log = known } else { log = try makeStream(first.stream, base: first.base) }
        var active = log.state.withLock { $0.active }
        guard first.base == active.next else {
            return .failure(.unavailable("\(first.stream) ends at offset \(active.next); an append begins at \(first.base)"))
        }
        if isFull(active, appends, byteCount) {
            try roll(log)
            active = log.state.withLock { $0.active }
        }
        let file = try activeFile(log, active.name)
        var group = Group(
            log: log, appends: appends, byteCount: byteCount, startByte: active.bytes, preallocatedBytes: active.preallocatedBytes,
            appender: SegmentAppender(active), file: file, needsSync: appends.contains(where: \.needsSync))
        for append in appends {
            let fits = append.bytes.withUnsafeReadableBytes { group.appender.add($0) }
            guard fits, group.appender.next == append.next else {
                return .failure(.unavailable("\(first.stream): bytes are not record batches from offset \(append.base) to \(append.next)"))
            }
        }
        return .success(group)
    }

    func activeFile(_ log: SegmentedLog, _ segment: SegmentName) throws(FileError) -> any File {
        // A dirty stream's file is held open: closing it could lose the news of a failed write.
        if let dirty = dirty[log.id] { return dirty.file }
        return try files.open(log.key(segment), path: log.path(segment, .log))
    }

    func makeStream(_ stream: StreamID, base: Offset) throws(FileError) -> SegmentedLog {
        let log = SegmentedLog(
            id: stream, parent: directory, number: registry.nextNumber(),
            segments: [Segment(base: base)])
        try fileSystem.makeDirectory(log.directory)
        let segment = SegmentName(base)
        let file = try files.open(log.key(segment), path: log.path(segment, .log), create: true)
        dirty[stream] = DirtyStream(log: log, file: file, base: base, syncedBytes: 0, hasNewFile: true, hasNewDirectory: true)
        streams[stream] = log
        registry.add(log, shard: id)
        return log
    }

    // MARK: Write

    /// Writes all groups and the journal copies; takes everything back on failure.
    private func write(_ frame: Frame, _ groups: inout [Group]) -> LogError? {
        do throws(FileError) {
            for group in groups {
                preallocate(group)
                let pinned = PinnedBytes(group.appends.map(\.bytes))
                try group.file.writeAll(pinned.parts, at: group.startByte)
            }
            if frame.durable { try journalSmallAppends(frame, &groups) }
            return nil
        } catch {
            return takeBack(frame, groups, error)
        }
    }

    /// Finds blocks ahead of a segment that has grown large: a hint, so nothing fails by it, and a disk that fills up is left alone.
    private func preallocate(_ group: Group) {
        let end = group.startByte + Int64(group.byteCount)
        guard end >= Int64(options.preallocateFromBytes), end > group.preallocatedBytes else { return }
        let ahead = min(end / 2, Int64(options.preallocateBytes))
        let target = max(end, min(end + ahead, Int64(segmentBytes(of: group.log.id))))
        do throws(FileError) {
            if try fileSystem.space(directory).freeBytes > 16 * ahead {
                group.file.preallocate(at: group.startByte, count: Int(target - group.startByte))
            }
        } catch {
            logger.debug("no preallocation", metadata: ["shard": "\(id)", "error": "\(error)"])
        }
        group.log.state.withLock { $0.segments[$0.segments.count - 1].preallocatedBytes = target }
    }

    /// Cuts the files back to their published end, so that nothing of the frame is found after a restart.
    private func takeBack(_ frame: Frame, _ groups: [Group], _ error: FileError) -> LogError {
        do throws(FileError) {
            for group in groups { try group.file.truncate(to: group.startByte) }
            fates.refuse(frame.id)
            return logError(error)
        } catch {
            for group in groups { markDirty(group) }
            fail(error)
            fates.inDoubt = (frame.id, .absent)
            return .indeterminate
        }
    }

    /// Copies small appends to the journal where that saves syncs. A stream with bytes that are neither synced nor journaled is synced
    /// itself: a copy alone would leave a gap before it after a power loss.
    private func journalSmallAppends(_ frame: Frame, _ groups: inout [Group]) throws(FileError) {
        let small = groups.indices.filter { index in
            groups[index].needsSync && groups[index].byteCount <= options.redoBytes && dirty[groups[index].log.id]?.needsFileSync != true
        }
        // A new stream would take three syncs: its bytes, its name and its directory's.
        guard small.count > 1 || small.contains(where: { dirty[groups[$0].log.id]?.hasNewFile == true }) else { return }
        try journal.write(frame.id, epoch: frame.epoch, appends: small.flatMap { groups[$0].appends })
        for index in small { groups[index].isJournaled = true }
    }

    /// Appends what the journal kept and the file lost.
    func rewriteLost(_ append: Append) throws(FileError) -> LogError? {
        switch try prepare([append]) {
        case .failure(let error): return error
        case .success(let group):
            try group.file.writeAll(append.bytes, at: group.startByte)
            publish([group])
            return nil
        }
    }

    private func publish(_ groups: [Group]) {
        for group in groups {
            markDirty(group)
            group.log.state.withLock { $0.segments[$0.segments.count - 1].absorb(group.appender) }
            bytesSinceCheckpoint += group.byteCount
        }
    }

    private func markDirty(_ group: Group) {
        var state =
            dirty[group.log.id]
            ?? DirtyStream(
                log: group.log, file: group.file, base: group.appender.base, syncedBytes: group.startByte, writebackBytes: group.startByte)
        if !group.isJournaled { state.hasUncovered = true }
        // Let the disk begin early on streams that are written without a sync.
        let end = group.startByte + Int64(group.byteCount)
        if end - state.writebackBytes >= 8 << 20 {
            state.file.startWriteback(at: state.writebackBytes, count: Int(end - state.writebackBytes))
            state.writebackBytes = end
        }
        dirty[group.log.id] = state
    }

    // MARK: Sync

    private func makeDurable(_ groups: [Group], _ frame: Frame) throws(FileError) {
        if frame.appends.isEmpty {
            try sync(dirty.filter(\.value.needsFileSync).map(\.key))
        } else {
            try sync(groups.filter { $0.needsSync && !$0.isJournaled }.map(\.log.id))
            if groups.contains(where: \.isJournaled) { try journal.sync() }
        }
    }

    /// Makes streams' bytes and names safe. Nothing counts as safe when any of it fails.
    func sync(_ ids: [StreamID]) throws(FileError) {
        var hasNewDirectory = false
        for id in ids {
            guard let state = dirty[id] else { continue }
            try state.file.sync()
            if state.hasNewFile { try fileSystem.syncDirectory(state.log.directory) }
            if state.hasNewDirectory { hasNewDirectory = true }
        }
        if hasNewDirectory { try fileSystem.syncDirectory(directory) }
        for id in ids { dirty[id] = nil }
    }

    private func afterCommit() {
        // Every dirty stream holds its file open. Half the limit asks for a checkpoint; past the limit there is no waiting for it.
        while dirty.count > options.openFiles, failure == nil, let id = dirty.keys.first {
            do throws(FileError) { try sync([id]) } catch { fail(error) }
        }
        let tooManyOpen = dirty.count > options.openFiles / 2
        if wantsCheckpoint || tooManyOpen || bytesSinceCheckpoint >= options.checkpointBytes
            || journal.position >= Int64(options.journalBytes)
        {
            checkpoint()
        } else {
            scheduleCheckpoint()
        }
    }
}
