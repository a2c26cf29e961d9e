import Logging
import Model

/// Trimming, retention and dropping streams.
extension FileShard {
    static let droppedPrefix = "dropped-"

    /// Removes segments as `decide` says, oldest first. A directory sync follows each removal: after a power loss no segment in the middle
    /// can be missing.
    func remove(
        from stream: StreamID, decide: ([Segment]) -> RetentionDecision
    ) -> Result<StreamExtent, LogError> {
        if let refusal = refusal() { return .failure(refusal) }
        guard let log = streams[stream] else { return .failure(.unknownStream) }
        let decision = log.state.withLock { decide($0.segments) }
        guard decision.removals > 0 else { return .success(log.extent) }
        do throws(FileError) {
            if decision.rollsActive {
                try roll(log)
                // The new file's name carries the end offset; it must be safe before the last records go.
                try sync([stream])
            }
            for _ in 0..<decision.removals {
                let name = log.state.withLock { $0.segments.removeFirst().name }
                try remove(log, name)
            }
        } catch {
            if error.operation == "sync" { fail(error) }
            return .failure(logError(error))
        }
        if decision.rollsActive { checkpoint() }
        return .success(log.extent)
    }

    private func remove(_ log: SegmentedLog, _ name: SegmentName) throws(FileError) {
        files.forget(log.key(name))
        try fileSystem.remove(log.path(name, .log))
        try fileSystem.syncDirectory(log.directory)
        try fileSystem.remove(log.path(name, .index))
        try fileSystem.remove(log.path(name, .time))
    }

    // MARK: Drop

    /// Drops are collected, so that a topic of a thousand partitions costs one checkpoint.
    func drop(_ stream: StreamID, done: @escaping @Sendable (Result<Void, LogError>) -> Void) {
        if let refusal = refusal() { return done(.failure(refusal)) }
        guard let log = streams.removeValue(forKey: stream) else { return done(.failure(.unknownStream)) }
        dirty[stream] = nil
        registry.remove(log)
        units[stream] = nil
        let names = log.state.withLock { state in
            state.isDropped = true
            return state.segments.map(\.name)
        }
        for name in names { files.forget(log.key(name)) }
        pendingDrops.append((log, done))
        if pendingDrops.count == 1 { thread.submit { [self] in whenNoCheckpointRuns { $0.finishDrops() } } }
    }

    /// Renames the directories (after that a restart removes them), makes that safe, writes a checkpoint without the streams, which also
    /// forgets their journal copies, and only then removes the files.
    func finishDrops() {
        let drops = pendingDrops
        pendingDrops = []
        guard !drops.isEmpty else { return }
        var result: Result<Void, LogError> = .success(())
        do throws(FileError) {
            for drop in drops { try fileSystem.rename(drop.log.directory, to: droppedPath(drop.log)) }
            try fileSystem.syncDirectory(directory)
            checkpointNow()
            if let failure { result = .failure(failure) }
            for drop in drops where failure == nil { try removeDirectory(droppedPath(drop.log)) }
        } catch {
            result = .failure(logError(error))
        }
        for drop in drops { drop.done(result) }
    }

    private func droppedPath(_ log: SegmentedLog) -> String { directory + "/" + Self.droppedPrefix + log.name }

    func removeDirectory(_ path: String) throws(FileError) {
        for name in try fileSystem.list(path) { try fileSystem.remove(path + "/" + name) }
        try fileSystem.remove(path)
    }
}
