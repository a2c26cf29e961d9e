import Model
import NIOCore

/// Copies the batches of a closed segment that are still wanted to a new file. Reads what does not change any more, so it runs beside
/// everything else.
struct SegmentRewrite: Sendable {
    let log: SegmentedLog
    let segment: Segment
    let freed: OffsetRanges
    /// The stream's last batch is in it and stays.
    let keepsLast: Bool
    /// Bytes that must come free, and at least as many as stay.
    let rewriteBytes: Int64
    /// Stretches left out, at most.
    let gapLimit: Int
    let fileSystem: any FileSystem
    private static let copyBytes: Int64 = 1 << 20

    init(
        log: SegmentedLog, segment: Segment, freed: OffsetRanges, keepsLast: Bool, rewriteBytes: Int64, gapLimit: Int,
        fileSystem: any FileSystem
    ) {
        self.log = log
        self.segment = segment
        self.freed = freed
        self.keepsLast = keepsLast
        self.rewriteBytes = rewriteBytes
        self.gapLimit = gapLimit
        self.fileSystem = fileSystem
    }

    /// Where a copy is made: a start removes what it finds there.
    static func asidePath(_ log: SegmentedLog, _ name: SegmentName) -> String { log.path(name, .log) + ".new" }

    /// - Returns: the copy, on the disk but not in its place; nil when it would not pay.
    func run() -> Result<Segment?, FileError> {
        do throws(FileError) {
            let source = try fileSystem.open(log.path(segment.name, .log), create: false)
            guard let plan = try plan(source) else { return .success(nil) }
            let path = Self.asidePath(log, plan.segment.name)
            do throws(FileError) {
                try copy(plan.kept, from: source, to: path)
            } catch {
                try fileSystem.remove(path)
                throw error
            }
            return .success(plan.segment)
        } catch {
            // Freed altogether meanwhile.
            if error.kind == .notFound { return .success(nil) }
            return .failure(error)
        }
    }

    private struct Plan {
        var segment: Segment
        var kept: [Range<Int64>] = []
    }

    /// Which bytes stay, and what the segment will be like.
    private func plan(_ source: any File) throws(FileError) -> Plan? {
        let name = SegmentName(segment.base, version: segment.name.version + 1)
        var appender = SegmentAppender(Segment(name))
        var gaps = OffsetRanges()
        var kept: [Range<Int64>] = []
        let problem = withUnsafeTemporaryAllocation(byteCount: HeaderWalk.windowBytes, alignment: 8) { window -> FileError? in
            var walk = HeaderWalk(source, limit: segment.bytes, mayWait: true, window: window)
            var byte: Int64 = 0
            while byte < segment.bytes, kept.count <= gapLimit {
                guard case .batch(let header) = walk.header(at: byte) else {
                    return FileError(.failed, "read", source.path, reason: "no batch at byte \(byte)")
                }
                let end = byte + Int64(header.totalBytes)
                let isLast = keepsLast && end == segment.bytes
                if isLast || !freed.covers(header.baseOffset..<header.nextOffset) {
                    gaps.append(appender.next..<header.baseOffset)
                    appender.add(BatchSpan(header))
                    if kept.last?.upperBound == byte {
                        kept[kept.count - 1] = kept[kept.count - 1].lowerBound..<end
                    } else {
                        kept.append(byte..<end)
                    }
                }
                byte = end
            }
            return nil
        }
        if let problem { throw problem }
        let freedBytes = segment.bytes - appender.position
        guard appender.position > 0, kept.count <= gapLimit, freedBytes >= max(rewriteBytes, appender.position) else { return nil }
        var plan = Plan(segment: Segment(name), kept: kept)
        plan.segment.absorb(appender)
        plan.segment.gaps = gaps
        plan.segment.firstTimestamp = segment.firstTimestamp
        return plan
    }

    private func copy(_ kept: [Range<Int64>], from source: any File, to path: String) throws(FileError) {
        let target = try fileSystem.open(path, create: true)
        try target.truncate(to: 0)
        var position: Int64 = 0
        for range in kept {
            var from = range.lowerBound
            while from < range.upperBound {
                let bytes = try source.readBytes(at: from, count: Int(min(range.upperBound - from, Self.copyBytes)))
                guard bytes.readableBytes > 0 else { throw FileError(.failed, "read", source.path, reason: "ends at byte \(from)") }
                try target.writeAll(bytes, at: position)
                from += Int64(bytes.readableBytes)
                position += Int64(bytes.readableBytes)
            }
        }
        try target.sync()
    }
}
