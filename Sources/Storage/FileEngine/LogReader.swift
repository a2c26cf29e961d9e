import Logging
import Model
import NIOCore

/// Looks up and reads one stream. Value made per call; runs on the caller's thread as long as everything is at hand, else again on a thread
/// that may wait.
struct LogReader: Sendable {
    let log: SegmentedLog
    let files: OpenFiles
    let fileSystem: any FileSystem
    /// Whether this thread may ask the disk.
    let mayWait: Bool
    let logger: Logger
    /// Answers below this many bytes are copied: sendfile gains nothing there.
    static let regionBytes = 16 << 10

    /// What one look at the segments under the lock gives.
    struct Start {
        /// The segment and its bounds.
        var segment: SegmentName
        var bytes: Int64
        var next: Offset
        /// Where to begin walking.
        var byte: Int64
        /// The next segment; nil for the last.
        var following: SegmentName?
    }

    enum Attempt<Value> {
        case done(Result<Value, LogError>)
        /// Ask again where waiting is allowed.
        case needsDisk
    }

    enum StartAttempt {
        case start(Start)
        case failed(LogError)
        case load(SegmentName)
    }

    var loader: IndexLoader { IndexLoader(log: log, fileSystem: fileSystem, files: files, logger: logger) }

    // MARK: Locate

    func locate(_ target: LocateTarget) -> Attempt<Located> {
        while true {
            switch log.state.withLock({ find(target, in: $0) }) {
            case .failed(let error): return .done(.failure(error))
            case .load(let segment):
                guard mayWait else { return .needsDisk }
                if let error = loader.load(segment) { return .done(.failure(error)) }
            case .start(let start): return walk(to: target, from: start)
            }
        }
    }

    private func find(_ target: LocateTarget, in state: borrowing SegmentedLog.State) -> StartAttempt {
        if state.isDropped { return .failed(.unknownStream) }
        switch target {
        case .offset(let offset):
            guard offset >= state.segments[0].base, offset < state.active.next else { return outside(state) }
            let index = state.segmentIndex(holding: offset)
            // A hole ends where the next segment begins.
            if offset >= state.segments[index].next { return .start(view(index + 1, byte: 0, in: state)) }
            let relative = offset - state.segments[index].base
            let found = state.segments[index].offsets.last { Int64($0.relativeOffset) <= relative }
            return start(index, found, in: state)
        case .timestamp(let time):
            guard let index = state.segments.firstIndex(where: { $0.bytes > 0 && $0.maxTimestamp >= time }) else { return outside(state) }
            return start(index, state.segments[index].times.last { $0.maxTimestampBefore < time }, in: state)
        case .maxTimestamp:
            var best: Int?
            for (index, segment) in state.segments.enumerated() where segment.bytes > 0 {
                if best.map({ segment.maxTimestamp > state.segments[$0].maxTimestamp }) ?? true { best = index }
            }
            guard let best else { return outside(state) }
            return .start(view(best, byte: Int64(state.segments[best].maxTimestampPosition), in: state))
        }
    }

    private func outside(_ state: borrowing SegmentedLog.State) -> StartAttempt { .failed(.outOfRange(state.extent)) }

    private func start<Entry: IndexEntry>(
        _ index: Int, _ found: SparseIndex<Entry>.Lookup, in state: borrowing SegmentedLog.State
    ) -> StartAttempt {
        switch found {
        case .load: .load(state.segments[index].name)
        case .first: .start(view(index, byte: 0, in: state))
        case .entry(let entry): .start(view(index, byte: Int64(entry.position), in: state))
        }
    }

    func view(_ index: Int, byte: Int64, in state: borrowing SegmentedLog.State) -> Start {
        let segment = state.segments[index]
        let following = index + 1 < state.segments.count ? state.segments[index + 1].name : nil
        return Start(segment: segment.name, bytes: segment.bytes, next: segment.next, byte: byte, following: following)
    }

    private func walk(to target: LocateTarget, from start: Start) -> Attempt<Located> {
        let file: any File
        switch open(start.segment) {
        case .done(.success(let opened)): file = opened
        case .done(.failure(let error)): return .done(.failure(error))
        case .needsDisk: return .needsDisk
        }
        return withUnsafeTemporaryAllocation(byteCount: HeaderWalk.windowBytes, alignment: 8) { window in
            var walk = HeaderWalk(file, limit: start.bytes, mayWait: mayWait, window: window)
            var byte = start.byte
            while true {
                switch walk.header(at: byte) {
                case .batch(let header):
                    if Self.holds(header, target) {
                        return .done(.success(Located(position: start.segment.position(byte), header: header)))
                    }
                    byte += Int64(header.totalBytes)
                case .needsDisk: return .needsDisk
                case .failed(let error): return .done(.failure(error))
                case .end:
                    return .done(.failure(.corrupt("\(file.path): \(target) is in its index but not in its batches")))
                }
            }
        }
    }

    private static func holds(_ header: RecordBatchHeader, _ target: LocateTarget) -> Bool {
        switch target {
        case .offset(let offset): header.nextOffset > offset
        case .timestamp(let time): header.maxTimestamp >= time
        case .maxTimestamp: true
        }
    }

    func open(_ segment: SegmentName) -> Attempt<any File> {
        if let file = files.cached(log.key(segment)) { return .done(.success(file)) }
        guard mayWait else { return .needsDisk }
        do throws(FileError) {
            return .done(.success(try files.open(log.key(segment), path: log.path(segment, .log))))
        } catch {
            // Removed by retention between the look-up and here.
            if error.kind == .notFound { return .done(.failure(.outOfRange(log.extent))) }
            return .done(.failure(.unavailable("\(error)")))
        }
    }
}
