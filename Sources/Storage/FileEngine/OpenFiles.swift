import Model
import Synchronization

/// Open segment files, at most `capacity` of them: the one used longest ago is let go. Whoever still holds a file keeps it open.
final class OpenFiles: Sendable {
    struct Key: Hashable, Sendable {
        var stream: UInt32
        var segment: SegmentName
    }

    private struct Cache: Sendable {
        var files: [Key: (file: any File, used: UInt64)] = [:]
        var clock: UInt64 = 0
    }

    private let fileSystem: any FileSystem
    private let capacity: Int
    private let cache = Mutex(Cache())

    init(fileSystem: any FileSystem, capacity: Int) {
        self.fileSystem = fileSystem
        self.capacity = max(1, capacity)
    }

    /// The file if it is open: asks no disk.
    func cached(_ key: Key) -> (any File)? {
        cache.withLock { cache in
            cache.clock += 1
            guard let index = cache.files.index(forKey: key) else { return nil }
            cache.files.values[index].used = cache.clock
            return cache.files.values[index].file
        }
    }

    func open(_ key: Key, path: String, create: Bool = false) throws(FileError) -> any File {
        if let file = cached(key) { return file }
        let file = try fileSystem.open(path, create: create)
        return cache.withLock { cache in
            // Two threads may have opened it; all shall use one.
            if let other = cache.files[key] { return other.file }
            cache.clock += 1
            cache.files[key] = (file, cache.clock)
            if cache.files.count > capacity, let oldest = cache.files.min(by: { $0.value.used < $1.value.used }) {
                cache.files[oldest.key] = nil
            }
            return file
        }
    }

    func forget(_ key: Key) {
        cache.withLock { $0.files[key] = nil }
    }

    func forgetAll() {
        cache.withLock { $0.files.removeAll() }
    }

    var count: Int { cache.withLock { $0.files.count } }
}
