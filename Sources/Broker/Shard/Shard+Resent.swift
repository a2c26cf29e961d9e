import Model
import NIOCore

/// Batches that idempotent producers send again while their first copies are still on the way to the disk: what became of the first copy is
/// the answer to the second.
///
/// ```
/// X, acks=all → frame 7; the client times out and sends X again   → put aside
/// frame 7 is durable                                              → both are answered, with X's offset
/// frame 7 fails                                                   → the first copy is refused, the second is admitted as new
/// ```
/// As many as the clients' connections may have under way.
struct ResentBatch {
    var item: ProduceItem
    var wants: Acknowledge
    var ticket: ProduceTicket?
    /// It waits for all entries that had been added by then: ``GroupCommit/added``.
    var after: UInt64
}

extension Shard {
    /// Puts a batch aside when the log may not have its first copy yet. False when there is nothing to wait for.
    func waitsForFirst(_ item: ProduceItem, in partition: Partition, wants: Acknowledge, ticket: ProduceTicket?) -> Bool {
        guard item.header.producerID != .none, !commit.isIdle, partition.memory.producers.known(item.header) != nil else { return false }
        resent.append(ResentBatch(item: item, wants: wants, ticket: ticket, after: commit.added))
        return true
    }

    /// Takes up those whose first copies' fate is known. Call when a frame has ended.
    func takeUpResent() {
        while let first = resent.first, commit.isIdle || first.after <= commit.ended {
            resent.removeFirst()
            append(first.item, wants: first.wants, ticket: first.ticket, isResent: true)
        }
    }
}
