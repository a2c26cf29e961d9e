import Model
import Queues
import Storage

/// A topic's settings, by Kafka's names. Unset settings follow the broker's defaults.
public struct TopicConfig: Sendable, Equatable {
    /// What was set, as it was given.
    public private(set) var overrides: [String: String]
    /// −1: no limit.
    public private(set) var retentionMs: Int64
    public private(set) var retentionBytes: Int64
    public private(set) var maxMessageBytes: Int32
    public private(set) var isLogAppendTime: Bool
    /// How the log is divided, as far as the topic says so.
    public private(set) var units: StreamUnits
    /// nil: the broker's.
    public private(set) var flush: BrokerOptions.Flush?
    /// What `delay.level` stood for in the broker's table when it was set; nil without one.
    public private(set) var delayLevelMs: Int64?
    /// How the topic delays what is published to it; nil: not at all.
    public private(set) var delay: DelayRule?

    public static let defaults: TopicConfig = .init(overrides: [:])

    private init(overrides: [String: String], delayLevelMs: Int64? = nil) {
        self.overrides = overrides
        self.delayLevelMs = delayLevelMs
        func value(_ name: String) -> String {
            overrides[name] ?? ConfigDefinition.topic[name]?.defaultValue ?? ""
        }
        retentionMs = Int64(value("retention.ms")) ?? -1
        retentionBytes = Int64(value("retention.bytes")) ?? -1
        maxMessageBytes = Int32(value("max.message.bytes")) ?? Int32(Limits().batchBytes)
        isLogAppendTime = value("message.timestamp.type") == "LogAppendTime"
        flush = BrokerOptions.Flush(rawValue: value("flush"))
        units = StreamUnits(bytes: overrides["segment.bytes"].flatMap(Int.init), ms: overrides["segment.ms"].flatMap { Int64($0) })
        delay = DelayRule(isEnabled: isDelayEnabled, ms: delayMs)
    }

    /// Checks names and values.
    /// - Parameters:
    ///   - levels: the broker's table. `delay.level` becomes a time here.
    ///   - before: what the topic has now: a level that stays the same keeps its time.
    /// - Throws: `invalid` that names the setting, what is wrong with it, and what would be right.
    public static func parse(
        _ settings: [String: String], levels: DelayLevels = .standard, before: TopicConfig? = nil
    ) throws(ConfigProblem) -> TopicConfig {
        let config = try checked(settings)
        guard let level = config.delayLevel else { return config }
        if let before, before.delayLevel == level, let ms = before.delayLevelMs {
            return TopicConfig(overrides: settings, delayLevelMs: ms)
        }
        guard let ms = levels[level] else {
            throw ConfigProblem("delay.level=\(level): the broker's table has the levels 1 to \(levels.ms.count): \(levels.text)")
        }
        return TopicConfig(overrides: settings, delayLevelMs: ms)
    }

    /// As the catalog keeps it.
    /// - Parameter delayLevelMs: nil where the entry is older than tables that can be configured: then it is the one there was.
    static func stored(_ settings: [String: String], delayLevelMs: Int64?) throws(ConfigProblem) -> TopicConfig {
        guard let delayLevelMs else { return try parse(settings) }
        return TopicConfig(overrides: try checked(settings).overrides, delayLevelMs: delayLevelMs)
    }

    private static func checked(_ settings: [String: String]) throws(ConfigProblem) -> TopicConfig {
        for (name, value) in settings.sorted(by: { $0.key < $1.key }) {
            guard let definition = ConfigDefinition.topic[name] else {
                throw ConfigProblem("unknown topic setting '\(name)'")
            }
            if let problem = definition.problem(with: value) { throw ConfigProblem("\(name)=\(value): \(problem)") }
        }
        return TopicConfig(overrides: settings)
    }
}

/// A setting that can't be taken, in words for whoever sent it.
public struct ConfigProblem: Error, Equatable, Sendable {
    public var message: String
    public init(_ message: String) { self.message = message }
}

/// One setting: its name, type, default and bounds. The names and defaults are Kafka's.
public struct ConfigDefinition: Sendable {
    public enum Kind: Sendable {
        case long(ClosedRange<Int64>)
        case double(ClosedRange<Double>)
        case bool
        /// One of these words.
        case choice([String])
        /// Any text; those that are a queue's are checked by ``QueuePolicy/problem(with:value:)``.
        case text
    }
    public var name: String
    public var kind: Kind
    public var defaultValue: String
    public var doc: String
    /// Values that Kafka knows and Weir does not do yet, with the reason.
    var refused: [String: String] = [:]

    public func problem(with value: String) -> String? {
        if let reason = refused[value] { return reason }
        switch kind {
        case .long(let range):
            guard let number = Int64(value) else { return "not a whole number" }
            return range.contains(number) ? nil : "must be from \(range.lowerBound) to \(range.upperBound)"
        case .double(let range):
            guard let number = Double(value) else { return "not a number" }
            return range.contains(number) ? nil : "must be from \(range.lowerBound) to \(range.upperBound)"
        case .bool:
            return value == "true" || value == "false" ? nil : "must be true or false"
        case .choice(let words):
            return words.contains(value) ? nil : "must be one of \(words.joined(separator: ", "))"
        case .text:
            return value.utf8.count > 1_000 ? "is longer than 1000 bytes" : QueuePolicy.problem(with: name, value: value)
        }
    }

    private static let any = Int64.min...Int64.max
    private static let compactRefusal = "log compaction is not built yet; use cleanup.policy=delete"

    public static let topicList: [ConfigDefinition] =
        [
            .init(
                name: "cleanup.policy", kind: .choice(["delete"]), defaultValue: "delete",
                doc: "What happens to old segments: delete.",
                refused: ["compact": compactRefusal, "compact,delete": compactRefusal, "delete,compact": compactRefusal]),
            .init(
                name: "compression.type", kind: .choice(["producer"]), defaultValue: "producer",
                doc: "Batches stay compressed as the producer sent them."),
            .init(
                name: "flush", kind: .choice(BrokerOptions.Flush.allCases.map(\.rawValue) + [""]), defaultValue: "",
                doc: "When acks=all is answered: commit (fdatasync), interval or os. Empty: as the broker."),
            .init(
                name: "max.message.bytes", kind: .long(0...Int64(Int32.max)), defaultValue: String(Limits().batchBytes),
                doc: "Largest record batch."),
            .init(
                name: "message.timestamp.type", kind: .choice(["CreateTime", "LogAppendTime"]), defaultValue: "CreateTime",
                doc: "Whose clock stamps the records."),
            .init(
                name: "min.insync.replicas", kind: .long(1...1), defaultValue: "1", doc: "Replicas that must have a record: this broker."),
            .init(
                name: "retention.bytes", kind: .long(-1...Int64.max), defaultValue: "-1",
                doc: "Oldest segments go when a partition is larger than this; -1 for no limit."),
            .init(
                name: "retention.ms", kind: .long(-1...Int64.max), defaultValue: "604800000",
                doc: "Segments whose newest record is older than this go; -1 for no limit."),
            .init(
                name: "segment.bytes", kind: .long((1 << 20)...Int64(Int32.max)), defaultValue: String(1 << 30),
                doc: "A segment file is closed when it would get larger than this; space is given back in whole segments."),
            .init(
                name: "segment.ms", kind: .long(1...Int64.max), defaultValue: "604800000",
                doc: "A segment file is closed when a batch comes that is this much younger than its first one."),
        ] + queueList

    public static let topic: [String: ConfigDefinition] = Dictionary(
        uniqueKeysWithValues: topicList.map { ($0.name, $0) })
}
