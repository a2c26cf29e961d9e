import Control
import Model
import NIOCore
import Queues
import Storage
import Synchronization
import Testing

@testable import Broker

@Suite(.timeLimit(.minutes(2))) struct RedriveTests {
    /// `work` with its dead-letter queue `dead` in which these messages lie.
    func bed(
        _ values: [String], log: any Log = MemoryEngine(), store: any Store, limits: Limits? = nil, settings: [String: String] = [:]
    ) async throws -> MoveBed {
        let queues = try await MoveBed.start(log: log, store: store, limits: limits)
        try await queues.declare("dead", ["errors.deadletterqueue.group.enable": "true"])
        try await queues.declare("work", ["dead.letter": "dead"].merging(settings) { $1 })
        try await queues.publish("work", values)
        try await kill(queues, count: values.count)
        return queues
    }

    func kill(_ queues: MoveBed, count: Int) async throws {
        let before = try await queues.open("dead").count
        var left = count
        while left > 0 {
            let taken = try await queues.acquire("work", left)
            left -= taken.reduce(0) { $0 + Int($1.last - $1.first) + 1 }
            try await queues.answer("work", taken, .reject)
        }
        #expect(try await eventually { try await queues.open("dead").count == before + count })
    }

    func ended(_ queues: MoveBed, _ id: Int64?) async throws -> JobRow {
        #expect(try await eventually { try queues.job(id)?.endedMs != nil })
        return try #require(try queues.job(id))
    }

    /// The broker closes its log when no job runs any more.
    @Test func `a job that has ended reads nothing any more`() async throws {
        let log = SharedLog(MemoryEngine())
        var limits = Limits()
        limits.moveRecords = 4
        let queues = try await bed((0..<20).map { "\($0)" }, log: log, store: MoveBed.memoryStore(), limits: limits)
        let dead = try queues.broker.queue("dead").topic.partitionIDs[0]
        let isReached = Atomic(false)
        log.delayLookUp(of: .partition(dead), from: Offset(4)) { [jobs = queues.broker.jobs] in
            isReached.store(true, ordering: .sequentiallyConsistent)
            _ = try? jobs.cancel(1)
        }
        let job = try await ended(queues, try await queues.perform(.redrive(Redrive(queue: "dead"))).job)
        #expect(isReached.load(ordering: .sequentiallyConsistent) && job.state == .cancelled && job.id == 1)
        #expect(log.slowLookUps.load(ordering: .sequentiallyConsistent) == 0)
        await queues.broker.close()
    }

    @Test func messagesGoBackToTheirOriginAndAreCountedWhenAcked() async throws {
        let queues = try await bed(["a", "b", "c"], store: MoveBed.memoryStore())
        var redrive = Redrive(queue: "dead")
        redrive.dryRun = true
        let dry = try await queues.perform(.redrive(redrive))
        #expect(dry.preview?.go == 3 && dry.preview?.targets == ["work": 3] && dry.preview?.skipped == 0 && dry.job == nil)
        #expect(try await queues.open("dead").count == 3)
        redrive.dryRun = false
        let job = try await ended(queues, try await queues.perform(.redrive(redrive)).job)
        #expect(job.state == .done && job.sent == 3 && job.kind == "redrive" && job.note == "")
        #expect(try await queues.open("dead") == [])
        #expect(try await queues.open("work") == ["a", "b", "c"])
        let record = try await queues.records("work")[0]
        let names = record.headers.map(\.name)
        #expect(!names.contains { $0.hasPrefix("__dlq.errors.") } && names.contains("x-death"))
        #expect(record.headers.first { $0.name == "weir.redriven" }?.value.map { String(buffer: $0) } == "1")

        let taken = try await queues.acquire("work", 3)
        try await queues.answer("work", [AcquiredRange(first: taken[0].first, last: taken[0].first + 1, deliveryCount: 1)], .accept)
        try await queues.answer("work", [AcquiredRange(first: taken[0].first + 2, last: taken[0].first + 2, deliveryCount: 1)], .reject)
        #expect(try await eventually { try queues.job(job.id).map { $0.acked == 2 && $0.diedAgain == 1 } ?? false })
        #expect(try queues.job(job.id)?.outcome == "3 sent, 2 acked, 1 died again")
        // The copies are behind the three originals of `work`.
        let detail = try #require(queues.broker.jobDetail(JobQuery(id: job.id)))
        #expect(detail.outcomes.rows.map(\.outcome) == [.acked, .diedAgain] && detail.unlisted.isEmpty)
        #expect(detail.outcomes.rows.map(\.fromText) == ["0/0–1", "0/2"])
        #expect(detail.outcomes.rows.map(\.toText) == ["work 0/3–4", "work 0/5"])
        #expect(detail.outcomes.rows.map(\.reason) == ["", "rejected"])
        await queues.broker.close()
    }

    @Test func filterWatermarkAndSkipRuleDecideMessageByMessage() async throws {
        let queues = try await bed(["keep 1", "drop 2", "keep 3"], store: MoveBed.memoryStore())
        let watermark = await queues.broker.ends(of: try queues.broker.queue("dead"))
        try await queues.publish("work", ["keep 4"])
        try await kill(queues, count: 1)
        try await queues.publish("dead", ["keep 5"])
        var redrive = Redrive(queue: "dead")
        redrive.watermark = watermark
        redrive.filter.match = "^keep"
        let job = try await ended(queues, try await queues.perform(.redrive(redrive)).job)
        #expect(job.sent == 2 && job.skipped == 0)
        #expect(try await queues.open("work") == ["keep 1", "keep 3"])
        #expect(try await queues.open("dead") == ["drop 2", "keep 4", "keep 5"])

        try await kill(queues, count: 2)
        var again = Redrive(queue: "dead")
        again.skipIfRedriven = 1
        again.dryRun = true
        let preview = try #require(try await queues.perform(.redrive(again)).preview)
        #expect(preview.go == 2 && preview.withoutOrigin == 1 && preview.skips == ["no origin": 1, "redriven 1 times": 2])
        again.dryRun = false
        let second = try await ended(queues, try await queues.perform(.redrive(again)).job)
        #expect(second.sent == 2 && second.skipped == 3 && second.skips == preview.skips)
        var skipped = JobQuery(id: second.id)
        skipped.outcome = .skipped
        let rows = try #require(queues.broker.jobDetail(skipped)).outcomes.rows
        #expect(rows.map(\.fromText) == ["0/4", "0/5–6"] && rows.map(\.reason) == ["no origin", "redriven 1 times"])
        #expect(try await queues.open("dead") == ["keep 5", "keep 1", "keep 3"])
        await queues.broker.close()
    }

    @Test func anotherQueueCanBeTheTargetAndOneJobIsAtASourceAtATime() async throws {
        let queues = try await bed((0..<30).map { "\($0)" }, store: MoveBed.memoryStore())
        try await queues.declare("elsewhere")
        var redrive = Redrive(queue: "dead")
        redrive.target = "elsewhere"
        redrive.rate = 5
        let id = try await queues.perform(.redrive(redrive)).job
        await #expect(throws: ControlError(.conflict, "job 1 (redrive) is at dead already; cancel it or wait for it")) {
            try await queues.perform(.redrive(redrive))
        }
        #expect(try await eventually { try queues.job(id).map { $0.sent > 0 } ?? false })
        try await queues.perform(.cancelJob(id: 1))
        let job = try await ended(queues, id)
        #expect(job.state == .cancelled && job.sent < 30)
        let moved = try await queues.open("elsewhere")
        #expect(moved.count == Int(job.sent))
        #expect((moved + (try await queues.open("dead"))).sorted() == (0..<30).map { "\($0)" }.sorted())
        await queues.broker.close()
    }

    @Test func theTargetsLimitsAreObeyed() async throws {
        let queues = try await bed((0..<10).map { "\($0)" }, store: MoveBed.memoryStore())
        try await queues.declare("small", ["max.depth": "4", "overflow": "reject-publish"])
        var redrive = Redrive(queue: "dead")
        redrive.target = "small"
        redrive.dryRun = true
        #expect(try await queues.perform(.redrive(redrive)).preview?.overLimit == 6)
        redrive.dryRun = false
        let id = try await queues.perform(.redrive(redrive)).job
        #expect(try await eventually { try queues.job(id).map { $0.state == .waiting && $0.note.hasPrefix("small refuses") } ?? false })
        #expect(try await queues.open("small").count <= 4)
        try await queues.declare("small", ["max.depth": ""])
        let job = try await ended(queues, id)
        #expect(job.state == .done && job.sent == 10)
        #expect(try await queues.open("small").sorted() == (0..<10).map { "\($0)" }.sorted())
        await queues.broker.close()
    }

    /// A process dies behind any frame of a redrive; the next one goes on with the job: nothing is lost, nothing is there twice.
    @Test(arguments: 0...16) func aCrashBetweenAnyTwoStepsNeitherLosesNorDoubles(frames: Int) async throws {
        let engine = MemoryEngine()
        let store = MoveBed.memoryStore()
        let mortal = MortalLog(engine)
        var limits = Limits()
        limits.moveRecords = 7
        let values = (0..<40).map { "m\($0)" }
        let before = try await bed(values, log: mortal, store: store, limits: limits)
        mortal.kill(afterFrames: frames)
        let redrive = Redrive(queue: "dead")
        Task { try await before.perform(.redrive(redrive)) }
        for _ in 0..<100 where !mortal.isDead { try await Task.sleep(for: .milliseconds(3)) }
        mortal.kill()

        let after = try await MoveBed.start(log: MortalLog(engine), store: store, limits: limits)
        if try after.job(1) != nil { #expect(try await ended(after, 1).state == .done) }
        #expect(try await eventually { try await after.counts("dead")?.moving == 0 })
        let back = try await after.open("work")
        let dead = try await after.open("dead")
        #expect((back + dead).sorted() == values.sorted())
        if let job = try after.job(1) {
            #expect(dead == [])
            #expect(job.sent == 40)
            // Also what landed just before the crash is known message by message.
            let rows = try #require(after.broker.jobDetail(JobQuery(id: 1))).outcomes.rows
            #expect(rows.reduce(0) { $0 + $1.count } == 40)
        }
        await after.broker.close()
    }

    @Test func outcomesAreCountedAfterARestartToo() async throws {
        let engine = MemoryEngine()
        let store = MoveBed.memoryStore()
        let mortal = MortalLog(engine)
        let before = try await bed((0..<10).map { "\($0)" }, log: mortal, store: store)
        let job = try await ended(before, try await before.perform(.redrive(Redrive(queue: "dead"))).job)
        let taken = try await before.acquire("work", 4)
        try await before.answer("work", [AcquiredRange(first: taken[0].first, last: taken[0].first, deliveryCount: 1)], .reject)
        try await before.answer("work", [AcquiredRange(first: taken[0].first + 1, last: taken[0].last, deliveryCount: 1)], .accept)
        #expect(try await eventually { try before.job(job.id).map { $0.acked == 3 && $0.diedAgain == 1 } ?? false })
        await before.broker.jobs.saveChanged()
        mortal.kill()

        let after = try await MoveBed.start(log: MortalLog(engine), store: store)
        #expect(try await eventually { try after.job(job.id)?.acked == 3 })
        #expect(after.broker.jobDetail(JobQuery(id: job.id))?.outcomes.rows.map(\.outcome) == [.diedAgain, .acked, .sent])
        let rest = try await after.acquire("work", 6)
        #expect(rest.reduce(0) { $0 + ($1.last - $1.first + 1) } == 6)
        try await after.answer("work", rest, .accept)
        #expect(try await eventually { try after.job(job.id)?.acked == 9 })
        #expect(try after.job(job.id)?.state == .done)
        let rows = try #require(after.broker.jobDetail(JobQuery(id: job.id))).outcomes.rows
        #expect(rows.map(\.fromText) == ["0/0", "0/1–9"] && rows.map(\.reason) == ["rejected", ""])
        #expect(rows.map(\.toText) == ["work 0/10", "work 0/11–19"])
        await after.broker.close()
    }

    @Test func settledMessagesAreCopiedOnceAcrossCrashes() async throws {
        for frames in 0...8 {
            let engine = MemoryEngine()
            let store = MoveBed.memoryStore()
            let mortal = MortalLog(engine)
            var limits = Limits()
            limits.moveRecords = 7
            let before = try await MoveBed.start(log: mortal, store: store, limits: limits)
            try await before.declare("work")
            try await before.declare("copy")
            try await before.publish("work", (0..<30).map { "m\($0)" })
            try await before.answer("work", try await before.acquire("work", 25), .accept)
            mortal.kill(afterFrames: frames)
            var replay = Replay(queue: "work")
            replay.into = "copy"
            let wanted = replay
            Task { try await before.perform(.replay(wanted)) }
            for _ in 0..<100 where !mortal.isDead { try await Task.sleep(for: .milliseconds(3)) }
            mortal.kill()
            let after = try await MoveBed.start(log: MortalLog(engine), store: store, limits: limits)
            guard try after.job(1) != nil else {
                await after.broker.close()
                continue
            }
            let job = try await ended(after, 1)
            #expect(job.state == .done && job.sent == 25)
            #expect(try await after.open("copy").sorted() == (0..<25).map { "m\($0)" }.sorted())
            #expect(try await after.open("work").count == 5)
            await after.broker.close()
        }
    }

    @Test func aJobWhoseSourceIsDeletedFails() async throws {
        let queues = try await MoveBed.start(store: MoveBed.memoryStore())
        try await queues.declare("orders", ["dead.letter": "auto"])
        try await queues.publish("orders", (0..<20).map { "\($0)" })
        try await queues.answer("orders", try await queues.acquire("orders", 20), .reject)
        #expect(try await eventually { try await queues.counts("orders")?.moving == 0 })
        var redrive = Redrive(queue: "orders.dlq")
        redrive.rate = 2
        let job = try await queues.perform(.redrive(redrive)).job
        #expect(try await eventually { try queues.job(job)?.sent ?? 0 > 0 })
        try await queues.perform(.delete(queue: "orders.dlq"))
        #expect(try await eventually { try queues.job(job)?.state == .failed })
        #expect(try queues.job(job)?.note == "orders.dlq was deleted")
        await queues.broker.close()
    }
}
