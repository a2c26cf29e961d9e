import CWeir
import NIOCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The machine's files.
public final class PosixFileSystem: FileSystem {
    public init() {}

    public func open(_ path: String, create: Bool) throws(FileError) -> any File {
        let descriptor = retrying { Glibc.open(path, O_RDWR | O_CLOEXEC | (create ? O_CREAT : 0), 0o644) }
        guard descriptor >= 0 else { throw .system("open", path) }
        return PosixFile(path: path, descriptor: descriptor)
    }

    public func makeDirectory(_ path: String) throws(FileError) {
        if mkdir(path, 0o755) == 0 || errno == EEXIST { return }
        guard errno == ENOENT, FilePath.parent(path) != path else { throw .system("mkdir", path) }
        try makeDirectory(FilePath.parent(path))
        guard mkdir(path, 0o755) == 0 || errno == EEXIST else { throw .system("mkdir", path) }
    }

    public func list(_ path: String) throws(FileError) -> [String] {
        guard let directory = opendir(path) else {
            if errno == ENOENT { return [] }
            throw .system("list", path)
        }
        defer { closedir(directory) }
        var names: [String] = []
        errno = 0
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
            errno = 0
        }
        guard errno == 0 else { throw .system("list", path) }
        return names.sorted()
    }

    public func size(_ path: String) throws(FileError) -> Int64? {
        var status = stat()
        if stat(path, &status) == 0 { return Int64(status.st_size) }
        if errno == ENOENT { return nil }
        throw .system("stat", path)
    }

    public func rename(_ from: String, to: String) throws(FileError) {
        guard Glibc.rename(from, to) == 0 else { throw .system("rename", from) }
    }

    public func remove(_ path: String) throws(FileError) {
        guard Glibc.remove(path) == 0 || errno == ENOENT else { throw .system("remove", path) }
    }

    public func syncDirectory(_ path: String) throws(FileError) {
        let descriptor = retrying { Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
        guard descriptor >= 0 else { throw .system("open", path) }
        defer { close(descriptor) }
        guard retrying({ fsync(descriptor) }) == 0 else { throw .system("sync", path) }
    }

    public func lock(_ path: String) throws(FileError) -> (any Sendable)? {
        let descriptor = retrying { Glibc.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644) }
        guard descriptor >= 0 else { throw .system("open", path) }
        let file = PosixFile(path: path, descriptor: descriptor)
        if weir_lock_file(descriptor) == 0 { return file }
        if errno == EWOULDBLOCK { return nil }
        throw .system("lock", path)
    }

    public func space(_ path: String) throws(FileError) -> FileSpace {
        var free: UInt64 = 0
        var total: UInt64 = 0
        guard weir_disk_space(path, &free, &total) == 0 else { throw .system("statvfs", path) }
        return FileSpace(freeBytes: Int64(clamping: free), totalBytes: Int64(clamping: total))
    }
}

/// An open file descriptor, closed with the last reference.
final class PosixFile: File {
    let path: String
    let descriptor: CInt

    init(path: String, descriptor: CInt) {
        self.path = path
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }

    func write(_ parts: [UnsafeRawBufferPointer], at position: Int64) throws(FileError) -> Int {
        let count: Int
        if parts.count == 1 {
            count = retrying { pwrite(descriptor, parts[0].baseAddress, parts[0].count, off_t(position)) }
        } else {
            let vectors = parts.map { iovec(iov_base: UnsafeMutableRawPointer(mutating: $0.baseAddress), iov_len: $0.count) }
            count = retrying { pwritev(descriptor, vectors, CInt(vectors.count), off_t(position)) }
        }
        guard count >= 0 else { throw .system("write", path) }
        return count
    }

    func read(into bytes: UnsafeMutableRawBufferPointer, at position: Int64) throws(FileError) -> Int {
        let count = retrying { pread(descriptor, bytes.baseAddress, bytes.count, off_t(position)) }
        guard count >= 0 else { throw .system("read", path) }
        return count
    }

    func readCached(into bytes: UnsafeMutableRawBufferPointer, at position: Int64) throws(FileError) -> Int? {
        let count = retrying { weir_pread_cached(descriptor, bytes.baseAddress, bytes.count, off_t(position)) }
        if count >= 0 { return count }
        // A file system that cannot say what is cached (EOPNOTSUPP) is read by the thread that may wait.
        if errno == EAGAIN || errno == EOPNOTSUPP || errno == ENOSYS { return nil }
        throw .system("read", path)
    }

    func sync() throws(FileError) {
        guard retrying({ fdatasync(descriptor) }) == 0 else { throw .system("sync", path) }
    }

    func truncate(to size: Int64) throws(FileError) {
        guard retrying({ ftruncate(descriptor, off_t(size)) }) == 0 else { throw .system("truncate", path) }
    }

    func size() throws(FileError) -> Int64 {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw .system("stat", path) }
        return Int64(status.st_size)
    }

    func prefetch(at position: Int64, count: Int) {
        _ = weir_readahead(descriptor, off_t(position), count)
    }

    func startWriteback(at position: Int64, count: Int) {
        _ = weir_start_writeback(descriptor, off_t(position), count)
    }

    func preallocate(at position: Int64, count: Int) {
        _ = weir_preallocate(descriptor, off_t(position), off_t(count))
    }

    func region(at position: Int64, count: Int) -> (FileRegion, owner: any Sendable)? {
        let owner = RegionOwner(self)
        return (FileRegion(fileHandle: owner.handle, readerIndex: Int(position), endIndex: Int(position) + count), owner)
    }
}

/// Keeps a file open while a region of it is being sent. NIO allows one use of a handle at a time, so every region has its own
/// handle over the one descriptor.
final class RegionOwner: Sendable {
    let handle: NIOFileHandle
    private let file: PosixFile

    init(_ file: PosixFile) {
        self.file = file
        handle = NIOFileHandle(_deprecatedTakingOwnershipOfDescriptor: file.descriptor)
    }

    deinit {
        // The file closes the descriptor; the handle only has to forget it.
        do { _ = try handle.takeDescriptorOwnership() } catch { assertionFailure("region released while it is sent: \(error)") }
    }
}

/// Calls again when a signal interrupted.
private func retrying<Result: FixedWidthInteger & SignedInteger>(_ call: () -> Result) -> Result {
    while true {
        let result = call()
        if result >= 0 || errno != EINTR { return result }
    }
}

extension FileError {
    /// From `errno`.
    fileprivate static func system(_ operation: String, _ path: String) -> FileError {
        let code = errno
        let kind: Kind =
            switch code {
            case ENOENT: .notFound
            case ENOSPC, EDQUOT: .full
            default: .failed
            }
        return FileError(kind, operation, path, reason: String(cString: strerror(code)))
    }
}
