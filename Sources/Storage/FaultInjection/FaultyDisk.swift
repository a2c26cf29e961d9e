/// The state of a ``FaultyFileSystem``: for files the bytes as written and as synced, for directories the names as made and as synced.
struct FaultyDisk: Sendable {
    static let pageBytes = 4096

    /// `@unchecked Sendable`: touched under the file system's lock only.
    final class FileNode: @unchecked Sendable {
        var bytes: [UInt8] = []
        /// What a power loss surely leaves.
        var durable: [UInt8] = []
        /// Pages written since the last sync, successful or not.
        var dirtyPages: Set<Int> = []
        /// Failed syncs so far: every open file hears of each once.
        var syncErrors = 0
    }

    /// `@unchecked Sendable`: touched under the file system's lock only.
    final class DirectoryNode: @unchecked Sendable {
        var names: [String: Node] = [:]
        var durable: [String: Node] = [:]
        /// Names that a rename ties together until the next sync: both halves of it survive, or neither.
        var tied: [String: String] = [:]

        func tie(_ from: String, _ to: String) {
            let old = tied[to] ?? to
            let group = tied[from] ?? from
            for (name, other) in tied where other == old { tied[name] = group }
            tied[from] = group
            tied[to] = group
        }
    }

    enum Node: Sendable {
        case file(FileNode)
        case directory(DirectoryNode)
    }

    var faults: FaultyFileSystem.Faults
    var points = 0
    var isDown = false
    var locks: Set<String> = []
    var random: SeededRandom
    var root = DirectoryNode()

    init(seed: UInt64, faults: FaultyFileSystem.Faults) {
        self.faults = faults
        random = SeededRandom(seed: seed)
    }

    // MARK: Points

    func requireUp(_ operation: String, _ path: String) throws(FileError) {
        if isDown { throw FileError(.crashed, operation, path, reason: "the machine is down") }
    }

    private enum Verdict { case proceed, fail, die }

    private mutating func point(_ operation: String, _ path: String) throws(FileError) -> Verdict {
        try requireUp(operation, path)
        points += 1
        if points == faults.killAt {
            isDown = true
            return .die
        }
        return faults.errorAt.contains(points) ? .fail : .proceed
    }

    /// For operations that happen as a whole or not at all.
    private mutating func wholePoint(_ operation: String, _ path: String) throws(FileError) {
        switch try point(operation, path) {
        case .proceed: return
        case .fail: throw FileError(.failed, operation, path, reason: "injected I/O error")
        case .die: throw FileError(.crashed, operation, path, reason: "killed at point \(points)")
        }
    }

    // MARK: Names

    private static func parts(_ path: String) -> [String] { path.split(separator: "/").map(String.init) }

    func node(_ path: String) -> Node? {
        var current = Node.directory(root)
        for part in Self.parts(path) {
            guard case .directory(let directory) = current, let next = directory.names[part] else { return nil }
            current = next
        }
        return current
    }

    private func parent(_ path: String, _ operation: String) throws(FileError) -> (directory: DirectoryNode, name: String) {
        var parts = Self.parts(path)
        let name = parts.popLast() ?? ""
        guard case .directory(let directory)? = node(parts.joined(separator: "/")) else {
            throw FileError(.notFound, operation, path, reason: "no such directory")
        }
        return (directory, name)
    }

    func file(_ path: String, _ operation: String) throws(FileError) -> FileNode {
        guard case .file(let file)? = node(path) else { throw FileError(.notFound, operation, path, reason: "no such file") }
        return file
    }

    mutating func open(_ path: String, create: Bool) throws(FileError) -> FileNode {
        try requireUp("open", path)
        if case .file(let file)? = node(path) { return file }
        guard create else { throw FileError(.notFound, "open", path, reason: "no such file") }
        try wholePoint("open", path)
        let place = try parent(path, "open")
        let file = FileNode()
        place.directory.names[place.name] = .file(file)
        return file
    }

    mutating func makeDirectory(_ path: String) throws(FileError) {
        var directory = root
        for part in Self.parts(path) {
            switch directory.names[part] {
            case .directory(let next): directory = next
            case .file: throw FileError(.failed, "mkdir", path, reason: "a file is in the way")
            case nil:
                try wholePoint("mkdir", path)
                let next = DirectoryNode()
                directory.names[part] = .directory(next)
                directory = next
            }
        }
        try requireUp("mkdir", path)
    }

    func list(_ path: String) throws(FileError) -> [String] {
        try requireUp("list", path)
        guard case .directory(let directory)? = node(path) else { return [] }
        return directory.names.keys.sorted()
    }

    mutating func rename(_ from: String, to: String) throws(FileError) {
        try wholePoint("rename", from)
        guard let moved = node(from) else { throw FileError(.notFound, "rename", from, reason: "no such file") }
        let source = try parent(from, "rename")
        let target = try parent(to, "rename")
        source.directory.names[source.name] = nil
        target.directory.names[target.name] = moved
        if source.directory === target.directory { source.directory.tie(source.name, target.name) }
    }

