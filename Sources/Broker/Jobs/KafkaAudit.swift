import Control
import Model

/// What a Kafka client's administrative request asks of one thing, for the audit log.
public enum KafkaAct: Sendable {
    case createTopic(String, partitions: Int32, configs: [String: String])
    case deleteTopic(String)
    case addPartitions(topic: String, count: Int32)
    /// nil takes a setting back.
    case configureTopic(String, [String: String?])
    case configureGroup(String, [String: String?])
    case deleteRecords(topic: String, partition: Int32, before: Int64)
    case deleteGroup(String)
    case deleteOffsets(group: String, topic: String, partitions: [Int32])
    case moveShares(group: String, topic: String, partition: Int32, to: Int64)
    case deleteShares(group: String, topic: String)

    /// The `weir …` command line that does the same, else the one of Kafka's own tools.
    var commandLine: String {
        switch self {
        case .createTopic(let name, let partitions, let configs):
            return Command.createTopic(name: name, partitions: Int(partitions), configs: configs).commandLine
        case .deleteTopic(let name): return Command.deleteTopic(name: name).commandLine
        case .addPartitions(let topic, let count): return "kafka-topics --alter --topic \(quoted(topic)) --partitions \(count)"
        case .configureTopic(let name, let changes): return Self.configure("topics", name, changes)
        case .configureGroup(let name, let changes): return Self.configure("groups", name, changes)
        case .deleteRecords(let topic, let partition, let before):
            return Command.deleteRecords(topic: topic, partition: partition, before: before).commandLine
        case .deleteGroup(let name): return Command.deleteGroup(name: name).commandLine
        case .deleteOffsets(let group, let topic, let partitions):
            let which = partitions.map { ":\($0)" }.joined(separator: ",")
            return "kafka-consumer-groups --delete-offsets --group \(quoted(group)) --topic \(quoted(topic))\(which)"
        case .moveShares(let group, let topic, let partition, let offset):
            return OffsetReset(group: group, topic: topic, partition: partition, target: .offset(offset), dryRun: false).commandLine
        case .deleteShares(let group, let topic):
            return "kafka-share-groups --delete-offsets --group \(quoted(group)) --topic \(quoted(topic))"
        }
    }

    private static func configure(_ kind: String, _ name: String, _ changes: [String: String?]) -> String {
        let sorted = changes.sorted { $0.key < $1.key }
        let added = sorted.compactMap { key, value in value.map { "\(key)=\($0)" } }
        let removed = sorted.filter { $0.value == nil }.map(\.key)
        var line = "kafka-configs --alter --entity-type \(kind) --entity-name \(quoted(name))"
        if !added.isEmpty { line += " --add-config \(quoted(added.joined(separator: ",")))" }
        if !removed.isEmpty { line += " --delete-config \(quoted(removed.joined(separator: ",")))" }
        return line
    }
}

/// What came of one thing of a request.
public struct KafkaOutcome: Sendable {
    public var act: KafkaAct
    /// nil: done.
    public var refusal: String?

    public init(_ act: KafkaAct, refusal: String? = nil) {
        self.act = act
        self.refusal = refusal
    }
}

extension Broker {
    /// Writes down what an administrative request of a Kafka client did, a row for each thing; returns when that is logged. Of a long
    /// request the first ``Model/Limits/auditRowsPerRequest`` are written, and how many more there were.
    public func audit(_ outcomes: [KafkaOutcome], clientID: String?) async {
        guard !outcomes.isEmpty else { return }
        let most = limits.auditRowsPerRequest
        var rows = outcomes.prefix(most).map { outcome in
            var row = AuditRow()
            row.command = outcome.act.commandLine
            row.outcome = outcome.refusal ?? "done"
            row.ok = outcome.refusal == nil
            return row
        }
        if outcomes.count > most {
            let failed = outcomes.dropFirst(most).count { $0.refusal != nil }
            rows[most - 1].outcome += " (and \(outcomes.count - most) more of this request, \(failed) of them refused)"
        }
        for index in rows.indices {
            rows[index].atMs = clock.now.ms
            rows[index].actor = "kafka \(clientID ?? "")"
        }
        await audit.add(rows)
    }
}
