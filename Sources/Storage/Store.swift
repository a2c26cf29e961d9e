import Model
import NIOCore

/// The second seam: a small key-value store with revisions, for the catalog, snapshots, leases and members.
///
/// Keys are paths of `[a-zA-Z0-9._-]` and `/`, at most 512 bytes; values at most 1 MiB, blobs at most 64 MiB. Nothing here is on a hot
/// path. Every change has a revision, one larger than the change before it, across all keys.
public protocol Store: AnyObject, Sendable {
    func get(_ key: String) async throws(StoreError) -> StoreEntry?

    /// All live entries whose key begins with `prefix`, by key.
    func list(_ prefix: String) async throws(StoreError) -> [StoreEntry]

    /// - Throws: `conflict` when the key exists.
    @discardableResult
    func create(_ key: String, _ value: ByteBuffer, timeToLiveMs: Int64?) async throws(StoreError) -> Revision

    /// Replaces the value if the entry is still at `revision`; renews its time to live.
    /// - Throws: `conflict` when it is not.
    @discardableResult
    func cas(_ key: String, _ value: ByteBuffer, at revision: Revision, timeToLiveMs: Int64?) async throws(StoreError) -> Revision

    /// Sets the value whatever was there.
    @discardableResult
    func put(_ key: String, _ value: ByteBuffer) async throws(StoreError) -> Revision

    /// - Throws: `conflict` when the entry is not at `revision` (nil: at whatever revision).
    func delete(_ key: String, at revision: Revision?) async throws(StoreError)

    /// Changes after `revision` to keys under `prefix`, in order, then those to come. Ends when the store closes.
    func watch(_ prefix: String, after revision: Revision) -> AsyncStream<StoreEvent>

    /// Large values without revisions: snapshots. Replaced as a whole; a reader sees the old or the new.
    func putBlob(_ key: String, _ value: ByteBuffer) async throws(StoreError)
    func getBlob(_ key: String) async throws(StoreError) -> ByteBuffer?
    func deleteBlob(_ key: String) async throws(StoreError)

    func close() async
}

public struct Revision: Hashable, Comparable, Sendable {
    public var value: UInt64
    public init(_ value: UInt64) { self.value = value }
    public static let zero = Revision(0)
    public static func < (left: Revision, right: Revision) -> Bool { left.value < right.value }
}

public struct StoreEntry: Equatable, Sendable {
    public var key: String
    public var value: ByteBuffer
    public var revision: Revision

    public init(key: String, value: ByteBuffer, revision: Revision) {
        self.key = key
        self.value = value
        self.revision = revision
    }
}

public enum StoreEvent: Equatable, Sendable {
    case put(StoreEntry)
    case deleted(key: String, revision: Revision)
}

public enum StoreError: Error, Equatable, Sendable {
    /// The key exists, or is not at the revision named; its revision now is given (nil: it is gone).
    case conflict(current: Revision?)
    case tooLarge(bytes: Int, limit: Int)
    case badKey(String)
    case unavailable(String)
}
