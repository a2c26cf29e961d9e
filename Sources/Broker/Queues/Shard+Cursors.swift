import Model
import NIOCore
import Queues
import Storage

/// What operators and jobs ask of a shard's cursors. Callable from any thread; answered on the shard's loop.
extension Shard {
    /// nil when there is no such cursor.
    public func counts(of key: ShareKey, reply: @escaping @Sendable (CursorCounts?) -> Void) {
        run { reply(self.cursors?[key]?.counts) }
    }

    /// Messages in `state` from offset `from` on, at most `count`.
    public func listMessages(
        _ key: ShareKey, _ state: CursorMessage.State, from: Offset, count: Int, reply: @escaping @Sendable ([CursorMessage]) -> Void
    ) {
        run {
            guard let host = self.cursors, let cursor = host[key], count > 0 else { return reply([]) }
            cursor.promote(now: host.now)
            var messages: [CursorMessage] = []
            // What retention freed is settled and can't be shown.
            for piece in cursor.partition.holes.missing(in: max(.zero, from)..<max(from, cursor.machine.end)) {
                for run in cursor.machine.list(state, in: piece, limit: count - messages.count) {
                    var offset = run.range.lowerBound
                    while offset < run.range.upperBound, messages.count < count {
                        messages.append(CursorMessage(offset: offset, state: run.state, attempts: run.attempts, due: run.due))
                        offset = offset + 1
                    }
                }
            }
            reply(messages)
        }
    }

    /// One message's place; nil when there is no such cursor.
    public func message(_ key: ShareKey, at offset: Offset, reply: @escaping @Sendable (CursorMessage?) -> Void) {
        run {
            guard let host = self.cursors, let cursor = host[key] else { return reply(nil) }
            cursor.promote(now: host.now)
            let run = cursor.machine.state(of: offset)
            reply(CursorMessage(offset: offset, state: run.state, attempts: run.attempts, due: run.due))
        }
    }

    /// Settles messages that are ready or waiting; those that a consumer or a job holds are left alone. Answers with the number settled,
    /// when that is logged.
    public func settle(
        _ key: ShareKey, _ ranges: [Range<Offset>], as end: Settlement, reply: @escaping @Sendable (Result<Int64, ShareError>) -> Void
    ) {
        decide(key, reply) { machine, now in
            var step = CursorStep()
            machine.promote(now: now)
            return (machine.settle(ranges, as: end, onlyMovable: true, &step), step)
        }
    }

    /// Settles all that is ready or waiting, and keeps where it was for `purge.undo.ms`. nil when there was nothing.
    public func purge(_ key: ShareKey, reply: @escaping @Sendable (Result<PurgeMark?, ShareError>) -> Void) {
        decide(key, reply) { machine, now in machine.purge(now: now).map { ($0.mark, $0.step) } ?? (nil, CursorStep()) }
    }

    /// Puts back what a purge took away and retention has left. Answers with the number of messages; nil when it can't be undone any more.
    public func undoPurge(_ key: ShareKey, id: Int64, reply: @escaping @Sendable (Result<Int64?, ShareError>) -> Void) {
        decide(key, reply) { machine, now in machine.undoPurge(id, now: now).map { ($0.count, $0.step) } ?? (nil, CursorStep()) }
    }

    /// Makes settled messages of `range` ready again, as new. Answers with their number; with `dryRun` nothing changes.
    public func replay(
        _ key: ShareKey, _ range: Range<Offset>, dryRun: Bool, reply: @escaping @Sendable (Result<Int64, ShareError>) -> Void
    ) {
        run {
            // What retention freed can't be read again.
            let pieces = self.partitions[key.partition].map { $0.holes.missing(in: range) } ?? [range]
            self.decide(key, reply) { machine, _ in
                if dryRun { return (pieces.reduce(0) { $0 + machine.replayable($1) }, CursorStep()) }
                var count: Int64 = 0
                var step = CursorStep()
                for piece in pieces {
                    let replayed = machine.replay(piece)
                    count += replayed.count
                    step.facts += replayed.step.facts
                }
                return (count, step)
            }
        }
    }

    /// Holds or resumes delivery or, for a queue's own cursor, publishing. Survives a restart.
    public func setGate(
        _ key: ShareKey, _ gate: CursorGate, held: Bool, reply: @escaping @Sendable (Result<Void, ShareError>) -> Void
    ) {
        decide(key, reply) { machine, _ in ((), machine.setGate(gate, held: held)) }
    }

    /// Makes waiting messages due now (`at` nil) or at another time. Answers with the number that were waiting.
    public func reschedule(
        _ key: ShareKey, _ offsets: [Offset], at due: Timestamp?, reply: @escaping @Sendable (Result<Int64, ShareError>) -> Void
    ) {
        decide(key, reply) { machine, now in
            let (count, step) = machine.reschedule(offsets, at: due, now: now)
            return (count, step)
        }
    }

    /// Throws away waiting messages; those that are ready by now, or in a consumer's hands, are left alone. Answers with their number.
    public func cancelWaiting(
        _ key: ShareKey, _ ranges: [Range<Offset>], reply: @escaping @Sendable (Result<Int64, ShareError>) -> Void
    ) {
        decide(key, reply) { machine, now in
            let (count, step) = machine.cancelWaiting(ranges, now: now)
            return (count, step)
        }
    }

    /// Moves a cursor (Kafka's AlterShareGroupOffsets): all below `offset` is settled, all from it on is ready, nothing is held by anyone.
    /// Makes the cursor when it is not there.
    public func moveStart(_ key: ShareKey, to offset: Offset, reply: @escaping @Sendable (Result<Void, ShareError>) -> Void) {
        run {
            _ = self.cursors?.open(key)
            self.decide(key, reply) { machine, _ in ((), machine.restart(from: min(offset, machine.end))) }
        }
    }

    /// Forgets a cursor (Kafka's DeleteShareGroupOffsets).
    public func deleteCursor(_ key: ShareKey, reply: @escaping @Sendable (Result<Void, ShareError>) -> Void) {
        run {
            guard let host = self.cursors, let cursor = host[key] else { return reply(.failure(.unknownPartition)) }
            host.remove(cursor)
            var step = CursorStep()
            step.facts = [.deleted]
            host.log(step, of: cursor) { error in reply(error.map { .failure($0) } ?? .success(())) }
        }
    }

    /// All cursors of the shard in numbers. Call on the shard's loop.
    public func cursorCounts() -> [CursorCounts] {
        loop.preconditionInEventLoop()
        return cursors?.cursors.values.map(\.counts) ?? []
    }

    /// Lets a cursor's machine decide, and answers when its facts are logged.
    private func decide<Answer: Sendable>(
        _ key: ShareKey, _ reply: @escaping @Sendable (Result<Answer, ShareError>) -> Void,
        _ body: @escaping @Sendable (inout QueueCursor, CursorTime) -> (Answer, CursorStep)
    ) {
        run {
            guard let host = self.cursors, let cursor = host[key] else { return reply(.failure(.unknownPartition)) }
            let (answer, step) = body(&cursor.machine, host.now)
            if step.facts.contains(where: \.reopens) { cursor.aging.reopened() }
            host.log(step, of: cursor) { error in reply(error.map { .failure($0) } ?? .success(answer)) }
        }
    }
}
