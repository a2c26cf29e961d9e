import Model
import Queues

/// Settings of topics and groups that make them queues.
extension ConfigDefinition {
    private static let milliseconds: ClosedRange<Int64> = 0...Int64.max / 2
    private static let unlimited: ClosedRange<Int64> = 0...Int64.max

    /// Settings that a queue (by its topic) and a share group (by its GROUP resource) have in common.
    private static let shared: [ConfigDefinition] = [
        .init(
            name: "retry.levels", kind: .text, defaultValue: "",
            doc: "Delays before the attempts after a failed one, such as 10s,30s,1m; the last one stays. Empty: at once."),
        .init(
            name: "retry.backoff", kind: .text, defaultValue: "",
            doc: "MIN,FACTOR,MAX: growing delays before the attempts after a failed one, such as 1s,2,5m."),
        .init(
            name: "retry.jitter", kind: .double(0...1), defaultValue: "0", doc: "Share of a retry's delay by which it may vary."),
        .init(
            name: "delivery.limit", kind: .long(0...10_000), defaultValue: "5",
            doc: "Deliveries of one message before it is dead (16 if not set and there are retries); 0: no limit."),
        .init(
            name: "dead.letter", kind: .text, defaultValue: "",
            doc: "Where dead messages go: a topic, or auto for NAME.dlq. Empty: dropped and counted."),
        .init(
            name: "rate.out", kind: .double(0...1e12), defaultValue: "0", doc: "Messages given out per second and partition; 0: no limit."),
        .init(
            name: "single.active.consumer", kind: .bool, defaultValue: "false",
            doc: "One consumer at a time gets a partition's messages; the next takes over when it is gone."),
        .init(
            name: "share.record.lock.duration.ms", kind: .long(1_000...3_600_000), defaultValue: "30000",
            doc: "How long a delivered message is its consumer's before it counts as lost."),
    ]

    static let queueList: [ConfigDefinition] =
        shared + [
            .init(
                name: "queue", kind: .bool, defaultValue: "false",
                doc: "The topic is a queue: each message goes to one consumer of the share group with the topic's name."),
            .init(
                name: "queue.priorities", kind: .long(0...10), defaultValue: "0",
                doc: "The queue's partitions are its priorities, 0 the lowest: this many, 2 to 10, delivered strictly in order; 0: none.",
                refused: ["1": "one priority is none; say 0, or 2 to 10"]),
            .init(
                name: "errors.deadletterqueue.group.enable", kind: .bool, defaultValue: "false",
                doc: "The topic is a dead-letter queue (KIP-1191)."),
            .init(
                name: "delay.enable", kind: .bool, defaultValue: "false",
                doc: "Records with a header x-delay or x-deliver-at are held back until they are due."),
            .init(name: "delay.ms", kind: .long(milliseconds), defaultValue: "0", doc: "Every message waits this long; 0: none."),
            .init(
                name: "delay.level", kind: .long(0...Int64(Limits().delayLevels)), defaultValue: "0",
                doc:
                    "Every message waits as long as this level of the broker's table (delay.levels) said when it was set; 0: none."
            ),
            .init(
                name: "ttl.ms", kind: .long(milliseconds), defaultValue: "0",
                doc: "A message that nobody took this long after its append expires; 0: never."),
            .init(
                name: "max.depth", kind: .long(unlimited), defaultValue: "0",
                doc: "Messages ready at most, shared out evenly among the partitions; 0: no limit."),
            .init(
                name: "max.bytes", kind: .long(unlimited), defaultValue: "0",
                doc: "Bytes of messages not settled, at most, shared out evenly among the partitions; 0: no limit."),
            .init(
                name: "overflow", kind: .choice(QueuePolicy.Overflow.allCases.map(\.rawValue)),
                defaultValue: QueuePolicy.Overflow.dropHead.rawValue,
                doc:
                    "Beyond max.depth or max.bytes: drop the oldest, refuse the publish, or refuse and dead-letter it."
            ),
            .init(
                name: "rate.in", kind: .double(0...1e12), defaultValue: "0",
                doc: "Messages taken in per second and partition; publishers are slowed down above. 0: no limit."),
            .init(
                name: "retention.settled.ms", kind: .long(milliseconds), defaultValue: "86400000",
                doc: "How long settled messages of a queue are kept for replay and undo."),
            .init(
                name: "retention.settled.bytes", kind: .long(unlimited), defaultValue: String(1 << 30),
                doc: "Bytes of settled messages a queue keeps at most."),
            .init(
                name: "purge.undo.ms", kind: .long(milliseconds), defaultValue: "600000", doc: "How long a purge can be undone."),
        ]

    /// Settings of a share group (Kafka's GROUP config resource; KIP-932, KIP-1191), and Weir's own.
    public static let groupList: [ConfigDefinition] =
        shared + [
            .init(
                name: "share.auto.offset.reset", kind: .choice(QueuePolicy.Start.allCases.map(\.rawValue)),
                defaultValue: QueuePolicy.Start.latest.rawValue, doc: "Where a new share group begins to read."),
            .init(
                name: "share.delivery.count.limit", kind: .long(1...10_000), defaultValue: "5",
                doc: "Deliveries of one message before it is dead."),
            .init(
                name: "share.session.timeout.ms", kind: .long(1_000...3_600_000), defaultValue: "45000",
                doc: "Silence after which a member is gone."),
            .init(
                name: "share.heartbeat.interval.ms", kind: .long(100...600_000), defaultValue: "5000",
                doc: "How often members are asked to send a heartbeat."),
            .init(
                name: "share.isolation.level", kind: .choice(["read_uncommitted", "read_committed"]), defaultValue: "read_uncommitted",
                doc: "Whether messages of aborted transactions are left out."),
            .init(
                name: "errors.deadletterqueue.topic.name", kind: .text, defaultValue: "",
                doc: "Where dead messages go (KIP-1191); set through Kafka its name begins with dlq."),
        ]

    public static let group: [String: ConfigDefinition] = Dictionary(uniqueKeysWithValues: groupList.map { ($0.name, $0) })
}

extension TopicConfig {
    /// The topic is a queue: its own share group has a cursor from the start, and its log is kept by what is settled.
    public var isQueue: Bool { overrides["queue"] == "true" }

    /// Records may carry a delay of their own.
    public var isDelayEnabled: Bool { overrides["delay.enable"] == "true" }

    /// nil: every message waits by no level.
    public var delayLevel: Int? { overrides["delay.level"].flatMap(Int.init).flatMap { $0 > 0 ? $0 : nil } }

    /// How long every message waits before it is appended; 0: not at all. `delay.level` wins over `delay.ms`.
    public var delayMs: Int64 { delayLevelMs ?? overrides["delay.ms"].flatMap(Int64.init) ?? 0 }
}
