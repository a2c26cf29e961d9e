import Broker
import KafkaWire
import Model
import Wire

/// What ShareFetch and ShareAcknowledge have in common: the session they belong to and the answers they carry.
struct ShareRequest {
    var key: ShareSessionKey
    var epoch: Int32
    /// Partitions that have answers to records, each once.
    var acknowledged: [Acknowledged] = []

    /// One partition's answers, and what became of them.
    struct Acknowledged {
        var topic: WireUUID
        var index: Int32
        var batches: [AcknowledgeItem.Batch]
        var result: (code: ErrorCode, message: String?) = (.none, nil)
    }

    /// One range of answers, as both requests have it.
    struct Range {
        var first: Int64
        var last: Int64
        var types: [Int8]
    }

    static let opens: Int32 = 0
    static let closes: Int32 = -1

    /// nil when the group or the member is not named.
    init?(group: String?, member: String?, epoch: Int32) {
        guard let group, let member, !group.isEmpty, !member.isEmpty, epoch >= Self.closes else { return nil }
        key = ShareSessionKey(group: group, member: member)
        self.epoch = epoch
    }

    /// Notes a partition's answers. A type that does not exist refuses all of the partition's.
    mutating func acknowledge(_ topic: WireUUID, _ index: Int32, _ ranges: [Range], renewals: Bool) {
        var entry = Acknowledged(topic: topic, index: index, batches: [])
        entry.batches.reserveCapacity(ranges.count)
        for range in ranges {
            guard range.first >= 0, range.first <= range.last, range.last < Int64.max / 2 else {
                entry.result = (.invalidRequest, "offsets \(range.first) to \(range.last) are no range")
                break
            }
            var kinds: [AcknowledgeItem.Kind] = []
            kinds.reserveCapacity(range.types.count)
            for type in range.types {
                guard let kind = AcknowledgeItem.Kind(rawValue: type), kind != .renew || renewals else {
                    entry.result = (.invalidRequest, "acknowledge type \(type) is not known here")
                    break
                }
                kinds.append(kind)
            }
            entry.batches.append(.init(first: Offset(range.first), last: Offset(range.last), kinds: kinds))
        }
        acknowledged.append(entry)
    }

    /// Hands the answers to the shards; `done` runs on the connection's loop when their results are in place.
    func settle(_ context: RequestContext, _ done: @escaping @Sendable ([Acknowledged]) -> Void) {
        let broker = context.door.broker
        let topics = broker.catalog.current
        var items: [[AcknowledgeItem]] = Array(repeating: [], count: broker.shards.count)
        let collected = Collected(acknowledged)
        for (slot, entry) in acknowledged.enumerated() where entry.result.code == .none {
            guard let topic = topics[TopicID(entry.topic)] else {
                collected.entries[slot].result = (.unknownTopicId, nil)
                continue
            }
            guard let id = topic.partition(entry.index) else {
                collected.entries[slot].result = (.unknownTopicOrPartition, nil)
                continue
            }
            items[broker.shard(of: id).id.value].append(
                AcknowledgeItem(slot: slot, key: ShareKey(group: key.group, partition: id), batches: entry.batches))
        }
        collected.open = items.reduce(0) { $0 + ($1.isEmpty ? 0 : 1) }
        if collected.open == 0 { return done(collected.entries) }
        for (shard, items) in zip(broker.shards, items) where !items.isEmpty {
            shard.acknowledge(items, member: key.member, replyLoop: context.loop) { results in
                for (slot, error) in results {
                    guard let error else { continue }
                    collected.entries[slot].result = (error.code, error.message)
                    context.door.broker.noteError()
                }
                collected.open -= 1
                if collected.open == 0 { done(collected.entries) }
            }
        }
    }

    /// Results as they come in. Owned by the connection's loop, which is what `@unchecked Sendable` rests on.
    private final class Collected: @unchecked Sendable {
        var entries: [Acknowledged]
        /// Shards that have not answered.
        var open = 0

        init(_ entries: [Acknowledged]) { self.entries = entries }
    }
}
