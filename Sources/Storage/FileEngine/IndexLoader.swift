import Logging
import Model
import NIOCore

/// Brings a segment's missing index entries into memory: from its index files, or by reading the segment where they are missing or damaged.
/// Runs on a thread that may wait.
struct IndexLoader {
    let log: SegmentedLog
    let fileSystem: any FileSystem
    let files: OpenFiles
    let logger: Logger

    /// What the segment looked like when loading began.
    private struct Wanted {
        var offsets: Int
        var times: Int
        var bytes: Int64
    }

    /// - Returns: why it failed; nil when the entries are there (or the segment is gone: the caller's next look will tell).
    func load(_ name: SegmentName) -> LogError? {
        let wanted: Wanted? = log.state.withLock { state in
            guard let index = state.segmentIndex(of: name) else { return nil }
            let segment = state.segments[index]
            return Wanted(offsets: segment.offsets.missing, times: segment.times.missing, bytes: segment.bytes)
        }
        guard let wanted else { return nil }
        do throws(FileError) {
            let offsets: [OffsetEntry] = try IndexFile.load(
                base: name.base, path: log.path(name, .index), limit: wanted.offsets, fileSystem: fileSystem)
            let times: [TimeEntry] = try IndexFile.load(
                base: name.base, path: log.path(name, .time), limit: wanted.times, fileSystem: fileSystem)
            let fits = offsets.count == wanted.offsets && times.count == wanted.times
            if fits, (offsets.last.map { Int64($0.position) } ?? 0) <= wanted.bytes {
                install(name, offsets: offsets, times: times, rebuilt: false)
                return nil
            }
        } catch {
            return .unavailable("\(error)")
        }
        return rebuild(name, bytes: wanted.bytes)
    }

    private func rebuild(_ name: SegmentName, bytes: Int64) -> LogError? {
        let file: any File
        do throws(FileError) { file = try files.open(log.key(name), path: log.path(name, .log)) } catch {
            if error.kind == .notFound { return nil }
            return .unavailable("\(error)")
        }
        var scanner = SegmentScanner(file, limit: bytes, checksums: false)
        var appender = SegmentAppender(Segment(name))
        while appender.position < bytes {
            switch scanner.batch(at: appender.position) {
            case .batch(let span): appender.add(span)
            case .damaged(let what): return .corrupt("\(file.path) at byte \(appender.position): \(what)")
            case .failed(let error): return .unavailable("\(error)")
            }
        }
        install(name, offsets: appender.offsets, times: appender.times, rebuilt: true)
        do throws(FileError) { try persistClosed(name) } catch {
            // The entries are in memory; a file that can't be written costs the next start another scan.
            logger.warning("no index", metadata: ["stream": "\(log.id)", "error": "\(error)"])
        }
        return nil
    }

    /// Writes the index files of a closed segment anew. Those of the active one are written by the shard's next checkpoint.
    private func persistClosed(_ name: SegmentName) throws(FileError) {
        let closed = log.state.withLock { state -> Segment? in
            guard let index = state.segmentIndex(of: name), index < state.segments.count - 1 else { return nil }
            return state.segments[index]
        }
        guard let closed else { return }
        try IndexFile.persist(closed, of: log, fileSystem: fileSystem)
        log.state.withLock { state in
            guard let index = state.segmentIndex(of: name), state.segments[index].offsets.count == closed.offsets.count else { return }
            state.segments[index].offsets.markPersisted(upTo: closed.offsets.count)
            state.segments[index].times.markPersisted(upTo: closed.times.count)
        }
    }

    /// Entries made by a scan include those already in memory; only what precedes them is put back.
    private func install(_ name: SegmentName, offsets: [OffsetEntry], times: [TimeEntry], rebuilt: Bool) {
        log.state.withLock { state in
            guard let index = state.segmentIndex(of: name) else { return }
            Self.restore(&state.segments[index].offsets, offsets, rebuilt: rebuilt)
            Self.restore(&state.segments[index].times, times, rebuilt: rebuilt)
        }
    }

    private static func restore<Entry: IndexEntry>(_ index: inout SparseIndex<Entry>, _ loaded: [Entry], rebuilt: Bool) {
        guard index.missing > 0 else { return }
        if rebuilt {
            let firstInMemory = index.entries.first?.position ?? .max
            index.restore(loaded.filter { $0.position < firstInMemory }, rebuilt: true)
        } else if loaded.count >= index.missing {
            index.restore(Array(loaded.prefix(index.missing)), rebuilt: false)
        }
    }
}
