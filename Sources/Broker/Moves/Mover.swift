import Model
import NIOCore
import Queues
import Storage

/// Carries messages of a shard's cursors to other partitions, exactly once across a crash.
public final class Mover: @unchecked Sendable {
    unowned let shard: Shard
    /// The cursors; there once they have been recovered.
    weak var source: (any MoveSource)?

    init(shard: Shard) { self.shard = shard }

    /// Takes messages that died over from a cursor, which keeps them out of delivery: they are copied to the group's dead-letter target, or
    /// dropped where there is none, and then settled through ``MoveSource/settle(_:_:as:done:)``. Call on the shard's loop.
    func bury(_ key: ShareKey, _ messages: [DeadMessage]) {
        shard.loop.preconditionInEventLoop()
    }
}
