import Model
import NIOCore
import Synchronization

/// Files in memory that fail on purpose: what was synced and what was not are kept apart, so that a crash can lose, tear or keep
/// every page and every name that was never synced. For tests and simulation; without ``Faults`` it is a plain memory file system.
///
/// Every change (create, write, truncate, sync, rename, remove, directory sync) is a *point*, numbered from 1; a run can be killed at any
/// of them. Everything random comes from the seed.
public final class FaultyFileSystem: FileSystem {
    /// What shall go wrong.
    public struct Faults: Sendable {
        /// The point at which the machine stops: a write is torn, anything else does not happen.
        public var killAt: Int?
        /// Points that fail without an effect (a write may have written a part).
        public var errorAt: Set<Int> = []
        /// From this point on every sync fails, until it is nil again.
        public var syncErrorsFrom: Int?
        /// Bytes that files may hold together; beyond it writes are cut short or fail.
        public var capacityBytes: Int?
        /// Writes write a random part of what they were given.
        public var shortWrites = false
        /// Cached reads always say that the disk must be asked.
        public var coldReads = false
        /// Called before each sync, on the syncing thread: for slow disks.
        public var beforeSync: (@Sendable () -> Void)?

        public init() {}
    }

    /// What a crash takes.
    public enum Loss: Sendable {
        /// The process was killed: files are as they were written.
        case process
        /// Power was lost: of what was not synced, a random part remains.
        case power(seed: UInt64)
    }

    let disk: Mutex<FaultyDisk>

    public init(seed: UInt64 = 1, faults: Faults = Faults()) {
        disk = Mutex(FaultyDisk(seed: seed, faults: faults))
    }

    private init(disk: consuming sending FaultyDisk) { self.disk = Mutex(disk) }

    public var faults: Faults {
        get { disk.withLock { $0.faults } }
        set { disk.withLock { $0.faults = newValue } }
    }

    /// Points passed so far.
    public var points: Int { disk.withLock { $0.points } }
    public var isDown: Bool { disk.withLock { $0.isDown } }

    /// The disk as the machine finds it when it is up again. This one stays down.
    public func restarted(_ loss: Loss) -> FaultyFileSystem {
        FaultyFileSystem(disk: disk.withLock { $0.restarted(loss) })
    }

    /// Turns one bit of a file over, as decay does.
    public func flipBit(_ path: String, byte: Int, bit: Int = 0) throws(FileError) {
        try onDisk { (disk) throws(FileError) in
            let file = try disk.file(path, "flip")
            guard byte < file.bytes.count else { throw FileError(.failed, "flip", path, reason: "has \(file.bytes.count) bytes") }
            file.bytes[byte] ^= 1 << UInt8(bit)
            if byte < file.durable.count { file.durable[byte] ^= 1 << UInt8(bit) }
        }
    }

    func onDisk<T>(_ body: (inout FaultyDisk) throws(FileError) -> T) throws(FileError) -> T where T: Sendable {
        let result: Result<T, FileError> = disk.withLock { disk in
            do throws(FileError) { return .success(try body(&disk)) } catch { return .failure(error) }
        }
        return try result.get()
    }

    // MARK: FileSystem

    public func open(_ path: String, create: Bool) throws(FileError) -> any File {
        let node = try onDisk { (disk) throws(FileError) in try disk.open(path, create: create) }
        return FaultyFile(path: path, node: node, fileSystem: self)
    }

    public func makeDirectory(_ path: String) throws(FileError) {
        try onDisk { (disk) throws(FileError) in try disk.makeDirectory(path) }
    }

    public func list(_ path: String) throws(FileError) -> [String] {
        try onDisk { (disk) throws(FileError) in try disk.list(path) }
    }

    public func size(_ path: String) throws(FileError) -> Int64? {
        try onDisk { (disk) throws(FileError) in
            try disk.requireUp("stat", path)
            guard case .file(let node)? = disk.node(path) else { return nil }
            return Int64(node.bytes.count)
        }
    }

