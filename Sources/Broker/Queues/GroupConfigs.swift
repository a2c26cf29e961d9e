import FoundationEssentials
import Model
import NIOCore
import Queues
import Storage
import Synchronization

/// The settings of share groups by group name (Kafka's GROUP config resource), kept in the store as JSON.
///
/// ```
/// group-configs/<name in hexadecimal> → {"share.delivery.count.limit":"3"}
/// ```
public final class GroupConfigs: Sendable {
    private static let prefix = "group-configs/"
    /// Longest name of a group that can have settings: its key must fit the store.
    static let nameBytes = 240

    private let store: any Store
    private let gate = AsyncGate()
    private let byGroup = Mutex<[String: [String: String]]>([:])

    init(store: any Store) { self.store = store }

    /// What was set for the group.
    public func settings(of group: String) -> [String: String] { byGroup.withLock { $0[group] ?? [:] } }

    /// Groups that have settings.
    public var groups: [String] { byGroup.withLock { $0.keys.sorted() } }

    func load() async throws {
        for entry in try await store.list(Self.prefix) {
            guard let name = Self.name(entry.key) else { throw ConfigProblem("group settings \(entry.key): the key is damaged") }
            let settings = try JSONDecoder().decode([String: String].self, from: Data(entry.value.readableBytesView))
            byGroup.withLock { $0[name] = settings }
        }
    }

    /// Replaces a group's settings by what `change` makes of them; nobody else changes them meanwhile.
    /// - Throws: ``ConfigProblem`` that names the setting; nothing is changed then.
    func change(
        _ group: String, limit: Int, _ change: @Sendable ([String: String]) throws(ConfigProblem) -> [String: String]
    ) async throws(ConfigProblem) {
        guard !group.isEmpty, group.utf8.count <= Self.nameBytes else {
            throw ConfigProblem("a group with settings has a name of 1 to \(Self.nameBytes) bytes")
        }
        try await gate.enter { () async throws(ConfigProblem) in
            let before = settings(of: group)
            let settings = try change(before)
            for (name, value) in settings.sorted(by: { $0.key < $1.key }) where before[name] != value {
                guard let definition = ConfigDefinition.group[name] else { throw ConfigProblem("unknown group setting '\(name)'") }
                if let problem = definition.problem(with: value) { throw ConfigProblem("\(name)=\(value): \(problem)") }
            }
            if before.isEmpty, groups.count >= limit { throw ConfigProblem("at most \(limit) groups can have settings") }
            do {
                if settings.isEmpty {
                    try await store.delete(Self.key(group), at: nil)
                } else {
                    try await store.put(Self.key(group), ByteBuffer(bytes: try JSONEncoder().encode(settings)))
                }
            } catch { throw ConfigProblem("the settings of group \(group) could not be written: \(error)") }
            let new = settings.isEmpty ? nil : settings
            byGroup.withLock { $0[group] = new }
        }
    }

    private static func key(_ group: String) -> String {
        prefix + group.utf8.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    private static func name(_ key: String) -> String? {
        let digits = Array(key.utf8.dropFirst(prefix.utf8.count))
        guard !digits.isEmpty, digits.count.isMultiple(of: 2) else { return nil }
        var bytes: [UInt8] = []
        for at in stride(from: 0, to: digits.count, by: 2) {
            guard let byte = UInt8(String(decoding: digits[at...at + 1], as: UTF8.self), radix: 16) else { return nil }
            bytes.append(byte)
        }
        return String(validating: bytes, as: UTF8.self)
    }
}

extension GroupConfigs {
    /// What a share group does with the messages of a topic. A queue's own group follows the topic's settings, reads from the log's start;
    /// what is set for the group itself comes on top.
    public func policy(group: String, topic: String, _ config: TopicConfig) -> QueuePolicy {
        var policy = QueuePolicy()
        var given: [String: String] = [:]
        if config.isQueue, group == topic {
            policy.start = .earliest
            given = config.overrides
        }
        given.merge(settings(of: group)) { $1 }
        policy.apply(given)
        return policy
    }
}
