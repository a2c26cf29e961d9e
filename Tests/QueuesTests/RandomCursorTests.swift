import Model
import Queues
import Testing

/// Seeded random steps against a naive oracle that keeps one entry per message; and the facts against the live state.
@Suite struct RandomCursorTests {
    /// What one message is, as simply as it can be said.
    enum Place: Equatable {
        case ready(Int)
        case acquired(String, Int, until: Int64)
        case waiting(Int, due: Int64)
        case dying(Int)
        case claimed(Int, due: Int64?)
        case settled
    }

    struct Dice {
        var state: UInt64
        mutating func roll(_ sides: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((state >> 33) % UInt64(sides))
        }
        mutating func range(_ end: Int) -> Range<Int64> {
            let first = roll(max(1, end))
            return Int64(first)..<Int64(min(end, first + 1 + roll(12)))
        }
    }

    /// The same promises, kept one message at a time.
    struct Oracle {
        var places: [Place] = []
        var saved: [Int64: [Int: Place]] = [:]
        let limit: Int
        let retryMs: Int64?
        let lockMs: Int64
        let hasTarget: Bool

        func readyNow(_ place: Place, _ now: Int64) -> Int? {
            switch place {
            case .ready(let attempts): attempts
            case .waiting(let attempts, let due) where due <= now: attempts
            default: nil
            }
        }

        func fail(_ attempts: Int, _ now: Int64) -> Place {
            if attempts >= limit { return hasTarget ? .dying(attempts) : .settled }
            return retryMs.map { .waiting(attempts, due: now + $0 * Int64(min(attempts, 2))) } ?? .ready(attempts)
        }

        mutating func tick(_ now: Int64) {
            for index in places.indices {
                if let attempts = readyNow(places[index], now) { places[index] = .ready(attempts) }
                if case .acquired(_, let attempts, let until) = places[index], until <= now { places[index] = fail(attempts, now) }
            }
        }
    }

    @Test(arguments: 1...60)
    func stepsAgreeWithTheOracle(_ seed: Int) {
        var dice = Dice(state: UInt64(seed) &* 0x9E37_79B9_7F4A_7C15)
        for _ in 0..<8 { _ = dice.roll(2) }
        let hasRetry = dice.roll(2) == 0
        let hasTarget = dice.roll(2) == 0
        var run = CursorRun(
            oracle: Oracle(limit: 3, retryMs: hasRetry ? 1_000 : nil, lockMs: 5_000, hasTarget: hasTarget),
            fixture: CursorFixture(end: 0) { policy in
                policy.deliveryLimit = 3
                policy.lockMs = 5_000
                policy.maxInFlight = 1 << 20
                if hasRetry { policy.retry = RetryPolicy(delays: .levels([1_000, 2_000])) }
                if hasTarget { policy.deadLetter = .auto }
            })
        for step in 0..<400 {
            run.step(&dice)
            if let problem = run.disagreement(withFacts: step % 8 == 0) {
                Issue.record("seed \(seed), step \(step): \(problem)")
                return
            }
        }
    }

    struct CursorRun {
        var oracle: Oracle
        var fixture: CursorFixture
        /// A snapshot, and how many facts there were when it was taken.
        var snapshot: (facts: [QueueFact], from: Int)?
        var last = ""

        var now: Int64 { fixture.now.wall.ms }

        mutating func step(_ dice: inout Dice) {
            let member = "c\(dice.roll(3))"
            let range = dice.range(oracle.places.count)
            let choice = dice.roll(14)
            last = "\(choice) \(member) \(range)"
            switch choice {
            case 0, 1: append(dice.roll(8))
            case 2, 3, 4: acquire(member, range, 1 + dice.roll(10))
            case 5, 6: answer([.accept, .release, .reject, .gap, .renew][dice.roll(5)], range, member)
            case 7: pass(Int64(dice.roll(2_500)))
            case 8: release(member, wasLost: dice.roll(2) == 0)
            case 9: purgeOrUndo(&dice)
            case 10: replay(range)
            case 11: claimOrBack(range, &dice)
            case 12: settle(range, onlyMovable: dice.roll(2) == 0)
            default: snapshot = (fixture.cursor.snapshot(), fixture.facts.count)
            }
        }