    mutating func remove(_ path: String) throws(FileError) {
        try requireUp("remove", path)
        guard let node = node(path) else { return }
        if case .directory(let directory) = node, !directory.names.isEmpty {
            throw FileError(.failed, "remove", path, reason: "directory not empty")
        }
        try wholePoint("remove", path)
        let place = try parent(path, "remove")
        place.directory.names[place.name] = nil
    }

    mutating func syncDirectory(_ path: String) throws(FileError) {
        try wholePoint("sync", path)
        guard case .directory(let directory)? = node(path) else { throw FileError(.notFound, "sync", path, reason: "no such directory") }
        directory.durable = directory.names
        directory.tied = [:]
    }

    // MARK: Bytes

    mutating func write(_ file: FileNode, _ path: String, _ bytes: [UInt8], at position: Int) throws(FileError) -> Int {
        var count = bytes.count
        switch try point("write", path) {
        case .proceed: break
        case .fail:
            put(file, bytes.prefix(random.below(count + 1)), at: position)
            throw FileError(.failed, "write", path, reason: "injected I/O error")
        case .die:
            put(file, bytes.prefix(random.below(count + 1)), at: position)
            throw FileError(.crashed, "write", path, reason: "killed at point \(points)")
        }
        if faults.shortWrites, count > 1 { count = 1 + random.below(count) }
        if let capacity = faults.capacityBytes {
            let growth = max(0, position + count - file.bytes.count)
            count -= min(count, max(0, usedBytes + growth - capacity))
            guard count > 0 else { throw FileError(.full, "write", path, reason: "no space left on device") }
        }
        put(file, bytes.prefix(count), at: position)
        return count
    }

    private func put(_ file: FileNode, _ bytes: ArraySlice<UInt8>, at position: Int) {
        guard !bytes.isEmpty else { return }
        let end = position + bytes.count
        if end > file.bytes.count { Self.resize(&file.bytes, to: end) }
        Self.copy(bytes, to: &file.bytes, at: position)
        for page in (position / Self.pageBytes)...((end - 1) / Self.pageBytes) { file.dirtyPages.insert(page) }
    }

    mutating func truncate(_ file: FileNode, _ path: String, to size: Int) throws(FileError) {
        try wholePoint("truncate", path)
        Self.resize(&file.bytes, to: size)
        file.dirtyPages.insert(size / Self.pageBytes)
    }

    /// A failed sync does what Linux does: some pages reached the disk, and the others count as clean although they did not.
    ///
    /// - Parameter heard: errors this open file has heard of.
    mutating func sync(_ file: FileNode, _ path: String, heard: inout Int) throws(FileError) {
        let verdict = try point("sync", path)
        if case .die = verdict { throw FileError(.crashed, "sync", path, reason: "killed at point \(points)") }
        let fails = faults.syncErrorsFrom.map { points >= $0 } ?? false
        if heard < file.syncErrors {
            heard = file.syncErrors
            throw FileError(.failed, "sync", path, reason: "an earlier write failed")
        }
        if case .proceed = verdict, !fails {
            persist(file, pages: file.dirtyPages)
            file.dirtyPages = []
            return
        }
        persist(file, pages: file.dirtyPages.sorted().filter { _ in random.below(2) == 0 })
        file.dirtyPages = []
        file.syncErrors += 1
        heard = file.syncErrors
        throw FileError(.failed, "sync", path, reason: "injected I/O error")
    }

    private func persist(_ file: FileNode, pages: some Sequence<Int>) {
        Self.resize(&file.durable, to: file.bytes.count)
        for page in pages { Self.copyPage(page, from: file.bytes, to: &file.durable) }
    }

    static func resize(_ bytes: inout [UInt8], to size: Int) {
        if bytes.count > size { bytes.removeLast(bytes.count - size) }
        if bytes.count < size { bytes += [UInt8](repeating: 0, count: size - bytes.count) }
    }

    /// Plain memory copies: the generic ones take most of a crash test's time in a debug build.
    private static func copy(_ source: ArraySlice<UInt8>, to target: inout [UInt8], at position: Int) {
        target.withUnsafeMutableBytes { target in
            source.withUnsafeBytes { UnsafeMutableRawBufferPointer(rebasing: target[position...]).copyMemory(from: $0) }
        }
    }

    static func copyPage(_ page: Int, upTo limit: Int = pageBytes, from source: [UInt8], to target: inout [UInt8]) {
        let start = page * pageBytes
        let end = min(start + limit, source.count, target.count)
        if start < end { copy(source[start..<end], to: &target, at: start) }
    }

    var usedBytes: Int { Self.usedBytes(root) }

    private static func usedBytes(_ directory: DirectoryNode) -> Int {
        directory.names.values.reduce(0) { sum, node in
            switch node {
            case .file(let file): sum + file.bytes.count
            case .directory(let directory): sum + usedBytes(directory)
            }
        }
    }
}
