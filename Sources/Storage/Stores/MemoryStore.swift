import Logging
import Model
import NIOCore

/// A store in memory (`--data memory`): same rules as ``FileStore``, gone with the process.
public final class MemoryStore: Store {
    private let keeper: StoreKeeper

    public init(clock: any Clock) {
        keeper = StoreKeeper(clock: clock, state: StoreState(), file: nil, lock: nil, logger: Logger(label: "weir.store"))
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
