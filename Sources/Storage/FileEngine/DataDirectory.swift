import Model
import NIOCore

/// The outermost level of a data directory: its lock, its format version and its number of shards.
/// ```
/// DIR/lock      held while a broker runs
/// DIR/format    weir 1 shards 4
/// DIR/shard-0/  epoch  checkpoint  journal  <topic id>-<partition>/00000000000000000000.log .index .time  facts-groups/…
/// ```
struct DataDirectory: Sendable {
    static let version = 1

    let root: String
    let shards: Int
    private let lock: any Sendable

    /// Takes the lock, and writes the format file when the directory is new.
    /// - Parameter shards: for a new directory; an existing one keeps its number.
    init(fileSystem: any FileSystem, root: String, shards: Int) throws(DataDirectoryError) {
        precondition(shards > 0)
        self.root = root
        do throws(FileError) {
            try fileSystem.makeDirectory(root)
            try fileSystem.syncDirectory(FilePath.parent(root))
            guard let lock = try fileSystem.lock(root + "/lock") else { throw FileError(.failed, "lock", root, reason: Self.lockedReason) }
            self.lock = lock
            if let text = try fileSystem.contents(root + "/format", limit: 256) {
                guard let known = Self.parse(String(buffer: text)) else {
                    throw FileError(.failed, "format", root, reason: String(buffer: text))
                }
                self.shards = known
            } else {
                self.shards = shards
                try fileSystem.replace(root + "/format", with: ByteBuffer(string: "weir \(Self.version) shards \(shards)\n"))
            }
        } catch {
            switch error.operation {
            case "lock" where error.reason == Self.lockedReason: throw .locked(root)
            case "format": throw .unknownFormat(root, found: error.reason)
            default: throw .unusable(root, reason: "\(error)")
            }
        }
    }

    private static let lockedReason = "held by another process"

    private static func parse(_ text: String) -> Int? {
        let words = text.split(whereSeparator: \.isWhitespace)
        guard words.count == 4, words[0] == "weir", words[1] == "\(version)", words[2] == "shards", let shards = Int(words[3]), shards > 0
        else { return nil }
        return shards
    }

    func shard(_ id: ShardID) -> String { "\(root)/shard-\(id)" }
}

/// Why a data directory can't be used.
public enum DataDirectoryError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Another process has it.
    case locked(String)
    /// Written by another version.
    case unknownFormat(String, found: String)
    case unusable(String, reason: String)

    public var description: String {
        switch self {
        case .locked(let root): "data directory \(root) is in use by another broker; stop it, or name another directory with --data"
        case .unknownFormat(let root, let found):
            "data directory \(root) has the format '\(found)', this version reads 'weir \(DataDirectory.version)'; "
                + "use the version that wrote it"
        case .unusable(let root, let reason): "data directory \(root) can't be used: \(reason)"
        }
    }
}
