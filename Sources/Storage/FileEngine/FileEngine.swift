import Logging
import Model
import NIOCore
import Synchronization

/// The embedded engine: segment files per stream, one redo journal and one disk thread per shard.
///
/// After a crash `acquire` reads what lies beyond the last checkpoint and answers with the extents that survived: all that was reported
/// `.durable`, and a prefix of what was `.written` (all of it when only the process died). ``resolve(_:shard:done:)`` knows the frames of
/// the current epoch only; after a restart the extents are the answer.
public final class FileEngine: Log {
    public let limits: LogLimits
    /// Shards of the data directory; an existing one keeps the number it was made with.
    public var shardCount: Int { shards.count }
    public let root: String

    private let directory: Mutex<DataDirectory?>
    private let fileSystem: any FileSystem
    private let logger: Logger
    private let registry = StreamRegistry()
    private let files: OpenFiles
    private let shards: [FileShard]
    private let reading: WorkThread

    /// Takes the data directory's lock and makes what is missing. Reads no log: ``acquire(_:epoch:done:)`` does.
    /// - Parameter shards: for a new directory.
    public init(
        fileSystem: any FileSystem = PosixFileSystem(), root: String, shards: Int, options: FileEngineOptions = FileEngineOptions(),
        logger: Logger = Logger(label: "weir.storage")
    ) throws(DataDirectoryError) {
        precondition((1...(2 << 30)).contains(options.segmentBytes) && options.entryBytes + options.segmentBytes <= Int(UInt32.max))
        let directory = try DataDirectory(fileSystem: fileSystem, root: root, shards: shards)
        let files = OpenFiles(fileSystem: fileSystem, capacity: options.openFiles)
        self.root = root
        self.logger = logger
        self.fileSystem = fileSystem
        self.files = files
        reading = WorkThread(name: "disk-read", scheduler: options.scheduler)
        let registry = registry
        self.shards = (0..<directory.shards).map { index in
            FileShard(
                id: ShardID(index), directory: directory.shard(ShardID(index)), fileSystem: fileSystem, options: options,
                registry: registry, files: files, logger: logger)
        }
        self.directory = Mutex(directory)
        limits = LogLimits(entryBytes: options.entryBytes, frameBytes: options.frameBytes, expectedLatencyMs: 1)
    }

    deinit {
        for shard in shards {
            shard.thread.stop()
            shard.syncing.stop()
            shard.copying.stop()
        }
        reading.stop()
    }

    public func acquire(
        _ shard: ShardID, epoch: Epoch, done: @escaping @Sendable (Result<[StreamID: StreamExtent], LogError>) -> Void
    ) {
        let shard = self.shard(shard)
        shard.thread.submit { shard.whenNoCheckpointRuns { done($0.acquire(epoch)) } }
    }

    public func commit(_ frame: Frame, shard: ShardID, progress: @escaping @Sendable (Result<CommitStage, LogError>) -> Void) {
        let shard = self.shard(shard)
        shard.thread.submit { shard.commit(frame, progress: progress) }
    }

    public func resolve(_ frame: FrameID, shard: ShardID, done: @escaping @Sendable (Result<FrameFate, LogError>) -> Void) {
        let shard = self.shard(shard)
        shard.thread.submit { shard.whenNoCheckpointRuns { done($0.resolve(frame)) } }
    }

    public func sync(_ shard: ShardID, done: @escaping @Sendable (Result<Void, LogError>) -> Void) {
        let shard = self.shard(shard)
        shard.thread.submit { shard.whenNoCheckpointRuns { $0.syncAll(done) } }
    }

    public func trim(_ stream: StreamID, before: Offset, done: @escaping @Sendable (Result<StreamExtent, LogError>) -> Void) {
        guard let shard = owner(of: stream) else { return done(.failure(.unknownStream)) }
        shard.thread.submit { done(shard.remove(from: stream) { .trim($0, before: before) }) }
    }

    public func retain(_ stream: StreamID, _ retention: Retention, done: @escaping @Sendable (Result<StreamExtent, LogError>) -> Void) {
        guard let shard = owner(of: stream) else { return done(.failure(.unknownStream)) }
        shard.thread.submit { done(shard.remove(from: stream) { .retain($0, retention) }) }
    }

