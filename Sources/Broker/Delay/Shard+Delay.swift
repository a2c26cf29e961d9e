import Model
import NIOCore
import Queues
import Storage

/// Where publishes meet the delay store.
extension Shard {
    /// Takes a batch for a topic that delays. False when nothing of it is delayed: it goes its usual way.
    func delay(_ item: ProduceItem, in partition: Partition, wants: Acknowledge, ticket: ProduceTicket?) -> Bool {
        guard let delays, let rule = partition.config.delay else { return false }
        let nowMs = clock.now.ms
        // A crash may have left the part that was not delayed in the log, and nothing else of the batch.
        let half = item.header.producerID == .none ? nil : partition.memory.producers.half(of: item.header)
        var decision = delays.decide(item, rule: rule, nowMs: nowMs, isHalf: half != nil)
        switch decision {
        case .passes: return false
        case .refused(let error):
            finish([(ticket, ProduceResult(slot: item.slot, error: error))])
            return true
        case .whole, .split: break
        }
        if let half, case .split(var plan, let records) = decision {
            plan.keepImmediate(Int(half.length) + 1, floorMs: delays.store.floorMs)
            decision = .split(plan, records: records)
            partition.memory.producers.complete(item.header)
            guard plan.delayed > 0 else {
                finish([(ticket, ProduceResult(slot: item.slot, baseOffset: half.baseOffset, logStart: partition.start))])
                return true
            }
        } else if let refusal = refusal(of: item, in: partition) {
            refuse(item, in: partition, refusal, ticket: ticket)
            return true
        }
        delays.publish(item, decision, to: partition, nowMs: nowMs, half: half?.baseOffset, wants: wants, ticket: ticket)
        return true
    }

    /// Teaches a partition that is being read back what only the delay store knows of its producers, up to an offset of its log.
    func learnDelayed(_ partition: Partition, before offset: Offset) {
        guard let delays, let traces = delays.traces[partition.id] else { return }
        let known = traces.prefix { $0.base < offset }
        for trace in known { partition.memory.learn(delayed: trace.header, now: clock.now) }
        delays.traces[partition.id] = known.count == traces.count ? nil : Array(traces.dropFirst(known.count))
    }
}
