import Model
import Queues

/// A cursor with a clock and a list of what it decided.
struct CursorFixture {
    var cursor: QueueCursor
    var facts: [QueueFact] = []
    var dead: [DeadRun] = []
    var now = CursorTime(wall: Timestamp(ms: 1_000_000), monotonic: Monotonic(ns: 1_000_000_000_000))

    init(end: Int64 = 100, limits: Limits = Limits(), _ configure: (inout QueuePolicy) -> Void = { _ in }) {
        var policy = QueuePolicy()
        configure(&policy)
        cursor = QueueCursor(policy: policy, limits: limits)
        cursor.end = Offset(end)
        note(cursor.restart(from: .zero))
    }

    mutating func note(_ step: CursorStep) {
        facts += step.facts
        dead += step.dead
    }

    mutating func pass(ms: Int64) {
        now.wall = now.wall + ms
        now.monotonic = now.monotonic.advanced(byMs: ms)
        note(cursor.tick(now: now, seed: 7))
    }

    /// Acquires from the whole log: `0..<4 x1` is offsets 0 to 3 for the first time.
    mutating func acquire(_ count: Int, by member: String = "c1", in window: Range<Int64> = 0..<Int64.max) -> [String] {
        let deliveries = cursor.acquire(
            for: member, in: Offset(window.lowerBound)..<Offset(window.upperBound), count: count, now: now)
        return deliveries.map { "\($0.range.lowerBound)..<\($0.range.upperBound) x\($0.attempts)" }
    }

    /// Answers like a consumer; false when it does not hold all of the range.
    @discardableResult
    mutating func answer(_ verdict: Verdict, _ range: Range<Int64>, by member: String = "c1") -> Bool {
        let offsets = Offset(range.lowerBound)..<Offset(range.upperBound)
        guard cursor.holds(member, offsets) else { return false }
        var step = CursorStep()
        cursor.answer(verdict, offsets, now: now, seed: 7, &step)
        note(step)
        return true
    }

    /// All runs of a state: `0..<4 x1`, waiting ones with their due time from the start: `0..<4 x1 @10000`.
    func runs(_ state: CursorState) -> [String] {
        cursor.list(state, in: Offset.zero..<Offset(.max), limit: .max).map { run in
            "\(run.range.lowerBound)..<\(run.range.upperBound) x\(run.attempts)" + (run.due.map { " @\($0.ms - 1_000_000)" } ?? "")
        }
    }

    /// A cursor made of the facts, as after a crash.
    func recovered() -> CursorFixture {
        var copy = self
        copy.cursor = QueueCursor(policy: cursor.policy, limits: Limits())
        for fact in facts { copy.cursor.apply(fact) }
        copy.cursor.end = cursor.end
        return copy
    }
}
