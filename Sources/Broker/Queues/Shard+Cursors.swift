import Model
import NIOCore
import Queues
import Storage

/// What operators and jobs ask of a shard's cursors. Callable from any thread; answered on the shard's loop.
extension Shard {
    /// nil when there is no such cursor.
    public func counts(of key: ShareKey, reply: @escaping @Sendable (CursorCounts?) -> Void) {
        run { reply(nil) }
    }

    /// Messages in `state` from offset `from` on, at most `count`.
    public func listMessages(
        _ key: ShareKey, _ state: CursorMessage.State, from: Offset, count: Int, reply: @escaping @Sendable ([CursorMessage]) -> Void
    ) {
        run { reply([]) }
    }

    /// Settles messages that are ready or waiting; those that a consumer or a job holds are left alone. Answers with the number settled,
    /// when that is logged.
    public func settle(
        _ key: ShareKey, _ ranges: [Range<Offset>], as end: Settlement, reply: @escaping @Sendable (Result<Int64, ShareError>) -> Void
    ) {
        run { reply(.failure(.unknownPartition)) }
    }

    /// Settles all that is ready or waiting, and keeps where it was for `purge.undo.ms`.
    public func purge(_ key: ShareKey, reply: @escaping @Sendable (Result<PurgeMark, ShareError>) -> Void) {
        run { reply(.failure(.unknownPartition)) }
    }

    /// Puts back what a purge took away and retention has left. Answers with the number of messages.
    public func undoPurge(_ key: ShareKey, id: Int64, reply: @escaping @Sendable (Result<Int64, ShareError>) -> Void) {
        run { reply(.failure(.unknownPartition)) }
    }

    /// Makes settled messages of `range` ready again, as new. Answers with their number; with `dryRun` nothing changes.
    public func replay(
        _ key: ShareKey, _ range: Range<Offset>, dryRun: Bool, reply: @escaping @Sendable (Result<Int64, ShareError>) -> Void
    ) {
        run { reply(.failure(.unknownPartition)) }
    }

    /// Holds or resumes delivery or, for a queue's own cursor, publishing. Survives a restart.
    public func setGate(
        _ key: ShareKey, _ gate: CursorGate, held: Bool, reply: @escaping @Sendable (Result<Void, ShareError>) -> Void
    ) {
        run { reply(.failure(.unknownPartition)) }
    }

    /// Makes waiting messages due now (`at` nil) or at another time. Answers with the number that were waiting.
    public func reschedule(
        _ key: ShareKey, _ offsets: [Offset], at due: Timestamp?, reply: @escaping @Sendable (Result<Int64, ShareError>) -> Void
    ) {
        run { reply(.failure(.unknownPartition)) }
    }

    /// Moves a cursor (Kafka's AlterShareGroupOffsets): all below `offset` is settled, all from it on is ready, nothing is held by anyone.
    /// Makes the cursor when it is not there.
    public func moveStart(_ key: ShareKey, to offset: Offset, reply: @escaping @Sendable (Result<Void, ShareError>) -> Void) {
        run { reply(.failure(.unknownPartition)) }
    }

    /// Forgets a cursor (Kafka's DeleteShareGroupOffsets).
    public func deleteCursor(_ key: ShareKey, reply: @escaping @Sendable (Result<Void, ShareError>) -> Void) {
        run { reply(.failure(.unknownPartition)) }
    }

    /// All cursors of the shard in numbers. Call on the shard's loop.
    public func cursorCounts() -> [CursorCounts] {
        loop.preconditionInEventLoop()
        return []
    }
}
