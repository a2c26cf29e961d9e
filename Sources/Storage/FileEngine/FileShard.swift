import Logging
import Model
import NIOCore

/// One shard's files and the thread that writes them.
///
/// `@unchecked Sendable`: everything below `thread` is used by jobs on `thread` only. Readers see streams through ``StreamRegistry`` and
/// each stream's own lock.
final class FileShard: @unchecked Sendable {
    let id: ShardID
    let directory: String
    let fileSystem: any FileSystem
    let options: FileEngineOptions
    let registry: StreamRegistry
    let files: OpenFiles
    let logger: Logger
    private(set) var thread: WorkThread!
    /// Where a checkpoint waits for the disk while commits go on.
    let syncing: WorkThread
    /// Where sparse segments are rewritten.
    let copying: WorkThread

    /// Nil until acquired.
    var epoch: Epoch?
    /// Why nothing can be written until the shard is repaired or acquired again.
    var failure: LogError?
    var streams: [StreamID: SegmentedLog] = [:]
    /// For streams that are not divided as the options say.
    var units: [StreamID: StreamUnits] = [:]
    /// Streams with bytes or names that a power loss would take, unless their journal copies are replayed.
    var dirty: [StreamID: DirtyStream] = [:]
    var journal: Journal
    /// Redo copies written since the last checkpoint.
    var bytesSinceCheckpoint = 0
    var checkpointIsScheduled = false
    /// Set by a roll: the next commit ends with a checkpoint.
    var wantsCheckpoint = false
    /// Set while a checkpoint is under way on `syncing`.
    var checkpointIsRunning = false
    /// Streams whose sparse segments are being rewritten on `copying`.
    var rewriting: Set<StreamID> = []
    /// What must not run beside either.
    var waitingForCheckpoint: [@Sendable (FileShard) -> Void] = []
    var pendingDrops: [(log: SegmentedLog, done: @Sendable (Result<Void, LogError>) -> Void)] = []
    var fates = FrameFates()

    /// What must be synced of one stream.
    struct DirtyStream {
        var log: SegmentedLog
        var file: any File
        /// Of the segment: the active one.
        var base: Offset
        /// Everything below was synced.
        var syncedBytes: Int64
        /// Bytes beyond `syncedBytes` that the journal holds no copy of: written since the last checkpoint began, or before that.
        var hasUncovered = false
        var hasUncoveredInCheckpoint = false
        /// The file's name is not safe yet.
        var hasNewFile = false
        /// Nor is the name of the stream's directory.
        var hasNewDirectory = false
        /// For starting writeback early.
        var writebackBytes: Int64 = 0

        var needsFileSync: Bool { hasUncovered || hasUncoveredInCheckpoint }
    }

    init(
        id: ShardID, directory: String, fileSystem: any FileSystem, options: FileEngineOptions, registry: StreamRegistry,
        files: OpenFiles, logger: Logger
    ) {
        self.id = id
        self.directory = directory
        self.fileSystem = fileSystem
        self.options = options
        self.registry = registry
        self.files = files
        self.logger = logger
        journal = Journal(directory: directory, fileSystem: fileSystem, generation: 0)
        syncing = WorkThread(name: "sync-\(id)", scheduler: options.scheduler)
        copying = WorkThread(name: "copy-\(id)", scheduler: options.scheduler)
        thread = WorkThread(name: "disk-\(id)", scheduler: options.scheduler, onWake: { [weak self] in self?.timedCheckpoint() })
    }

    var checkpointPath: String { directory + "/checkpoint" }

    /// Why a call that needs ownership can't proceed.
    func refusal() -> LogError? {
        if let failure { return failure }
        return epoch == nil ? .unavailable("shard \(id) was not acquired") : nil
    }

    /// The shard stops taking writes: an error left the disk's content in doubt.
    func fail(_ error: FileError) {
        guard failure == nil else { return }
        failure = .unavailable("shard \(id) stopped after \(error); resolve the last frame or restart the broker")
        logger.error("shard stopped", metadata: ["shard": "\(id)", "error": "\(error)"])
    }

    func logError(_ error: FileError) -> LogError {
        error.kind == .full ? .full : .unavailable("\(error)")
    }
}

/// What became of the frames of this epoch; small and in memory: after a restart the extents that `acquire` returns are the answer.
struct FrameFates {
    /// The highest frame whose bytes were published.
    private(set) var committed = FrameID(0)
    /// Refused frames below `committed` or next to it, newest last.
    private var absent: [FrameID] = []
    /// The frame whose commit ended `indeterminate`, and what a repair makes of it.
    var inDoubt: (frame: FrameID, afterRepair: FrameFate)?
    private static let remembered = 64

    mutating func commit(_ frame: FrameID) { committed = max(committed, frame) }

    mutating func refuse(_ frame: FrameID) {
        absent.append(frame)
        if absent.count > Self.remembered { absent.removeFirst() }
    }

    mutating func settleDoubt() {
        guard let doubt = inDoubt else { return }
        if doubt.afterRepair == .committed { commit(doubt.frame) } else { refuse(doubt.frame) }
        inDoubt = nil
    }

    func fate(_ frame: FrameID) -> FrameFate {
        absent.contains(frame) || frame > committed ? .absent : .committed
    }
}
