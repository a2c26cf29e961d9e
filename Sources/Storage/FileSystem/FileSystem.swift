import NIOCore

/// Files and directories as storage needs them: the only place that touches a disk, hence the place where faults are injected.
///
/// What survives: bytes written survive a killed process; bytes written before ``File/sync()`` returned survive power loss. A name made,
/// renamed or removed survives power loss only after ``syncDirectory(_:)`` of the directory that holds it.
public protocol FileSystem: AnyObject, Sendable {
    /// Opens a file for reading and writing.
    /// - Throws: `notFound` unless `create`.
    func open(_ path: String, create: Bool) throws(FileError) -> any File

    /// Makes a directory and those above it; no error when it exists.
    func makeDirectory(_ path: String) throws(FileError)

    /// Names in a directory, sorted. Empty when there is no such directory.
    func list(_ path: String) throws(FileError) -> [String]

    /// Size of a file in bytes; nil when there is none.
    func size(_ path: String) throws(FileError) -> Int64?

    /// Replaces `to` in one step.
    func rename(_ from: String, to: String) throws(FileError)

    /// Removes a file, or an empty directory; no error when there is none.
    func remove(_ path: String) throws(FileError)

    func syncDirectory(_ path: String) throws(FileError)

    /// Takes a lock on `path` (made when missing) until the result is released. Nil when somebody else holds it.
    func lock(_ path: String) throws(FileError) -> (any Sendable)?

    func space(_ path: String) throws(FileError) -> FileSpace
}

/// One open file. Closed when the last reference goes. Reads may come from any thread while one thread writes.
public protocol File: AnyObject, Sendable {
    var path: String { get }

    /// Writes the parts one after another at `position`. May write fewer bytes than asked (a short write).
    /// - Returns: bytes written, at least 1 where there was anything to write.
    func write(_ parts: [UnsafeRawBufferPointer], at position: Int64) throws(FileError) -> Int

    /// - Returns: bytes read; fewer than asked only at the end of the file.
    func read(into bytes: UnsafeMutableRawBufferPointer, at position: Int64) throws(FileError) -> Int

    /// Reads only what needs no disk.
    /// - Returns: bytes read, possibly fewer than asked; nil when the disk would have to be asked first.
    func readCached(into bytes: UnsafeMutableRawBufferPointer, at position: Int64) throws(FileError) -> Int?

    /// Makes what was written survive power loss. After an error what is on the disk is unknown, and calling again proves nothing:
    /// the system may have dropped the pages it could not write.
    func sync() throws(FileError)

    func truncate(to size: Int64) throws(FileError)
    func size() throws(FileError) -> Int64

    /// Hints that the range will be read soon.
    func prefetch(at position: Int64, count: Int)

    /// Hints that bytes written in the range may go to the disk now, so that a later sync has less to do.
    func startWriteback(at position: Int64, count: Int)

    /// Hints that the range will be written soon: its blocks may be found at once, and not page by page as the writes come. The file's
    /// size stays; what is never written goes with the next ``truncate(to:)``.
    func preallocate(at position: Int64, count: Int)

    /// The range for sendfile, with what must be held until it was sent; nil where files are not the system's.
    func region(at position: Int64, count: Int) -> (FileRegion, owner: any Sendable)?
}

public struct FileSpace: Equatable, Sendable {
    public var freeBytes: Int64
    public var totalBytes: Int64

    public init(freeBytes: Int64, totalBytes: Int64) {
        self.freeBytes = freeBytes
        self.totalBytes = totalBytes
    }
}

/// What a file operation failed with.
public struct FileError: Error, Equatable, Sendable, CustomStringConvertible {
    public enum Kind: Equatable, Sendable {
        case notFound
        /// No space, or the quota is used up.
        case full
        /// Any other error; the disk's content is in doubt.
        case failed
        /// The simulated machine is down (fault injection only).
        case crashed
    }

    public var kind: Kind
    /// `write`, `sync`, …
    public var operation: String
    public var path: String
    /// What the system said.
    public var reason: String

    public init(_ kind: Kind, _ operation: String, _ path: String, reason: String) {
        self.kind = kind
        self.operation = operation
        self.path = path
        self.reason = reason
    }

    public var description: String { "\(operation) \(path): \(reason)" }
}

extension File {
    /// Writes all of `parts`, however many calls it takes.
    func writeAll(_ parts: [UnsafeRawBufferPointer], at position: Int64) throws(FileError) {
        var rest = parts[...]
        var position = position
        while let first = rest.first {
            if first.isEmpty {
                rest.removeFirst()
                continue
            }
            var written = try write(Array(rest.prefix(maxPartsPerWrite)), at: position)
            guard written > 0 else { throw FileError(.failed, "write", path, reason: "wrote nothing") }
            position += Int64(written)
            while written > 0, let part = rest.first {
                if written >= part.count {
                    written -= part.count
                    rest.removeFirst()
                } else {
                    rest[rest.startIndex] = UnsafeRawBufferPointer(rebasing: part[written...])
                    written = 0
                }
            }
        }
    }

    /// Fills `bytes`, or returns how many there were before the end of the file.
    func readFully(into bytes: UnsafeMutableRawBufferPointer, at position: Int64) throws(FileError) -> Int {
        var done = 0
        while done < bytes.count {
            let count = try read(into: UnsafeMutableRawBufferPointer(rebasing: bytes[done...]), at: position + Int64(done))
            if count == 0 { break }
            done += count
        }
        return done
    }

    /// The whole file, at most `limit` bytes.
    /// - Throws: `failed` when it is larger.
    func readAll(limit: Int) throws(FileError) -> ByteBuffer {
        let size = Int(try self.size())
        guard size <= limit else { throw FileError(.failed, "read", path, reason: "\(size) bytes, more than \(limit)") }
        return try readBytes(at: 0, count: size)
    }

    /// Up to `count` bytes.
    func readBytes(at position: Int64, count: Int) throws(FileError) -> ByteBuffer {
        var buffer = ByteBufferAllocator().buffer(capacity: count)
        var failure: FileError?
        buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: count) { bytes in
            do throws(FileError) {
                return try readFully(into: UnsafeMutableRawBufferPointer(rebasing: bytes[..<count]), at: position)
            } catch {
                failure = error
                return 0
            }
        }
        if let failure { throw failure }
        return buffer
    }

    func writeAll(_ buffer: ByteBuffer, at position: Int64) throws(FileError) {
        var failure: FileError?
        buffer.withUnsafeReadableBytes { bytes in
            do throws(FileError) { try writeAll([bytes], at: position) } catch { failure = error }
        }
        if let failure { throw failure }
    }
}

/// Parts of one vectored write; the system takes no more (`IOV_MAX`).
private let maxPartsPerWrite = 1024

extension FileSystem {
    /// Replaces a small file so that after a crash it holds the old or the new bytes, never a mixture: write aside, sync, rename, sync the
    /// directory.
    func replace(_ path: String, with bytes: ByteBuffer) throws(FileError) {
        let aside = path + ".new"
        let file = try open(aside, create: true)
        try file.truncate(to: 0)
        try file.writeAll(bytes, at: 0)
        try file.sync()
        try rename(aside, to: path)
        try syncDirectory(FilePath.parent(path))
    }

    /// The bytes of a small file; nil when there is none.
    func contents(_ path: String, limit: Int) throws(FileError) -> ByteBuffer? {
        do {
            return try open(path, create: false).readAll(limit: limit)
        } catch  where error.kind == .notFound {
            return nil
        }
    }
}

/// Paths by '/'.
enum FilePath {
    static func parent(_ path: String) -> String {
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}
