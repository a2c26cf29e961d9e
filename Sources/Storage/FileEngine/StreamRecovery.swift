import Logging
import Model
import NIOCore

/// Bringing one stream back: its segments in order, holes only where they were written down.
extension Recovery {
    mutating func recover(_ id: StreamID, _ name: String, marks: [Checkpoint.Mark]) throws(FileError) -> LogError? {
        let directory = shard.directory + "/" + name
        let names = try fileSystem.list(directory)
        let found = newest(names.compactMap(SegmentFileKind.log.segment))
        if let mark = marks.last(where: { mark in mark.bytes > 0 && !found.contains { $0.base >= mark.name.base } }) {
            return .corrupt("\(directory)/\(SegmentFileKind.log.name(mark.name)) is missing; restore it or remove the directory")
        }
        try removeOrphans(names, found, directory)
        guard let first = found.first else { return nil }
        let holes = try HolesFile.load(directory, fileSystem)
        let log = SegmentedLog(id: id, parent: shard.directory, number: shard.registry.nextNumber(), segments: [Segment(first)])
        var segments: [Segment] = []
        for (index, name) in found.enumerated() {
            if let last = segments.last, last.next > name.base || !holes.all.covers(last.next..<name.base) {
                return .corrupt(
                    "\(directory): offsets \(last.next) to \(name.base) are missing and were not freed; restore the segment or remove "
                        + "those before it")
            }
            let mark = marks.first { $0.name == name }
            switch try recover(log, name, mark, holes, isFirst: marks.isEmpty, isLast: index == found.count - 1) {
            case .success(let segment): segments.append(segment)
            case .failure(let problem): return problem
            }
        }
        log.state.withLock { $0.segments = segments }
        shard.streams[id] = log
        shard.registry.add(log, shard: shard.id)
        return nil
    }

    /// One of each base, ascending: where a crash came between a rewritten segment's coming and the old one's going, the new one.
    private func newest(_ found: [SegmentName]) -> [SegmentName] {
        var newest: [SegmentName] = []
        for name in found.sorted(by: { ($0.base, $0.version) < ($1.base, $1.version) }) {
            if newest.last?.base == name.base { newest.removeLast() }
            newest.append(name)
        }
        return newest
    }

    /// Index files whose segment is gone, segments that have been rewritten, and files half written.
    private func removeOrphans(_ names: [String], _ found: [SegmentName], _ directory: String) throws(FileError) {
        let known = Set(found)
        for name in names {
            let segment = SegmentFileKind.allCases.lazy.compactMap { $0.segment(name) }.first
            let isOrphan = segment.map { !known.contains($0) } ?? name.hasSuffix(".new")
            if isOrphan { try fileSystem.remove(directory + "/" + name) }
        }
    }

    private mutating func recover(
        _ log: SegmentedLog, _ name: SegmentName, _ mark: Checkpoint.Mark?, _ holes: HolesFile, isFirst: Bool, isLast: Bool
    ) throws(FileError) -> Result<Segment, LogError> {
        let path = log.path(name, .log)
        let size = try fileSystem.size(path) ?? 0
        var segment = mark?.segment ?? Segment(name)
        guard size >= segment.bytes else {
            return .failure(.corrupt("\(path) has \(size) bytes, the checkpoint says \(segment.bytes); restore it"))
        }
        if size == segment.bytes, mark != nil { return .success(segment) }
        isStale = true
        let file = try shard.files.open(log.key(name), path: path)
        let from = segment.bytes
        if let damage = try scan(file, &segment, size, holes.ofVersion(name.version)) {
            guard isLast else { return .failure(.corrupt("\(path) at byte \(segment.bytes): \(damage); restore it")) }
            try file.truncate(to: segment.bytes)
            cutBytes += size - segment.bytes
            shard.logger.notice(
                "torn tail cut",
                metadata: [
                    "path": "\(path)", "bytes": "\(size - segment.bytes)", "reason": "\(damage)", "nextOffset": "\(segment.next)",
                ])
        }
        // Bytes in the page cache may never have reached the disk, after a sync that failed before the process was killed the system even
        // believes them clean: make them dirty again, so that the sync of the checkpoint counts.
        try shard.rewrite(file, from: from, to: segment.bytes)
        // Without a mark the file's name itself may be unsafe.
        if isLast {
            shard.dirty[log.id] = FileShard.DirtyStream(
                log: log, file: file, base: name.base, syncedBytes: from, hasUncovered: true, hasNewFile: mark == nil,
                hasNewDirectory: isFirst)
        } else {
            try file.sync()
        }
        return .success(segment)
    }

    /// Extends the segment by the whole batches that follow.
    /// - Parameter gaps: offsets that rewriting may have left out; none where it was not.
    /// - Returns: what is wrong with the bytes after them; nil at the end of the file.
    private mutating func scan(
        _ file: any File, _ segment: inout Segment, _ size: Int64, _ gaps: OffsetRanges
    ) throws(FileError) -> String? {
        var scanner = SegmentScanner(file, limit: size, checksums: true)
        var appender = SegmentAppender(segment)
        defer { segment.absorb(appender) }
        var damage: String?
        while damage == nil, appender.position < size {
            switch scanner.batch(at: appender.position) {
            case .batch(let span) where span.base >= appender.next && gaps.covers(appender.next..<span.base):
                segment.gaps.append(appender.next..<span.base)
                appender.add(span)
            case .batch(let span): damage = "offset \(span.base) stands where \(appender.next) is expected"
            case .damaged(let what): damage = what
            case .failed(let error): throw error
            }
        }
        scannedBytes += scanner.bytesRead
        return damage
    }
}