        mutating func append(_ count: Int) {
            oracle.places += [Place](repeating: .ready(0), count: count)
            fixture.cursor.end = Offset(Int64(oracle.places.count))
        }

        mutating func acquire(_ member: String, _ range: Range<Int64>, _ count: Int) {
            _ = fixture.acquire(count, by: member, in: range)
            var left = count
            for index in oracle.places.indices where range.contains(Int64(index)) && left > 0 {
                guard let attempts = oracle.readyNow(oracle.places[index], now) else { continue }
                oracle.places[index] = .acquired(member, attempts + 1, until: now + oracle.lockMs)
                left -= 1
            }
        }

        mutating func answer(_ verdict: Verdict, _ range: Range<Int64>, _ member: String) {
            let held = range.allSatisfy { if case .acquired(member, _, _) = oracle.places[Int($0)] { true } else { false } }
            let taken = fixture.answer(verdict, range, by: member)
            if taken != held { last += ": held \(held), taken \(taken)" }
            guard held else { return }
            for index in range.map({ Int($0) }) {
                guard case .acquired(_, let attempts, _) = oracle.places[index] else { continue }
                switch verdict {
                case .accept, .gap: oracle.places[index] = .settled
                case .release: oracle.places[index] = oracle.fail(attempts, now)
                case .reject: oracle.places[index] = oracle.hasTarget ? .dying(attempts) : .settled
                case .renew: oracle.places[index] = .acquired(member, attempts, until: now + oracle.lockMs)
                }
            }
        }

        mutating func pass(_ ms: Int64) {
            fixture.pass(ms: ms)
            oracle.tick(now)
            for (id, _) in oracle.saved where !fixture.cursor.marks.contains(where: { $0.id == id }) { oracle.saved[id] = nil }
        }

        mutating func release(_ member: String, wasLost: Bool) {
            fixture.note(fixture.cursor.release(member, wasLost: wasLost, now: fixture.now, seed: 7))
            for index in oracle.places.indices {
                guard case .acquired(member, let attempts, _) = oracle.places[index] else { continue }
                oracle.places[index] = wasLost ? oracle.fail(attempts, now) : .ready(attempts - 1)
            }
        }

        mutating func purgeOrUndo(_ dice: inout Dice) {
            if let mark = fixture.cursor.marks.last, dice.roll(2) == 0 {
                if let (_, step) = fixture.cursor.undoPurge(mark.id, now: fixture.now) { fixture.note(step) }
                for (index, place) in oracle.saved.removeValue(forKey: mark.id) ?? [:] where oracle.places[index] == .settled {
                    oracle.places[index] = place
                }
                return
            }
            guard let (mark, step) = fixture.cursor.purge(now: fixture.now) else { return }
            fixture.note(step)
            var taken: [Int: Place] = [:]
            for index in oracle.places.indices {
                if let attempts = oracle.readyNow(oracle.places[index], now) {
                    taken[index] = .ready(attempts)
                } else if case .waiting = oracle.places[index] {
                    taken[index] = oracle.places[index]
                } else {
                    continue
                }
                oracle.places[index] = .settled
            }
            oracle.saved[mark.id] = taken
            for id in oracle.saved.keys where !fixture.cursor.marks.contains(where: { $0.id == id }) { oracle.saved[id] = nil }
        }

        mutating func replay(_ range: Range<Int64>) {
            fixture.note(fixture.cursor.replay(Offset(range.lowerBound)..<Offset(range.upperBound)).step)
            for index in range.map({ Int($0) }) where oracle.places[index] == .settled {
                oracle.places[index] = .ready(0)
                // It is not what a purge took any more.
                for purge in oracle.saved.keys { oracle.saved[purge]?[index] = nil }
            }
        }

