import Model
import NIOCore
import Storage

/// Gives out producer ids in blocks kept in the store, so that no id is given twice, whatever crashes (Kafka's KIP-730 does the same).
actor ProducerIDs {
    private static let block: Int64 = 1_000
    private static let key = "broker/producers"
    private let store: any Store
    private var next: Int64 = 0
    private var end: Int64 = 0

    init(store: any Store) { self.store = store }

    func next() async throws(StoreError) -> ProducerID {
        while next >= end {
            let entry = try await store.get(Self.key)
            let taken = entry?.value.getInteger(at: entry?.value.readerIndex ?? 0, as: Int64.self) ?? 0
            let value = ByteBuffer(integer: taken + Self.block)
            do {
                if let entry {
                    try await store.cas(Self.key, value, at: entry.revision, timeToLiveMs: nil)
                } else {
                    try await store.create(Self.key, value, timeToLiveMs: nil)
                }
            } catch StoreError.conflict { continue }  // another call of ours took this block
            next = taken
            end = taken + Self.block
        }
        defer { next += 1 }
        return ProducerID(next)
    }
}
