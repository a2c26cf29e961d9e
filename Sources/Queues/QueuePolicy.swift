import Model

/// What a queue or share group is told to do with its messages. Read from settings by name: a queue's come from its topic, a share
/// group's from its GROUP resource; a queue's own share group takes its topic's settings and overrides them with its group's.
public struct QueuePolicy: Equatable, Sendable {
    /// Where dead messages go.
    public enum DeadLetter: Equatable, Sendable {
        /// Dropped and counted.
        case none
        /// `<name>.dlq`, made when it is first needed.
        case auto
        case topic(String)
    }
    /// What happens to a publish that would go beyond `maxDepth` or `maxBytes`.
    public enum Overflow: String, Sendable, CaseIterable {
        case dropHead = "drop-head"
        case rejectPublish = "reject-publish"
        case rejectPublishDLX = "reject-publish-dlx"
    }
    /// Where a new share group begins to read (`share.auto.offset.reset`).
    public enum Start: String, Sendable, CaseIterable { case earliest, latest }

    /// Deliveries of one message at most; nil without limit.
    public var deliveryLimit: Int? = 5
    /// `deliveryLimit` was set, and is not only the default.
    public var isLimitGiven = false
    public var retry: RetryPolicy?
    public var lockMs: Int64 = 30_000
    /// Messages of one partition that may be acquired at a time (KIP-932: `group.share.partition.max.record.locks`).
    public var maxInFlight = 2_000
    public var deadLetter = DeadLetter.none
    public var start = Start.latest
    public var isSingleActive = false
    /// A message that nobody settled this long after its append (or release from delay) expires.
    public var ttlMs: Int64?
    public var maxDepth: Int64?
    public var maxBytes: Int64?
    public var overflow = Overflow.dropHead
    /// Messages per second taken in and given out.
    public var rateIn: Double?
    public var rateOut: Double?
    public var settledRetentionMs: Int64 = 86_400_000
    public var settledRetentionBytes: Int64 = 1 << 30
    public var purgeUndoMs: Int64 = 600_000

    public init() {}

    /// Takes in settings by name (names that are not a queue's are passed over). Values have been checked by ``problem(with:value:)``.
    public mutating func apply(_ settings: [String: String]) {
        for (name, value) in settings.sorted(by: { $0.key < $1.key }) { apply(name, value) }
        if let jitter = settings["retry.jitter"].flatMap(Double.init) { retry?.jitter = jitter }
        // RocketMQ's sixteen attempts where a retry policy is set and nothing else is said.
        if retry != nil, settings["delivery.limit"] == nil, settings["share.delivery.count.limit"] == nil { deliveryLimit = 16 }
    }

    private mutating func apply(_ name: String, _ value: String) {
        let number = Int64(value)
        let positive = number.flatMap { $0 > 0 ? $0 : nil }
        switch name {
        case "delivery.limit", "share.delivery.count.limit":
            deliveryLimit = positive.map { Int($0) }
            isLimitGiven = true
        case "retry.levels", "retry.backoff":
            if let delays = Self.delays(name, value) {
                retry = RetryPolicy(delays: delays, jitter: retry?.jitter ?? 0)
            } else {
                retry = nil
            }
        case "share.record.lock.duration.ms": lockMs = number ?? lockMs
        case "dead.letter": deadLetter = value.isEmpty ? .none : value == "auto" ? .auto : .topic(value)
        case "errors.deadletterqueue.topic.name": deadLetter = value.isEmpty ? .none : .topic(value)
        case "share.auto.offset.reset": start = Start(rawValue: value) ?? start
        case "single.active.consumer": isSingleActive = value == "true"
        case "ttl.ms": ttlMs = positive
        case "max.depth": maxDepth = positive
        case "max.bytes": maxBytes = positive
        case "overflow": overflow = Overflow(rawValue: value) ?? overflow
        case "rate.in": rateIn = Double(value).flatMap { $0 > 0 ? $0 : nil }
        case "rate.out": rateOut = Double(value).flatMap { $0 > 0 ? $0 : nil }
        case "retention.settled.ms": settledRetentionMs = number ?? settledRetentionMs
        case "retention.settled.bytes": settledRetentionBytes = number ?? settledRetentionBytes
        case "purge.undo.ms": purgeUndoMs = number ?? purgeUndoMs
        default: break
        }
    }

    /// As far as the settings tell, messages die only of their age: a TTL chain that is used as a delay, whose target is no dead-letter
    /// queue. What a consumer rejects, or gets for the last time, tells otherwise (``CursorTotals/hasFailures``).
    public var diesByAgeOnly: Bool {
        guard ttlMs != nil, retry == nil, !(isLimitGiven && deliveryLimit != nil) else { return false }
        return maxDepth == nil && maxBytes == nil || overflow == .rejectPublish
    }

    /// What is wrong with a setting's value, for the settings whose form is a queue's own; nil when it is right.
    public static func problem(with name: String, value: String) -> String? {
        switch name {
        case "retry.levels":
            return value.isEmpty || delays(name, value) != nil ? nil : "must be delays like 10s,30s,1m, each from 1 ms to 365 days"
        case "retry.backoff":
            return value.isEmpty || delays(name, value) != nil ? nil : "must be MIN,FACTOR,MAX like 1s,2,5m with a factor from 1 to 100"
        case "dead.letter", "errors.deadletterqueue.topic.name":
            return value.isEmpty || isTopicName(value) ? nil : "must be a topic's name: 1 to 249 letters, digits, '.', '_' and '-'"
        default: return nil
        }
    }

    /// Kafka's rule.
    private static func isTopicName(_ name: String) -> Bool {
        guard name.utf8.count <= Limits().topicNameBytes, name != ".", name != ".." else { return false }
        return name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
            case UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"): true
            default: false
            }
        }
    }

    private static let delayRange: ClosedRange<Int64> = 1...365 * 86_400_000

    private static func delays(_ name: String, _ value: String) -> RetryPolicy.Delays? {
        let parts = value.split(separator: ",", omittingEmptySubsequences: false).map { $0.drop { $0 == " " } }
        func duration(_ text: Substring) -> Int64? {
            (try? TimeSpan.parse(String(text))).flatMap { delayRange.contains($0) ? $0 : nil }
        }
        if name == "retry.levels" {
            let levels = parts.compactMap(duration)
            return levels.count == parts.count && (1...64).contains(levels.count) ? .levels(levels) : nil
        }
        guard parts.count == 3, let least = duration(parts[0]), let factor = Double(parts[1]), let most = duration(parts[2]),
            (1...100).contains(factor), least <= most
        else { return nil }
        return .backoff(minMs: least, factor: factor, maxMs: most)
    }
}
