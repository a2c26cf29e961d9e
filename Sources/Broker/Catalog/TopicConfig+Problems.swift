import Queues

/// What is wrong with settings together, or with settings and a number of partitions. Asked when a topic is made or changed; what is in the
/// catalog already is taken as it is.
extension TopicConfig {
    /// Settings that nothing but a queue's own cursor goes by.
    private static let queueOnly: [String] = ConfigDefinition.queueList.map(\.name).filter { name in
        !["queue", "errors.deadletterqueue.group.enable", "delay.enable", "delay.ms", "delay.level"].contains(name)
    }

    /// Names a setting that does nothing because the topic is no queue; nil when there is none.
    public var queueProblem: String? {
        guard !isQueue else { return nil }
        for name in Self.queueOnly {
            guard let value = overrides[name], value != ConfigDefinition.topic[name]?.defaultValue else { continue }
            return "\(name)=\(value) needs queue=true, as only queues have it: set queue=true as well, or leave \(name) out"
        }
        return nil
    }

    /// What is wrong with this many partitions; nil when nothing is.
    public func problem(partitions: Int32) -> String? {
        let count = overrides["queue.priorities"].flatMap { Int32($0) } ?? 0
        if count > 1, count != partitions {
            return "queue.priorities=\(count) takes \(count) partitions, one for each priority, not \(partitions)"
        }
        if isQueue, let depth = overrides["max.depth"].flatMap({ Int64($0) }), depth > 0, depth < Int64(partitions) {
            return "max.depth=\(depth) is shared out among \(partitions) partitions and leaves nothing for some: say at least \(partitions)"
        }
        return nil
    }
}

extension QueuePolicy {
    /// The policy of one partition: limits of the whole queue are shared out, so that all partitions together keep to them.
    /// ```
    /// max.depth 100 on 3 partitions: 34, 33, 33
    /// ```
    func shared(by partitions: Int32, index: Int32) -> QueuePolicy {
        guard partitions > 1 else { return self }
        func share(_ limit: Int64) -> Int64 {
            max(1, limit / Int64(partitions) + (Int64(index) < limit % Int64(partitions) ? 1 : 0))
        }
        var policy = self
        policy.maxDepth = maxDepth.map(share)
        policy.maxBytes = maxBytes.map(share)
        return policy
    }
}
