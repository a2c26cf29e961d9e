import Logging
import Model

/// Freeing records wherever they lie: whole segments go, sparse ones are rewritten. What will be missing is written down before any file
/// goes, and a rewritten segment is whole on the disk before it takes the old one's place.
extension FileShard {
    typealias FreeDone = @Sendable (Result<StreamExtent, LogError>) -> Void

    func free(_ stream: StreamID, _ ranges: OffsetRanges, done: @escaping FreeDone) {
        if let refusal = refusal() { return done(.failure(refusal)) }
        guard let log = streams[stream] else { return done(.failure(.unknownStream)) }
        let decision = log.state.withLock {
            FreeDecision.free($0.segments, ranges, rewriteBytes: Int64(options.rewriteBytes), rewriteLimit: options.rewritesAtOnce)
        }
        if decision.isAll {
            let end = log.extent.end
            return done(remove(from: stream) { .trim($0, before: end) })
        }
        // One rewriting at a time: two would write to the same place.
        let rewrites = !decision.rewrites.isEmpty && !rewriting.contains(stream)
        do throws(FileError) {
            if decision.rollsActive, rewrites { try roll(log) }
            if !decision.removals.isEmpty { try removeFreed(log, decision.removals) }
        } catch {
            if error.operation == "sync" { fail(error) }
            return done(.failure(logError(error)))
        }
        guard rewrites else { return done(.success(log.extent)) }
        rewriting.insert(stream)
        rewrite(log, decision.rewrites[...], ranges, last: decision.last) { [self] in
            rewriting.remove(stream)
            if failure == nil { checkpoint() }
            done(.success(log.extent))
            goOnIfIdle()
        }
    }

    private func removeFreed(_ log: SegmentedLog, _ names: [SegmentName]) throws(FileError) {
        // The end offset is in the active file's name, which must be safe before anything goes.
        if dirty[log.id] != nil { try sync([log.id]) }
        var going = Set(names)
        let segments = log.state.withLock { $0.segments }
        var holes = HolesFile(segments.filter { !going.contains($0.name) })
        if holes.entries.count > options.holes {
            logger.warning("too many holes", metadata: ["stream": "\(log.id)", "holes": "\(holes.entries.count)"])
            going = Set(segments.prefix { going.contains($0.name) }.map(\.name))
            holes = HolesFile(segments.filter { !going.contains($0.name) })
        }
        guard !going.isEmpty else { return }
        // Those before the first that stays are no holes, but a power loss may leave some of them.
        for segment in segments.prefix(while: { going.contains($0.name) }) { holes.addMissing(segment.base..<segment.next) }
        try holes.save(log.directory, fileSystem)
        log.state.withLock { $0.segments.removeAll { going.contains($0.name) } }
        for name in names where going.contains(name) { try remove(log, name) }
        try fileSystem.syncDirectory(log.directory)
    }

    private func remove(_ log: SegmentedLog, _ name: SegmentName) throws(FileError) {
        files.forget(log.key(name))
        for kind in SegmentFileKind.allCases { try fileSystem.remove(log.path(name, kind)) }
    }

    // MARK: Rewriting

    /// One segment after another: copied by a thread of its own, then put in its place by this one.
    private func rewrite(
        _ log: SegmentedLog, _ names: ArraySlice<SegmentName>, _ ranges: OffsetRanges, last: SegmentName?,
        done: @escaping @Sendable () -> Void
    ) {
        guard failure == nil, streams[log.id] === log, let name = names.first else { return done() }
        let rest = names.dropFirst()
        let found = log.state.withLock { state in state.segmentIndex(of: name).map { state.segments[$0] } }
        guard let segment = found else { return rewrite(log, rest, ranges, last: last, done: done) }
        let copy = SegmentRewrite(
            log: log, segment: segment, freed: ranges, keepsLast: name == last, rewriteBytes: Int64(options.rewriteBytes),
            gapLimit: options.holes, fileSystem: fileSystem)
        guard options.checkpointsInBackground else {
            swap(log, segment, copy.run(), ranges)
            return rewrite(log, rest, ranges, last: last, done: done)
        }
        copying.submit { [self] in
            let result = copy.run()
            thread.submit { [self] in
                swap(log, segment, result, ranges)
                rewrite(log, rest, ranges, last: last, done: done)
            }
        }
    }

    /// Puts a copy in its segment's place. When that fails the segment stays as it was.
    private func swap(_ log: SegmentedLog, _ old: Segment, _ result: Result<Segment?, FileError>, _ ranges: OffsetRanges) {
        do throws(FileError) {
            let copy = try result.get()
            if let copy, failure == nil, streams[log.id] === log, try install(copy, for: old, log) { return }
            // It will be looked at again when clearly more of it is free.
            let freed = FreeDecision.freed(old, ranges)
            log.state.withLock { state in
                guard let index = state.segmentIndex(of: old.name) else { return }
                state.segments[index].vainlyFreed = freed + (old.next - old.base) / 16
            }
        } catch {
            logger.warning("segment not rewritten", metadata: ["stream": "\(log.id)", "segment": "\(old.base)", "error": "\(error)"])
        }
    }

    private func install(_ copy: Segment, for old: Segment, _ log: SegmentedLog) throws(FileError) -> Bool {
        let aside = SegmentRewrite.asidePath(log, copy.name)
        let segments = log.state.withLock { $0.segments }
        guard segments.contains(where: { $0.name == old.name }) else {
            try fileSystem.remove(aside)
            return true
        }
        var holes = HolesFile(segments)
        holes.add(gapsOf: copy)
        holes.addMissing(copy.next..<old.next)
        guard holes.entries.count <= options.holes else {
            try fileSystem.remove(aside)
            return false
        }
        try holes.save(log.directory, fileSystem)
        try fileSystem.rename(aside, to: log.path(copy.name, .log))
        try fileSystem.syncDirectory(log.directory)
        log.state.withLock { state in
            if let index = state.segmentIndex(of: old.name) { state.segments[index] = copy }
        }
        try IndexFile.persist(copy, of: log, fileSystem: fileSystem)
        log.state.withLock { state in
            guard let index = state.segmentIndex(of: copy.name) else { return }
            state.segments[index].offsets.markPersisted(upTo: copy.offsets.count)
            state.segments[index].times.markPersisted(upTo: copy.times.count)
        }
        try remove(log, old.name)
        return true
    }
}
