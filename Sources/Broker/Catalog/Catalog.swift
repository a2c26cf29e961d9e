import FoundationEssentials
import Logging
import Model
import NIOCore
import Storage
import Synchronization

/// The topics there are. Readers take an immutable ``View`` once per request; changes go through the store first, then appear.
///
/// Changes are serialised by the catalog's own gate, so two creations of one name can't both succeed.
public final class Catalog: Sendable {
    /// All topics at one instant.
    public struct View: Sendable {
        public fileprivate(set) var byName: [String: Topic] = [:]
        fileprivate var nameByID: [TopicID: String] = [:]
        public fileprivate(set) var partitionCount = 0

        public subscript(name: String) -> Topic? { byName[name] }
        public subscript(id: TopicID) -> Topic? { nameByID[id].flatMap { byName[$0] } }
        public var sorted: [Topic] { byName.values.sorted { $0.name < $1.name } }
    }

    public enum Failure: Error, Equatable, Sendable {
        case exists
        case unknown
        case invalidName(String)
        case invalidPartitions(String)
        /// Settings that do not fit each other.
        case invalidConfig(String)
        case tooMany(String)
        case store(StoreError)
    }

    private static let prefix = "topics/"
    private let store: any Store
    private let limits: Limits
    private let view = Mutex(View())
    private let gate = AsyncGate()

    init(store: any Store, limits: Limits) {
        self.store = store
        self.limits = limits
    }

    public var current: View { view.withLock { $0 } }

    /// Reads the catalog from the store. An entry that can't be read stops the start: dropping it would drop its data.
    func load() async throws {
        var loaded = View()
        for entry in try await store.list(Self.prefix) {
            let record = try JSONDecoder().decode(TopicRecord.self, from: Data(entry.value.readableBytesView))
            guard let id = TopicID(hex: record.id) else { throw ConfigProblem("catalog entry \(entry.key): bad topic id \(record.id)") }
            let topic = Topic(
                id: id, name: record.name, partitions: record.partitions,
                config: try TopicConfig.stored(record.configs, delayLevelMs: record.delayLevelMs),
                createdAt: Timestamp(ms: record.createdMs))
            loaded.insert(topic)
        }
        let result = loaded
        view.withLock { $0 = result }
    }

    /// Checks a creation without carrying it out.
    public func problem(creating name: String, partitions: Int32) -> Failure? {
        let now = current
        if let problem = Topic.problem(withName: name, limits: limits) { return .invalidName(problem) }
        if now[name] != nil { return .exists }
        if partitions < 1 || Int(partitions) > limits.partitionsPerTopic {
            return .invalidPartitions("a topic has 1 to \(limits.partitionsPerTopic) partitions")
        }
        if now.byName.count >= limits.topics { return .tooMany("the broker holds at most \(limits.topics) topics") }
        if now.partitionCount + Int(partitions) > limits.partitions {
            return .tooMany("the broker holds at most \(limits.partitions) partitions")
        }
        return nil
    }

    func create(_ topic: Topic) async throws(Failure) {
        try await gate.enter { () async throws(Failure) in
            if let problem = problem(creating: topic.name, partitions: topic.partitions) { throw problem }
            do throws(StoreError) { try await store.create(Self.key(topic.id), Self.encode(topic), timeToLiveMs: nil) } catch {
                throw .store(error)
            }
            view.withLock { $0.insert(topic) }
        }
    }

    /// Forgets a topic and returns it; its records are dropped by the caller.
    func delete(_ name: String) async throws(Failure) -> Topic {
        try await gate.enter { () async throws(Failure) in
            guard let topic = current[name] else { throw .unknown }
            do throws(StoreError) { try await store.delete(Self.key(topic.id), at: nil) } catch { throw .store(error) }
            view.withLock { $0.remove(topic) }
            return topic
        }
    }

    /// Replaces a topic's description by what `change` makes of it; nobody else changes it meanwhile.
    func update(
        _ name: String, _ change: @Sendable (inout Topic) throws(Failure) -> Void
    ) async throws(Failure) -> (old: Topic, new: Topic) {
        try await gate.enter { () async throws(Failure) in
            guard var topic = current[name] else { throw .unknown }
            let old = topic
            try change(&topic)
            do throws(StoreError) { try await store.put(Self.key(topic.id), Self.encode(topic)) } catch { throw .store(error) }
            let new = topic
            view.withLock {
                $0.remove(old)
                $0.insert(new)
            }
            return (old, new)
        }
    }

    private static func key(_ id: TopicID) -> String { prefix + id.description }

    private static func encode(_ topic: Topic) -> ByteBuffer {
        let record = TopicRecord(
            id: topic.id.description, name: topic.name, partitions: topic.partitions, configs: topic.config.overrides,
            createdMs: topic.createdAt.ms, delayLevelMs: topic.config.delayLevelMs)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do { return ByteBuffer(bytes: try encoder.encode(record)) } catch {
            preconditionFailure("a topic record always encodes: \(error)")
        }
    }
}

extension Catalog.View {
    fileprivate mutating func insert(_ topic: Topic) {
        byName[topic.name] = topic
        nameByID[topic.id] = topic.name
        partitionCount += Int(topic.partitions)
    }

    fileprivate mutating func remove(_ topic: Topic) {
        byName[topic.name] = nil
        nameByID[topic.id] = nil
        partitionCount -= Int(topic.partitions)
    }
}
