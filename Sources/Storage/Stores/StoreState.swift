import DequeModule
import Model
import NIOCore

/// What a store holds, as a value: decides changes and applies them. Reads no clock and no file.
struct StoreState: Sendable {
    struct Item: Equatable, Sendable {
        var value: ByteBuffer
        var revision: Revision
        var timeToLiveMs: Int64?
        var expiresAt: Timestamp?

        func isLive(at now: Timestamp) -> Bool { expiresAt.map { now < $0 } ?? true }
    }

    enum Change: Equatable, Sendable {
        case put(key: String, Item)
        case delete(key: String, revision: Revision)
    }

    static let keyBytes = 512
    static let valueBytes = 1 << 20
    static let blobBytes = 64 << 20
    /// Changes kept for watchers that come back.
    static let historyCount = 4096

    private(set) var items: [String: Item] = [:]
    private(set) var revision = Revision.zero
    /// Only the entries that have an end.
    private var expiring: [String: Timestamp] = [:]
    private var history: Deque<StoreEvent> = []
    /// Every change after this revision is in `history`.
    private var historyStart = Revision.zero

    // MARK: Decide

    static func check(key: String) throws(StoreError) {
        let bytes = key.utf8
        let isAllowed = bytes.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "/"):
                true
            default: false
            }
        }
        guard !bytes.isEmpty, bytes.count <= keyBytes, isAllowed else { throw .badKey(key) }
    }

    func set(
        _ key: String, _ value: ByteBuffer, timeToLiveMs: Int64?, now: Timestamp, if condition: Condition
    ) throws(StoreError) -> Change {
        try Self.check(key: key)
        guard value.readableBytes <= Self.valueBytes else { throw .tooLarge(bytes: value.readableBytes, limit: Self.valueBytes) }
        try require(condition, of: key, now: now)
        let expiresAt = timeToLiveMs.map { now + max(0, $0) }
        return .put(
            key: key, Item(value: value, revision: Revision(revision.value + 1), timeToLiveMs: timeToLiveMs, expiresAt: expiresAt))
    }

    /// Nil when there is nothing to delete.
    func delete(_ key: String, at wanted: Revision?, now: Timestamp) throws(StoreError) -> Change? {
        try Self.check(key: key)
        if let wanted { try require(.at(wanted), of: key, now: now) }
        guard items[key] != nil else { return nil }
        return .delete(key: key, revision: Revision(revision.value + 1))
    }

    enum Condition {
        case always, absent
        case at(Revision)
    }

    private func require(_ condition: Condition, of key: String, now: Timestamp) throws(StoreError) {
        let current = live(key, now)?.revision
        switch condition {
        case .always: break
        case .absent: if let current { throw .conflict(current: current) }
        case .at(let wanted): if current != wanted { throw .conflict(current: current) }
        }
    }

    /// The deletion of the entry that has been due longest.
    func nextExpiry(now: Timestamp) -> Change? {
        let due = expiring.filter { $0.value <= now }.min { ($0.value, $0.key) < ($1.value, $1.key) }
        return due.map { .delete(key: $0.key, revision: Revision(revision.value + 1)) }
    }

    var earliestExpiry: Timestamp? { expiring.values.min() }

    // MARK: Apply

    @discardableResult
    mutating func apply(_ change: Change) -> StoreEvent {
        let event: StoreEvent
        switch change {
        case .put(let key, let item):
            items[key] = item
            expiring[key] = item.expiresAt
            revision = item.revision
            event = .put(StoreEntry(key: key, value: item.value, revision: item.revision))
        case .delete(let key, let deleted):
            items[key] = nil
            expiring[key] = nil
            revision = deleted
            event = .deleted(key: key, revision: deleted)
        }
        history.append(event)
        if history.count > Self.historyCount, let oldest = history.popFirst() { historyStart = oldest.revision }
        return event
    }

    /// Begins with what a file held: the changes that led there are forgotten.
    mutating func restore(items: [String: Item], revision: Revision) {
        self.items = items
        expiring = items.compactMapValues(\.expiresAt)
        self.revision = revision
        history = []
        historyStart = revision
    }

    // MARK: Read

    func live(_ key: String, _ now: Timestamp) -> StoreEntry? {
        guard let item = items[key], item.isLive(at: now) else { return nil }
        return StoreEntry(key: key, value: item.value, revision: item.revision)
    }

    func list(_ prefix: String, _ now: Timestamp) -> [StoreEntry] {
        items.filter { $0.key.hasPrefix(prefix) && $0.value.isLive(at: now) }
            .map { StoreEntry(key: $0.key, value: $0.value.value, revision: $0.value.revision) }
            .sorted { $0.key < $1.key }
    }

    /// The changes after `revision`; where they are no longer known one by one, the entries that changed since, as they are now.
    func events(_ prefix: String, after revision: Revision) -> [StoreEvent] {
        if revision >= historyStart { return history.filter { $0.revision > revision && $0.key.hasPrefix(prefix) } }
        return items.filter { $0.value.revision > revision && $0.key.hasPrefix(prefix) }
            .sorted { $0.value.revision < $1.value.revision }
            .map { .put(StoreEntry(key: $0.key, value: $0.value.value, revision: $0.value.revision)) }
    }
}

extension StoreEvent {
    public var key: String {
        switch self {
        case .put(let entry): entry.key
        case .deleted(let key, _): key
        }
    }

    public var revision: Revision {
        switch self {
        case .put(let entry): entry.revision
        case .deleted(_, let revision): revision
        }
    }
}
