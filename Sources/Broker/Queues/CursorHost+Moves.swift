import Model
import Queues
import Storage

/// What jobs and the mover ask of the cursors.
extension CursorHost: MoveSource {
    func claim(_ key: ShareKey, _ ranges: [Range<Offset>]) -> [Range<Offset>] {
        guard let cursor = self[key] else { return [] }
        let now = now
        return ranges.flatMap { cursor.machine.claim($0, now: now) }
    }

    func giveBack(_ key: ShareKey, _ ranges: [Range<Offset>]) {
        guard let cursor = self[key] else { return }
        for range in ranges { cursor.machine.giveBack(range) }
        changed(cursor)
    }

    func settle(_ key: ShareKey, _ ranges: [Range<Offset>], as end: Settlement, done: @escaping (LogError?) -> Void) {
        // A cursor that is gone has nothing to settle.
        guard let cursor = self[key] else { return done(nil) }
        var step = CursorStep()
        _ = cursor.machine.settle(ranges, as: end, onlyMovable: false, &step)
        log(step, of: cursor) { error in done(error.map { .unavailable("\($0)") }) }
    }

    func movable(_ key: ShareKey, in range: Range<Offset>, limit: Int) -> [Range<Offset>] {
        guard let cursor = self[key] else { return [] }
        cursor.promote(now: now)
        return cursor.machine.movable(in: range, limit: limit)
    }

    func open(_ key: ShareKey, in range: Range<Offset>, limit: Int) -> [Range<Offset>] {
        self[key]?.machine.open(in: range, limit: limit) ?? []
    }
}
