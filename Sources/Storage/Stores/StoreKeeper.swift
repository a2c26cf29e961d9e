import Logging
import Model
import NIOCore
import Synchronization

/// What ``FileStore`` and ``MemoryStore`` share: one thread that decides, persists, applies and tells watchers, one change at a time.
///
/// Locking: `state` and `watchers` are behind `shared`, taken briefly by readers and by the thread; `file` is behind its own mutex, which
/// only the store's thread takes.
final class StoreKeeper: Sendable {
    private struct Shared: Sendable {
        var state: StoreState
        var watchers: [UInt64: Watcher] = [:]
        var lastWatcher: UInt64 = 0
        var isClosed = false
        var blobs: [String: ByteBuffer] = [:]
    }

    private struct Watcher: Sendable {
        var prefix: String
        var continuation: AsyncStream<StoreEvent>.Continuation
    }

    /// Events a watcher may be behind; past it its stream ends, and it comes back with its last revision.
    private static let watcherEvents = 65_536

    private let clock: any Clock
    private let logger: Logger
    private let shared: Mutex<Shared>
    private let file: Mutex<StoreFile?>
    private let thread: WorkThread
    private let wakeTarget = WakeTarget()
    private let lock: Mutex<(any Sendable)?>

    init(
        clock: any Clock, state: StoreState, file: StoreFile?, lock: (any Sendable)?, logger: Logger, scheduler: (any WorkScheduler)? = nil
    ) {
        self.clock = clock
        self.logger = logger
        shared = Mutex(Shared(state: state))
        self.file = Mutex(file)
        self.lock = Mutex(lock)
        thread = WorkThread(name: "store", scheduler: scheduler, onWake: { [wakeTarget] in wakeTarget.keeper?.expireOnTimer() })
        wakeTarget.keeper = self
        if state.earliestExpiry != nil { thread.wake(afterMs: 0) }
    }

    deinit { thread.stop() }

    // MARK: Reads

    func get(_ key: String) throws(StoreError) -> StoreEntry? {
        try StoreState.check(key: key)
        let now = clock.now
        return try read { $0.state.live(key, now) }
    }

    func list(_ prefix: String) throws(StoreError) -> [StoreEntry] {
        let now = clock.now
        return try read { $0.state.list(prefix, now) }
    }

    private func read<T: Sendable>(_ body: (borrowing Shared) -> T) throws(StoreError) -> T {
        let result = shared.withLock { shared -> T? in shared.isClosed ? nil : body(shared) }
        guard let result else { throw .unavailable("the store is closed") }
        return result
    }

    // MARK: Changes

    typealias Decision = @Sendable (borrowing StoreState, Timestamp) throws(StoreError) -> StoreState.Change?

    /// - Returns: the revision of the change; nil when there was nothing to change.
    func change(_ decide: @escaping Decision) async throws(StoreError) -> Revision? {
        try await onThread { [self] () throws(StoreError) in try perform(decide) }
    }

    private func onThread<T: Sendable>(_ body: @escaping @Sendable () throws(StoreError) -> T) async throws(StoreError) -> T {
        let result: Result<T, StoreError> = await withCheckedContinuation { continuation in
            thread.submit {
                do throws(StoreError) { continuation.resume(returning: .success(try body())) } catch {
                    continuation.resume(returning: .failure(error))
                }
            }
        }
        return try result.get()
    }

    private func perform(_ decide: Decision) throws(StoreError) -> Revision? {
        try expire()
        let now = clock.now
        let decision: Result<StoreState.Change?, StoreError> = try read { shared in
            do throws(StoreError) { return .success(try decide(shared.state, now)) } catch { return .failure(error) }
        }
        guard let change = try decision.get() else { return nil }
        try persistAndApply(change)
        if case .put(_, let item) = change, item.expiresAt != nil { scheduleExpiry() }
        return shared.withLock { $0.state.revision }
    }

    private func persistAndApply(_ change: StoreState.Change) throws(StoreError) {
        let isLarge = try withFile { (file) throws(FileError) in
            try file.append(change)
            return file.wantsCompaction
        }
        shared.withLock { shared in
            let event = shared.state.apply(change)
            for (id, watcher) in shared.watchers where event.key.hasPrefix(watcher.prefix) {
                if case .dropped = watcher.continuation.yield(event) {
                    shared.watchers[id] = nil
                    watcher.continuation.finish()
                }
            }
        }
        guard isLarge == true else { return }
        let state = try read { $0.state }
        // The change itself is safe. A file that can't be written anew says so at the next change.
        do throws(StoreError) { _ = try withFile { (file) throws(FileError) in try file.compact(state) } } catch {
            logger.warning("store not compacted", metadata: ["error": "\(error)"])
        }
    }

