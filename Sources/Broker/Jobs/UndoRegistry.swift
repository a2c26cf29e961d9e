import Control
import FoundationEssentials
import Model
import NIOCore
import Storage
import Synchronization

/// What can be taken back, kept in the store as JSON until it no longer can. Any thread.
final class UndoRegistry: Sendable {
    struct Entry: Codable, Sendable, Equatable {
        enum Action: Codable, Sendable, Equatable {
            /// Purges of a queue's partitions, by the cursors' own marks.
            case purge(marks: [Mark])
            /// The command that puts things back.
            case command(QueueCommand)
            /// Due times of delayed messages, as they were.
            case delays([DelayedTime])
        }
        struct Mark: Codable, Sendable, Equatable {
            var partition: Int32
            var id: Int64
        }
        var id: String
        var queue: String
        /// The id of the queue's topic: another queue of that name has nothing to do with it. nil in entries of before.
        var topic: String?
        var text: String
        var atMs: Int64
        var untilMs: Int64
        var action: Action
    }

    private static let prefix = "undo/"
    private let store: any Store
    private let limit: Int
    private let entries = Mutex<[Entry]>([])
    private let gate = AsyncGate()

    init(store: any Store, limit: Int) {
        self.store = store
        self.limit = limit
    }

    func load() async throws {
        var loaded: [Entry] = []
        for entry in try await store.list(Self.prefix) {
            loaded.append(try JSONDecoder().decode(Entry.self, from: Data(entry.value.readableBytesView)))
        }
        let result = loaded.sorted { Self.number($0.id) < Self.number($1.id) }
        entries.withLock { $0 = result }
    }

    /// Notes what can be undone; the id by which it can. nil when it could not be written down.
    func add(queue: QueueName, text: String, atMs: Int64, untilMs: Int64, _ action: Entry.Action) async -> String? {
        await gate.enter {
            // By time, so that an id is not used again when what it stood for has been undone.
            let last = entries.withLock { $0.last.map { Self.number($0.id) } ?? 0 }
            let id = "u" + String(max(last + 1, atMs), radix: 36)
            let entry = Entry(
                id: id, queue: queue.text, topic: queue.topic.id.description, text: text, atMs: atMs, untilMs: untilMs, action: action)
            do { try await store.put(Self.prefix + id, ByteBuffer(bytes: try JSONEncoder().encode(entry))) } catch { return nil }
            let dropped = entries.withLock { entries -> [String] in
                entries.append(entry)
                let old = entries.filter { $0.untilMs <= atMs && $0.id != id }.map(\.id)
                let crowd = entries.count - old.count > limit ? entries.prefix(entries.count - old.count - limit).map(\.id) : []
                entries.removeAll { old.contains($0.id) || crowd.contains($0.id) }
                return old + crowd
            }
            for id in dropped { await forget(id) }
            return id
        }
    }

    func find(_ id: String, nowMs: Int64) -> Entry? { entries.withLock { $0.first { $0.id == id && $0.untilMs > nowMs } } }

    func remove(_ id: String) async {
        entries.withLock { $0.removeAll { $0.id == id } }
        await forget(id)
    }

    /// A key that stays in the store after a failure is dropped at the next start's first ``add(queue:text:atMs:untilMs:_:)``.
    private func forget(_ id: String) async {
        do { try await store.delete(Self.prefix + id, at: nil) } catch { return }
    }

    /// Of one queue, newest first.
    func rows(of queue: String, nowMs: Int64) -> [UndoRow] {
        entries.withLock { $0 }.filter { $0.queue == queue && $0.untilMs > nowMs }.reversed().map { entry in
            var row = UndoRow()
            row.id = entry.id
            row.queue = entry.queue
            row.text = entry.text
            row.atMs = entry.atMs
            row.untilMs = entry.untilMs
            return row
        }
    }

    private static func number(_ id: String) -> Int64 { Int64(id.dropFirst(), radix: 36) ?? 0 }
}
