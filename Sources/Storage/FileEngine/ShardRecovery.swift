import Logging
import Model
import NIOCore

/// Taking ownership: the fence, then what the disk holds.
extension FileShard {
    func acquire(_ wanted: Epoch) -> Result<[StreamID: StreamExtent], LogError> {
        do throws(FileError) {
            let stored = try storedEpoch()
            if let stored, stored > wanted { return .failure(.fenced(stored)) }
            try fileSystem.makeDirectory(directory)
            try fileSystem.syncDirectory(FilePath.parent(directory))
            try fileSystem.replace(fencePath, with: ByteBuffer(string: fenceText(wanted)))
            if epoch == nil || failure != nil {
                // After a failed sync, or without a new epoch to tell journal entries apart, nothing may wait.
                var recovery = Recovery(shard: self, syncs: failure != nil || stored == wanted)
                forgetEverything()
                if let problem = try recovery.run() { return .failure(problem) }
            }
        } catch {
            return .failure(logError(error))
        }
        epoch = wanted
        fates = FrameFates()
        if wantsCheckpoint, options.checkpointsInBackground { checkpoint() }
        return .success(streams.mapValues(\.extent))
    }

    private func forgetEverything() {
        for log in streams.values { registry.remove(log) }
        streams = [:]
        dirty = [:]
        failure = nil
        epoch = nil
        bytesSinceCheckpoint = 0
        wantsCheckpoint = false
    }

    // MARK: Fence

    /// `epoch 7 crc 1a2b3c4d`
    private var fencePath: String { directory + "/epoch" }

    /// The highest epoch that has been here; nil when the shard is new.
    private func storedEpoch() throws(FileError) -> Epoch? {
        guard let bytes = try fileSystem.contents(fencePath, limit: 256) else { return nil }
        let words = String(buffer: bytes).split(whereSeparator: \.isWhitespace)
        guard words.count == 4, let value = Int32(words[1]), fenceText(Epoch(value)) == String(buffer: bytes) else {
            throw FileError(
                .failed, "read", fencePath, reason: "the fence is damaged; write 'epoch N' of the last start into it by hand, or restore it"
            )
        }
        return Epoch(value)
    }

    private func fenceText(_ epoch: Epoch) -> String {
        "epoch \(epoch) crc \(String(CRC32C.checksum(ByteBuffer(string: "epoch \(epoch)")), radix: 16))\n"
    }
}

/// Reads a shard's directory after a start. What lies below the checkpoint is trusted, what lies beyond is verified batch by batch; a torn
/// tail is cut, anything else that is missing is reported and left alone.
struct Recovery {
    let shard: FileShard
    var scannedBytes: Int64 = 0
    var cutBytes: Int64 = 0
    private var replayed = 0
    /// Whether the checkpoint does not say all any more. One is written soon, beside the first commits: what the start found is on the
    /// disk or in the journal if it was promised.
    var isStale = false
    /// Whether it must be written before the start goes on.
    private var syncs: Bool

    init(shard: FileShard, syncs: Bool) {
        self.shard = shard
        self.syncs = syncs
    }

    var fileSystem: any FileSystem { shard.fileSystem }

    mutating func run() throws(FileError) -> LogError? {
        let saved = try loadCheckpoint()
        var expected = saved?.streams ?? [:]
        var dropped: [String] = []
        for name in try fileSystem.list(shard.directory) {
            if name.hasPrefix(FileShard.droppedPrefix) {
                dropped.append(shard.directory + "/" + name)
                // The checkpoint must forget the stream before its last trace goes.
                if expected.removeValue(forKey: String(name.dropFirst(FileShard.droppedPrefix.count))) != nil { syncs = true }
                continue
            }
            guard let id = StreamName.decode(name, shard: shard.id) else { continue }
            if let problem = try recover(id, name, marks: expected.removeValue(forKey: name) ?? []) { return problem }
        }
        if let lost = expected.first(where: { $0.value.contains { $0.bytes > 0 } }) {
            return .corrupt("\(shard.directory)/\(lost.key) is missing; restore it, or remove \(shard.checkpointPath) to start without it")
        }
        if let problem = try replayJournal(from: saved?.generation ?? 0) { return problem }
        if saved == nil, !shard.streams.isEmpty { isStale = true }
        if syncs { shard.checkpointNow() } else { shard.wantsCheckpoint = isStale }
        if let failure = shard.failure { return failure }
        for path in dropped { try shard.removeDirectory(path) }
        shard.logger.info(
            "shard recovered",
            metadata: [
                "shard": "\(shard.id)", "streams": "\(shard.streams.count)", "scannedBytes": "\(scannedBytes)", "cutBytes": "\(cutBytes)",
                "replayedAppends": "\(replayed)",
            ])
        return nil
    }

    private func loadCheckpoint() throws(FileError) -> Checkpoint? {
        guard let bytes = try fileSystem.contents(shard.checkpointPath, limit: Checkpoint.maxBytes) else { return nil }
        if let checkpoint = Checkpoint(bytes) { return checkpoint }
        shard.logger.warning("checkpoint damaged, every segment is read", metadata: ["path": "\(shard.checkpointPath)"])
        return nil
    }

    // MARK: Journal

    /// Writes the journal's copies to the files that lack them: those of the checkpoint's generation and later ones, in order.
    private mutating func replayJournal(from first: UInt64) throws(FileError) -> LogError? {
        let directory = shard.directory
        let generations = try fileSystem.list(directory).compactMap(Journal.generation).sorted()
        var last: Journal.Part?
        for generation in generations where generation >= first {
            guard let bytes = try fileSystem.contents(directory + "/" + Journal.name(generation), limit: Int(Int32.max)) else { continue }
            let part = Journal.read(bytes, generation: generation, shard: shard.id)
            for append in part.appends {
                if let problem = try replay(append) { return problem }
            }
            last = part
        }
        // The journal goes on where it was. Its entries stay until a checkpoint has what they hold.
        if let last {
            let older = generations.filter { $0 < last.generation }
            shard.journal = Journal(directory: directory, fileSystem: fileSystem, after: last, older: older)
            if last.entries > 0 || older.contains(where: { $0 >= first }) { isStale = true }
        } else {
            shard.journal = Journal(directory: directory, fileSystem: fileSystem, generation: first, older: generations)
        }
        try shard.journal.forget(below: first)
        return nil
    }

    private mutating func replay(_ append: Append) throws(FileError) -> LogError? {
        var log = shard.streams[append.stream]
        let end = log?.extent.end ?? append.base
        if append.next <= end, log != nil { return nil }
        guard append.base <= end else {
            return .corrupt(
                "\(append.stream): offsets \(end) to \(append.base) are missing, the journal of shard \(shard.id) continues after them")
        }
        // A torn write may have left the first batches of the append in the file.
        var rest = append.bytes
        var base = append.base
        while base < end {
            guard let batch = rest.withUnsafeReadableBytes({ BatchSpan($0) }), rest.readableBytes >= batch.totalBytes else {
                return .corrupt("\(append.stream): the journal of shard \(shard.id) holds no batches at offset \(base)")
            }
            rest.moveReaderIndex(forwardBy: batch.totalBytes)
            base = batch.next
        }
        if log == nil { log = try shard.makeStream(append.stream, base: base) }
        let rebuilt = Append(stream: append.stream, base: base, next: append.next, maxTimestamp: append.maxTimestamp, bytes: rest)
        if let problem = try shard.rewriteLost(rebuilt) { return problem }
        isStale = true
        replayed += 1
        return nil
    }
}
