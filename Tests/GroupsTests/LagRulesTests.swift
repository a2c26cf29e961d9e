import Model
import Testing

@testable import Groups

struct LagRulesTests {
    private func at(_ seconds: Int64) -> Monotonic { Monotonic(ns: UInt64(seconds) * 1_000_000_000) }

    /// Commits every five seconds: (committed, end).
    private func window(_ commits: [(Int64, Int64)], every seconds: Int64 = 5) -> LagRules {
        var rules = LagRules()
        for (index, commit) in commits.enumerated() {
            rules.committed(.init(at: at(Int64(index) * seconds), committed: Offset(commit.0), end: Offset(commit.1)))
        }
        return rules
    }

    @Test func nothingLeftToReadIsOK() {
        let rules = window([(10, 20), (10, 20), (20, 20)])
        let verdict = rules.verdict(committed: Offset(20), end: Offset(20), now: at(1_000))
        #expect(verdict.status == .ok)
        #expect(verdict.lag == 0)
        #expect(verdict.etaMs == 0)
    }

    @Test func fallingLagIsOKAndDrains() {
        let rules = window([(0, 1_000), (100, 1_000), (200, 1_000)])
        let verdict = rules.verdict(committed: Offset(200), end: Offset(1_000), now: at(10))
        #expect(verdict.status == .ok)
        #expect(verdict.lag == 800)
        #expect(verdict.rate == 20)
        #expect(verdict.net == -20)
        #expect(verdict.etaMs == 40_000)
    }

    @Test func lagThatNeverFallsIsWARN() {
        let rules = window([(0, 100), (10, 130), (20, 160)])
        let verdict = rules.verdict(committed: Offset(20), end: Offset(160), now: at(10))
        #expect(verdict.status == .warn)
        #expect(verdict.net == 4)
        #expect(verdict.inRate == 6)
        #expect(verdict.etaMs == nil)
    }

    @Test func commitsThatDoNotMoveAreSTALL() {
        let rules = window([(10, 100), (10, 130), (10, 160)])
        #expect(rules.verdict(committed: Offset(10), end: Offset(160), now: at(12)).status == .stall)
        #expect(rules.movedAt == at(0))
    }

    @Test func aCommitThatWentBackIsREWIND() {
        let rules = window([(50, 100), (60, 100), (20, 100)])
        #expect(rules.verdict(committed: Offset(20), end: Offset(100), now: at(11)).status == .rewind)
    }

    @Test func silenceLongerThanTheWindowIsSTOP() {
        let rules = window([(0, 100), (10, 100), (20, 100)], every: 20)  // spans 40 s
        #expect(rules.verdict(committed: Offset(20), end: Offset(100), now: at(80)).status == .ok)
        #expect(rules.verdict(committed: Offset(20), end: Offset(100), now: at(81)).status == .stop)
        // Even when it had nothing left to read at its last commit.
        let caughtUp = window([(90, 100), (100, 100)])
        #expect(caughtUp.verdict(committed: Offset(100), end: Offset(500), now: at(30)).status == .ok)
        #expect(caughtUp.verdict(committed: Offset(100), end: Offset(500), now: at(36)).status == .stop)
    }

    @Test func zeroLagInTheWindowExcusesTheRest() {
        let rules = window([(100, 100), (110, 150), (120, 200)])
        #expect(rules.verdict(committed: Offset(120), end: Offset(200), now: at(12)).status == .ok)
    }

    @Test func commitsWithinASecondAreOneSampleAndTheWindowIsBounded() {
        var rules = LagRules()
        for index in 0..<1_000 {
            let at = Monotonic(ns: UInt64(index) * 100_000_000)
            rules.committed(.init(at: at, committed: Offset(Int64(index)), end: Offset(2_000)))
        }
        #expect(rules.samples.count <= LagRules.capacity)
        #expect(rules.samples.last?.committed == Offset(999))
        let spans = zip(rules.samples.dropLast(), rules.samples.dropFirst().dropLast()).map { $1.at.ms(since: $0.at) }
        #expect(spans.allSatisfy { $0 >= LagRules.spacingMs })
        #expect(rules.verdict(committed: Offset(999), end: Offset(2_000), now: Monotonic(ns: 100_000_000_000)).status == .ok)
    }
}
