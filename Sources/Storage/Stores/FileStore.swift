import Logging
import Model
import NIOCore

/// The embedded store: one appended file with a checksum on every record, synced on each change, and written anew when it has grown.
///
/// Under DIR/store: `store.log`, `blobs/`, `lock`.
public final class FileStore: Store {
    private let keeper: StoreKeeper

    /// - Throws: `unavailable` when the directory is in use or its files can't be read.
    public init(
        fileSystem: any FileSystem = PosixFileSystem(), root: String, clock: any Clock, logger: Logger = Logger(label: "weir.store"),
        scheduler: (any WorkScheduler)? = nil
    ) throws(StoreError) {
        do throws(FileError) {
            try fileSystem.makeDirectory(root)
            guard let lock = try fileSystem.lock(root + "/lock") else {
                throw FileError(.failed, "lock", root, reason: "in use by another broker")
            }
            var state = StoreState()
            let file = try StoreFile(fileSystem: fileSystem, root: root, logger: logger, into: &state)
            keeper = StoreKeeper(clock: clock, state: state, file: file, lock: lock, logger: logger, scheduler: scheduler)
        } catch {
            throw .unavailable("\(error)")
        }
    }

    public func get(_ key: String) async throws(StoreError) -> StoreEntry? { try keeper.get(key) }
    public func list(_ prefix: String) async throws(StoreError) -> [StoreEntry] { try keeper.list(prefix) }

    public func create(_ key: String, _ value: ByteBuffer, timeToLiveMs: Int64?) async throws(StoreError) -> Revision {
        try await keeper.set(key, value, timeToLiveMs, if: .absent)
    }

    public func cas(_ key: String, _ value: ByteBuffer, at revision: Revision, timeToLiveMs: Int64?) async throws(StoreError) -> Revision {
        try await keeper.set(key, value, timeToLiveMs, if: .at(revision))
    }

    public func put(_ key: String, _ value: ByteBuffer) async throws(StoreError) -> Revision {
        try await keeper.set(key, value, nil, if: .always)
    }

    public func delete(_ key: String, at revision: Revision?) async throws(StoreError) { try await keeper.delete(key, at: revision) }

    public func watch(_ prefix: String, after revision: Revision) -> AsyncStream<StoreEvent> { keeper.watch(prefix, after: revision) }

    public func putBlob(_ key: String, _ value: ByteBuffer) async throws(StoreError) { try await keeper.putBlob(key, value) }
    public func getBlob(_ key: String) async throws(StoreError) -> ByteBuffer? { try await keeper.getBlob(key) }
    public func deleteBlob(_ key: String) async throws(StoreError) { try await keeper.deleteBlob(key) }

    public func close() async { await keeper.close() }
}
