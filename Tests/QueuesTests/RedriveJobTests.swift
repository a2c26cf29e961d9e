import Queues
import Testing

@Suite struct RedriveJobTests {
    func rules(_ change: (inout RedriveJob.Rules) -> Void = { _ in }) -> RedriveJob.Rules {
        var rules = RedriveJob.Rules()
        change(&rules)
        return rules
    }

    @Test func withoutRulesItSendsWholeBatches() {
        var job = RedriveJob(rules: rules())
        #expect(job.next(nowMs: 0, backlog: nil, batch: 2_000) == .send(atMost: 2_000))
    }

    @Test func theRateIsKeptOverASecond() {
        var job = RedriveJob(rules: rules { $0.rate = 50 })
        var sent = 0
        var now: Int64 = 0
        while now < 10_000 {
            switch job.next(nowMs: now, backlog: nil, batch: 100) {
            case .send(let count):
                sent += count
                job.noteSent(Int64(count))
            case .wait(let ms, let note):
                #expect(note == "" && ms > 0)
                now += ms
            case .stop: Issue.record("it stopped")
            }
        }
        #expect((499...501).contains(sent))
    }

    @Test func aRampDoublesEachSecond() {
        var job = RedriveJob(rules: rules { ($0.rate, $0.rampFrom) = (40, 5) })
        var sent: [Int] = [0, 0, 0, 0, 0, 0]
        var now: Int64 = 0
        while now < 6_000 {
            switch job.next(nowMs: now, backlog: nil, batch: 100) {
            case .send(let count):
                sent[Int(now / 1_000)] += count
                job.noteSent(Int64(count))
            case .wait(let ms, _): now += ms
            case .stop: Issue.record("it stopped")
            }
        }
        for (got, wanted) in zip(sent, [5, 10, 20, 40, 40, 40]) { #expect(abs(got - wanted) <= 1) }
        #expect(RedriveJob.durationMs(job.rules, count: 115) == 5_000)
        #expect(RedriveJob.durationMs(rules { $0.rate = 50 }, count: 149) == 2_980)
        #expect(RedriveJob.durationMs(rules(), count: 149) == nil)
    }

    @Test func theCanaryGoesFirstAndIsWaitedFor() {
        var job = RedriveJob(rules: rules { $0.canary = 1 })
        #expect(job.next(nowMs: 0, backlog: nil, batch: 100) == .send(atMost: 1))
        job.noteSent(1)
        #expect(job.next(nowMs: 0, backlog: nil, batch: 100) == .wait(ms: 100, note: "canary"))
        #expect(job.next(nowMs: 9_950, backlog: nil, batch: 100) == .wait(ms: 50, note: "canary"))
        var late = job
        #expect(late.next(nowMs: 10_000, backlog: nil, batch: 100) == .stop(note: "the canary was not acked within 10 s"))
        var dead = job
        dead.note(acked: 0, died: 1)
        #expect(dead.next(nowMs: 9_960, backlog: nil, batch: 100) == .stop(note: "the canary died again"))
        job.note(acked: 1, died: 0)
        #expect(job.next(nowMs: 9_960, backlog: nil, batch: 100) == .send(atMost: 100))
    }

    @Test func itStopsWhenTooManyDieAgain() {
        var job = RedriveJob(rules: rules { $0.stopIfDead = 0.05 }, sent: 300)
        job.note(acked: 200, died: 15)
        #expect(job.next(nowMs: 0, backlog: nil, batch: 10) == .send(atMost: 10))
        job.note(acked: 0, died: 3)
        #expect(job.next(nowMs: 0, backlog: nil, batch: 10) == .stop(note: "6% died again"))
    }

    @Test func itHoldsWhileTheTargetIsFull() {
        var job = RedriveJob(rules: rules { ($0.holdAbove, $0.rate) = (5_000, 10) })
        #expect(job.next(nowMs: 0, backlog: 5_001, batch: 10) == .wait(ms: 100, note: "target backlog over 5000"))
        // The pause is not made up for.
        #expect(job.next(nowMs: 60_000, backlog: 5_001, batch: 10) == .wait(ms: 100, note: "target backlog over 5000"))
        #expect(job.next(nowMs: 60_100, backlog: 5_000, batch: 10) == .send(atMost: 1))
    }
}