    public func rename(_ from: String, to: String) throws(FileError) {
        try onDisk { (disk) throws(FileError) in try disk.rename(from, to: to) }
    }

    public func remove(_ path: String) throws(FileError) {
        try onDisk { (disk) throws(FileError) in try disk.remove(path) }
    }

    public func syncDirectory(_ path: String) throws(FileError) {
        try onDisk { (disk) throws(FileError) in try disk.syncDirectory(path) }
    }

    public func lock(_ path: String) throws(FileError) -> (any Sendable)? {
        try onDisk { (disk) throws(FileError) -> FaultyLock? in
            _ = try disk.open(path, create: true)
            guard disk.locks.insert(path).inserted else { return nil }
            return FaultyLock(path: path, fileSystem: self)
        }
    }

    public func space(_ path: String) throws(FileError) -> FileSpace {
        let used = disk.withLock { $0.usedBytes }
        let total = faults.capacityBytes ?? 1 << 40
        return FileSpace(freeBytes: Int64(max(0, total - used)), totalBytes: Int64(total))
    }
}

/// A held lock.
final class FaultyLock: Sendable {
    private let path: String
    private let fileSystem: FaultyFileSystem

    init(path: String, fileSystem: FaultyFileSystem) {
        self.path = path
        self.fileSystem = fileSystem
    }

    deinit { fileSystem.disk.withLock { disk in _ = disk.locks.remove(path) } }
}

/// An open file of a ``FaultyFileSystem``; it outlives its name, as files do.
final class FaultyFile: File {
    let path: String
    private let node: FaultyDisk.FileNode
    private let fileSystem: FaultyFileSystem
    /// Failed syncs of the file that this open file has heard of.
    private let heard: Mutex<Int>

    init(path: String, node: FaultyDisk.FileNode, fileSystem: FaultyFileSystem) {
        self.path = path
        self.node = node
        self.fileSystem = fileSystem
        heard = Mutex(fileSystem.disk.withLock { _ in node.syncErrors })
    }

    func write(_ parts: [UnsafeRawBufferPointer], at position: Int64) throws(FileError) -> Int {
        var bytes: [UInt8] = []
        for part in parts { bytes += [UInt8](part) }
        return try fileSystem.onDisk { (disk) throws(FileError) in try disk.write(node, path, bytes, at: Int(position)) }
    }

    func read(into bytes: UnsafeMutableRawBufferPointer, at position: Int64) throws(FileError) -> Int {
        let count = bytes.count
        let part = try fileSystem.onDisk { (disk) throws(FileError) -> ArraySlice<UInt8> in
            try disk.requireUp("read", path)
            let start = min(Int(position), node.bytes.count)
            return node.bytes[start..<min(start + count, node.bytes.count)]
        }
        bytes.copyBytes(from: part)
        return part.count
    }

    func readCached(into bytes: UnsafeMutableRawBufferPointer, at position: Int64) throws(FileError) -> Int? {
        fileSystem.faults.coldReads ? nil : try read(into: bytes, at: position)
    }

    func sync() throws(FileError) {
        fileSystem.faults.beforeSync?()
        try fileSystem.onDisk { (disk) throws(FileError) in
            var count = heard.withLock { $0 }
            defer { heard.withLock { $0 = count } }
            try disk.sync(node, path, heard: &count)
        }
    }

    func truncate(to size: Int64) throws(FileError) {
        try fileSystem.onDisk { (disk) throws(FileError) in try disk.truncate(node, path, to: Int(size)) }
    }

    func size() throws(FileError) -> Int64 {
        try fileSystem.onDisk { (disk) throws(FileError) in
            try disk.requireUp("stat", path)
            return Int64(node.bytes.count)
        }
    }

    func prefetch(at position: Int64, count: Int) {}
    func startWriteback(at position: Int64, count: Int) {}
    func preallocate(at position: Int64, count: Int) {}
    func region(at position: Int64, count: Int) -> (FileRegion, owner: any Sendable)? { nil }
}
