import Model
import NIOCore
import Queues
import Storage

/// What consumers of share groups and queues ask of a shard. Callable from any thread.
extension Shard {
    /// Acquires up to `maxRecords` messages in all for `member` and reads them, partition after partition in `maxBytes`; the first that has
    /// any gives at least one batch. When together they give less than `minBytes`, `waiter` is woken when one of the cursors has
    /// something to deliver. A cursor that is not there yet begins where `share.auto.offset.reset` says. Answers on `replyLoop`.
    /// - Parameters:
    ///   - byBatch: batches are given whole, beyond `maxRecords` if need be: a client gets each batch once and not once for every part.
    ///   - wantsRegion: bytes are given anyway: their batches are looked at to find what can be acquired.
    public func acquire(
        _ items: [AcquireItem], member: String, maxRecords: Int, minBytes: Int, maxBytes: Int, byBatch: Bool = false, wantsRegion: Bool,
        waiter: FetchWaiter?, replyLoop: any EventLoop, reply: @escaping @Sendable ([AcquiredPart]) -> Void
    ) {
        run {
            let answer: @Sendable ([AcquiredPart]) -> Void = { parts in
                if replyLoop.inEventLoop { reply(parts) } else { replyLoop.execute { reply(parts) } }
            }
            guard let host = self.cursors else { return answer(items.map { AcquiredPart(slot: $0.slot, error: .unknownPartition) }) }
            AcquireRun(
                host: host, items: items, member: member, records: maxRecords, budget: maxBytes, minBytes: minBytes, byBatch: byBatch,
                waiter: waiter, reply: answer
            ).go()
        }
    }

    /// Takes a consumer's answers. Each item is taken whole or not at all; answered on `replyLoop` when its facts are logged.
    public func acknowledge(
        _ items: [AcknowledgeItem], member: String, replyLoop: any EventLoop,
        reply: @escaping @Sendable ([(slot: Int, error: ShareError?)]) -> Void
    ) {
        run {
            var results: [(slot: Int, error: ShareError?)] = []
            var steps: [(cursor: HostedCursor, step: CursorStep)] = []
            results.reserveCapacity(items.count)
            for item in items {
                guard let host = self.cursors, let cursor = host[item.key] else {
                    results.append((item.slot, .unknownPartition))
                    continue
                }
                var step = CursorStep()
                let error = cursor.take(item, from: member, now: host.now, seed: host.random(), &step)
                results.append((item.slot, error))
                guard error == nil else { continue }
                steps.append((cursor, step))
                let (accepted, isAny) = item.answers
                if isAny { cursor.answers.note(member, accepted: accepted, now: host.now.monotonic) }
            }
            let taken = results
            let answer: (ShareError?) -> Void = { failure in
                let answered = failure.map { failure in taken.map { ($0.slot, $0.error ?? failure) } } ?? taken
                if replyLoop.inEventLoop { reply(answered) } else { replyLoop.execute { reply(answered) } }
            }
            guard let host = self.cursors, !steps.isEmpty else { return answer(nil) }
            host.log(steps, done: answer)
        }
    }

    /// Gives back what `member` holds. A member that was lost has used up an attempt of each message; one that closed its session has not.
    public func releaseShare(member: String, keys: [ShareKey], wasLost: Bool) {
        run {
            guard let host = self.cursors else { return }
            var steps: [(cursor: HostedCursor, step: CursorStep)] = []
            for key in keys {
                guard let cursor = host[key] else { continue }
                cursor.answers.forget(member)
                steps.append((cursor, cursor.machine.release(member, wasLost: wasLost, now: host.now, seed: host.random())))
            }
            if !steps.isEmpty { host.log(steps) { _ in } }
        }
    }

    /// Takes a waiter back from cursors that have not woken it.
    public func stopWaiting(_ waiter: UInt64, on keys: [ShareKey]) {
        run { for key in keys { self.cursors?[key]?.stopWaiting(waiter) } }
    }
}

extension HostedCursor {
    /// Takes one item whole, or says why not and changes nothing.
    func take(
        _ item: AcknowledgeItem, from member: String, now: CursorTime, seed: UInt64, _ step: inout CursorStep
    ) -> ShareError? {
        var after = Offset(-1)
        for batch in item.batches {
            let count = batch.last - batch.first + 1
            guard batch.first > after, count > 0, batch.kinds.count == 1 || Int64(batch.kinds.count) == count else {
                return .invalidRequest
            }
            after = batch.last
        }
        for batch in item.batches where !machine.holds(member, batch.first..<(batch.last + 1)) { return .invalidRecordState }
        for batch in item.batches {
            let count = Int64(batch.kinds.count { $0 != .renew && $0 != .gap })
            if count > 0, let since = machine.heldSince(batch.first) {
                let all = batch.kinds.count == 1 ? batch.last - batch.first + 1 : count
                answers.answered(member, after: now.monotonic.ms(since: since), count: all, now: now.monotonic)
            }
            if batch.kinds.count == 1 {
                machine.answer(batch.kinds[0].verdict, batch.first..<(batch.last + 1), now: now, seed: seed, &step)
                continue
            }
            // Neighbours with the same verdict go together.
            var first = 0
            for index in batch.kinds.indices where index + 1 == batch.kinds.count || batch.kinds[index + 1] != batch.kinds[first] {
                let range = (batch.first + Int64(first))..<(batch.first + Int64(index + 1))
                machine.answer(batch.kinds[first].verdict, range, now: now, seed: seed, &step)
                first = index + 1
            }
        }
        return nil
    }
}

extension AcknowledgeItem.Kind {
    fileprivate var verdict: Verdict {
        switch self {
        case .gap: .gap
        case .accept: .accept
        case .release: .release
        case .reject: .reject
        case .renew: .renew
        }
    }
}