        mutating func claimOrBack(_ range: Range<Int64>, _ dice: inout Dice) {
            let offsets = Offset(range.lowerBound)..<Offset(range.upperBound)
            let isClaim = dice.roll(2) == 0
            if isClaim { _ = fixture.cursor.claim(offsets, now: fixture.now) } else { fixture.cursor.giveBack(offsets) }
            for index in range.map({ Int($0) }) {
                switch oracle.places[index] {
                case .claimed(let attempts, let due) where !isClaim:
                    oracle.places[index] = due.map { .waiting(attempts, due: $0) } ?? .ready(attempts)
                case .waiting(let attempts, let due) where isClaim && due > now: oracle.places[index] = .claimed(attempts, due: due)
                case let place where isClaim:
                    if let attempts = oracle.readyNow(place, now) { oracle.places[index] = .claimed(attempts, due: nil) }
                default: break
                }
            }
        }

        mutating func settle(_ range: Range<Int64>, onlyMovable: Bool) {
            var step = CursorStep()
            _ = fixture.cursor.settle(
                [Offset(range.lowerBound)..<Offset(range.upperBound)], as: .discarded, onlyMovable: onlyMovable, &step)
            fixture.note(step)
            for index in range.map({ Int($0) }) {
                switch oracle.places[index] {
                case .acquired, .dying, .claimed: if !onlyMovable { oracle.places[index] = .settled }
                default: oracle.places[index] = .settled
                }
            }
        }

        /// Where the cursor and the oracle differ, or the cursor and what its facts make of an empty one.
        func disagreement(withFacts: Bool) -> String? {
            if last.contains(": held") { return last }
            for (index, place) in oracle.places.enumerated() {
                let found = fixture.cursor.state(of: Offset(Int64(index)))
                guard matches(found, place) else { return "after \(last): \(index) is \(found), should be \(place)" }
            }
            guard withFacts else { return nil }
            var crashed = fixture.recovered()
            crashed.cursor.promote(now: fixture.now)
            if let problem = afterCrash(crashed.cursor) { return "after \(last), from facts: \(problem)" }
            guard let snapshot else { return nil }
            var restored = QueueCursor(policy: fixture.cursor.policy, limits: Limits())
            for fact in snapshot.facts + fixture.facts[snapshot.from...] { restored.apply(fact) }
            restored.end = fixture.cursor.end
            restored.promote(now: fixture.now)
            return afterCrash(restored).map { "after \(last), from the snapshot: \($0)" }
        }

        private func afterCrash(_ cursor: QueueCursor) -> String? {
            for (index, place) in oracle.places.enumerated() {
                var expected = place
                switch place {
                case .acquired(_, let attempts, _): expected = .ready(attempts - 1)
                case .claimed(let attempts, let due): expected = due.map { .waiting(attempts, due: $0) } ?? .ready(attempts)
                default: break
                }
                let found = cursor.state(of: Offset(Int64(index)))
                guard matches(found, expected) else { return "\(index) is \(found), should be \(expected)" }
            }
            return nil
        }

        private func matches(_ found: Queues.CursorRun, _ place: Place) -> Bool {
            switch place {
            case .ready(let attempts): found.state == .ready && found.attempts == attempts
            case .acquired(_, let attempts, _): found.state == .acquired && found.attempts == attempts
            case .waiting(let attempts, let due):
                // Due, and not looked at yet, is both.
                (found.state == .waiting && found.attempts == attempts && found.due?.ms == due)
                    || (due <= now && found.state == .ready && found.attempts == attempts)
            case .dying(let attempts): found.state == .moving && found.attempts == attempts
            case .claimed(let attempts, _): found.state == .moving && found.attempts == attempts
            case .settled: found.state == .settled
            }
        }
    }
}