    public func free(_ stream: StreamID, _ ranges: OffsetRanges, done: @escaping @Sendable (Result<StreamExtent, LogError>) -> Void) {
        guard let shard = owner(of: stream) else { return done(.failure(.unknownStream)) }
        shard.thread.submit { shard.free(stream, ranges, done: done) }
    }

    public func setUnits(_ units: StreamUnits, of stream: StreamID, shard: ShardID) {
        let shard = self.shard(shard)
        shard.thread.submit { shard.units[stream] = units == StreamUnits() ? nil : units }
    }

    public func drop(_ stream: StreamID, done: @escaping @Sendable (Result<Void, LogError>) -> Void) {
        guard let shard = owner(of: stream) else { return done(.failure(.unknownStream)) }
        shard.thread.submit { shard.drop(stream, done: done) }
    }

    public func close(done: @escaping @Sendable () -> Void) {
        let counter = CloseCounter(shards.count) { [self] in
            closed()
            done()
        }
        for shard in shards {
            shard.thread.submit {
                shard.whenNoCheckpointRuns { shard in
                    shard.finishDrops()
                    shard.close()
                    shard.thread.stop()
                    shard.syncing.stop()
                    shard.copying.stop()
                    counter.countDown()
                }
            }
        }
    }

    private func closed() {
        reading.stop()
        files.forgetAll()
        directory.withLock { $0 = nil }
    }

    /// Free and total space of the disk below the data directory; nil when it can't be told.
    public func space() -> FileSpace? {
        do throws(FileError) { return try fileSystem.space(root) } catch { return nil }
    }

    /// Segment files in the cache of open files.
    var openFileCount: Int { files.count }

    private func shard(_ id: ShardID) -> FileShard {
        precondition(shards.indices.contains(id.value), "shard \(id) of \(shards.count)")
        return shards[id.value]
    }

    private func owner(of stream: StreamID) -> FileShard? { registry.shard(of: stream).map { shard($0) } }

    // MARK: Reading

    public func locate(
        _ stream: StreamID, _ target: LocateTarget, later: @escaping @Sendable (Result<Located, LogError>) -> Void
    ) -> Result<Located, LogError>? {
        guard let log = registry.find(stream) else { return .failure(.unknownStream) }
        if case .done(let result) = reader(log, mayWait: false).locate(target) { return result }
        let waiting = reader(log, mayWait: true)
        reading.submit { later(waiting.locate(target).result) }
        return nil
    }

    public func read(
        _ stream: StreamID, at position: Position, maxBytes: Int, wantsRegion: Bool,
        later: @escaping @Sendable (Result<LogSlice, LogError>) -> Void
    ) -> Result<LogSlice, LogError>? {
        guard let log = registry.find(stream) else { return .failure(.unknownStream) }
        let ready = reader(log, mayWait: false).read(at: position, maxBytes: maxBytes, wantsRegion: wantsRegion)
        if case .done(let result) = ready { return result }
        let waiting = reader(log, mayWait: true)
        reading.submit { later(waiting.read(at: position, maxBytes: maxBytes, wantsRegion: wantsRegion).result) }
        return nil
    }

    private func reader(_ log: SegmentedLog, mayWait: Bool) -> LogReader {
        LogReader(log: log, files: files, fileSystem: fileSystem, mayWait: mayWait, logger: logger)
    }
}

extension LogReader.Attempt {
    /// Of an attempt that was allowed to wait.
    fileprivate var result: Result<Value, LogError> {
        switch self {
        case .done(let result): result
        case .needsDisk: .failure(.unavailable("the segment vanished while it was read"))
        }
    }
}

/// Calls back when the last of several threads is done.
private final class CloseCounter: Sendable {
    private let left: Mutex<Int>
    private let done: @Sendable () -> Void

    init(_ count: Int, done: @escaping @Sendable () -> Void) {
        left = Mutex(count)
        self.done = done
    }

    func countDown() {
        let isLast = left.withLock { left in
            left -= 1
            return left == 0
        }
        if isLast { done() }
    }
}