    private func withFile<T: Sendable>(_ body: (inout StoreFile) throws(FileError) -> T) throws(StoreError) -> T? {
        let result: Result<T?, FileError> = file.withLock { file in
            guard file != nil else { return .success(nil) }
            do throws(FileError) { return .success(try body(&file!)) } catch { return .failure(error) }
        }
        switch result {
        case .success(let value): return value
        case .failure(let error): throw .unavailable("\(error)")
        }
    }

    // MARK: Time to live

    private func expire() throws(StoreError) {
        let now = clock.now
        while true {
            let due = try read { $0.state.nextExpiry(now: now) }
            guard let due else { return }
            try persistAndApply(due)
        }
    }

    private func expireOnTimer() {
        // A store that can't write keeps the entry and tries again; reads already hide it.
        do throws(StoreError) { try expire() } catch { return scheduleExpiry() }
        scheduleExpiry()
    }

    private func scheduleExpiry() {
        let next = shared.withLock { $0.isClosed ? nil : $0.state.earliestExpiry }
        guard let next else { return }
        thread.wake(afterMs: min(max(next - clock.now, 5), 1_000))
    }

    // MARK: Watch

    func watch(_ prefix: String, after revision: Revision) -> AsyncStream<StoreEvent> {
        let (stream, continuation) = AsyncStream.makeStream(of: StoreEvent.self, bufferingPolicy: .bufferingOldest(Self.watcherEvents))
        let id = shared.withLock { shared -> UInt64? in
            guard !shared.isClosed else { return nil }
            for event in shared.state.events(prefix, after: revision) { continuation.yield(event) }
            shared.lastWatcher += 1
            shared.watchers[shared.lastWatcher] = Watcher(prefix: prefix, continuation: continuation)
            return shared.lastWatcher
        }
        guard let id else {
            continuation.finish()
            return stream
        }
        continuation.onTermination = { [weak self] _ in self?.shared.withLock { $0.watchers[id] = nil } }
        return stream
    }

    // MARK: Blobs

    func putBlob(_ key: String, _ value: ByteBuffer) async throws(StoreError) {
        try StoreState.check(key: key)
        guard value.readableBytes <= StoreState.blobBytes else { throw .tooLarge(bytes: value.readableBytes, limit: StoreState.blobBytes) }
        try await onThread { [self] () throws(StoreError) in
            let onFile: Void? = try withFile { (file) throws(FileError) in try file.putBlob(key, value) }
            if onFile == nil { shared.withLock { $0.blobs[key] = value } }
        }
    }

    func getBlob(_ key: String) async throws(StoreError) -> ByteBuffer? {
        try StoreState.check(key: key)
        return try await onThread { [self] () throws(StoreError) in
            if let onFile = try withFile({ (file) throws(FileError) in try file.blob(key) }) { return onFile }
            return shared.withLock { $0.blobs[key] }
        }
    }

    func deleteBlob(_ key: String) async throws(StoreError) {
        try StoreState.check(key: key)
        try await onThread { [self] () throws(StoreError) in
            _ = try withFile { (file) throws(FileError) in try file.deleteBlob(key) }
            shared.withLock { $0.blobs[key] = nil }
        }
    }

    func close() async {
        await withCheckedContinuation { continuation in
            thread.submit { continuation.resume() }
            thread.stop()
        }
        let watchers = shared.withLock { shared in
            shared.isClosed = true
            let watchers = shared.watchers
            shared.watchers = [:]
            return watchers
        }
        for watcher in watchers.values { watcher.continuation.finish() }
        file.withLock { $0 = nil }
        lock.withLock { $0 = nil }
    }
}

/// Lets the thread find its keeper without keeping it alive.
private final class WakeTarget: Sendable {
    private struct Weak: Sendable { weak var keeper: StoreKeeper? }
    private let target = Mutex(Weak())

    var keeper: StoreKeeper? {
        get { target.withLock { $0.keeper } }
        set { target.withLock { $0.keeper = newValue } }
    }
}

extension StoreKeeper {
    func set(
        _ key: String, _ value: ByteBuffer, _ timeToLiveMs: Int64?, if condition: StoreState.Condition
    ) async throws(StoreError) -> Revision {
        let revision = try await change { (state, now) throws(StoreError) in
            try state.set(key, value, timeToLiveMs: timeToLiveMs, now: now, if: condition)
        }
        return revision ?? .zero
    }

    func delete(_ key: String, at revision: Revision?) async throws(StoreError) {
        _ = try await change { (state, now) throws(StoreError) in try state.delete(key, at: revision, now: now) }
    }
}
