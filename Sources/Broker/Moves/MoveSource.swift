import Model
import Queues
import Storage

/// What a ``Mover`` needs of the cursors of its shard. Called on the shard's loop; ranges are half open, in order, and do not overlap.
///
/// ```
/// claim(0..<4)    ready 0 1, acquired 2, ready 3  → 0..<2, 3..<4: these are out of delivery until settled or given back
/// settle(0..<2)   the fact is logged, then `done`
/// giveBack(3..<4) ready again, attempts unchanged
/// ```
/// A claim is not logged: after a restart the message is where it was before, and an open move decides whether it is settled.
protocol MoveSource: AnyObject {
    /// Takes messages that are ready or wait for a retry out of delivery; what is acquired, settled or claimed already is left alone.
    /// - Returns: those that were taken.
    func claim(_ key: ShareKey, _ ranges: [Range<Offset>]) -> [Range<Offset>]

    /// Puts claimed messages back as they were.
    func giveBack(_ key: ShareKey, _ ranges: [Range<Offset>])

    /// Settles messages whatever their state; what is settled already stays so. `done` runs on the loop once the facts are logged.
    func settle(_ key: ShareKey, _ ranges: [Range<Offset>], as end: Settlement, done: @escaping (LogError?) -> Void)

    /// Ranges within `range` of messages that are ready or wait for a retry, the first `limit` ranges by offset.
    func movable(_ key: ShareKey, in range: Range<Offset>, limit: Int) -> [Range<Offset>]

    /// Ranges within `range` of messages that are not settled, whatever else they are, the first `limit` ranges by offset.
    func open(_ key: ShareKey, in range: Range<Offset>, limit: Int) -> [Range<Offset>]
}
