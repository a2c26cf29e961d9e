import Broker
import Model

/// What a share fetch asks of one shard at a time: steps are taken one after the other, as long as there is room.
///
/// ```
/// shard 0: clicks-0 jobs-2 jobs-0    shard 1: clicks-1 jobs-1      jobs has priorities
/// wanted clicks-0 clicks-1 jobs-2 jobs-1 jobs-0  →  0: clicks-0 │ 1: clicks-1 │ 0: jobs-2 │ 1: jobs-1 │ 0: jobs-0
/// ```
/// Partitions without priorities go together, one step a shard; priorities keep their order also from shard to shard.
struct ShareFetchStep {
    let shard: Shard
    private(set) var items: [AcquireItem]
    private let isPrioritised: Bool

    static func plan(_ wanted: [ShareFetch.Wanted], group: String, readBytes: Int, _ broker: Broker) -> [ShareFetchStep] {
        var steps: [ShareFetchStep] = []
        var plain: [Int?] = Array(repeating: nil, count: broker.shards.count)
        for (slot, wanted) in wanted.enumerated() {
            guard let id = wanted.id else { continue }
            let shard = broker.shard(of: id)
            let item = AcquireItem(slot: slot, key: ShareKey(group: group, partition: id), maxBytes: readBytes)
            if wanted.isPrioritised, let last = steps.last, last.isPrioritised, last.shard === shard {
                steps[steps.count - 1].items.append(item)
            } else if !wanted.isPrioritised, let step = plain[shard.id.value] {
                steps[step].items.append(item)
            } else {
                if !wanted.isPrioritised { plain[shard.id.value] = steps.count }
                steps.append(ShareFetchStep(shard: shard, items: [item], isPrioritised: wanted.isPrioritised))
            }
        }
        return steps
    }
}
