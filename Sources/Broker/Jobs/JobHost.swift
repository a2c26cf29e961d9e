import Control
import Logging
import Model
import NIOCore
import Queues
import Storage
import Synchronization

/// The broker's jobs: starts them, keeps what is known of them in the store, resumes them after a restart, cancels them. Any thread.
final class JobHost: Sendable {
    private struct State {
        var jobs: [Int64: JobRecord] = [:]
        var running: Set<Int64> = []
        var cancelled: Set<Int64> = []
        var dirty: Set<Int64> = []
        var last: Int64 = 0
        var isStopped = false
    }
    let store: any Store
    let limits: Limits
    let logger: Logger
    private let state = Mutex(State())

    init(store: any Store, limits: Limits, logger: Logger) {
        self.store = store
        self.limits = limits
        self.logger = logger
    }

    // MARK: Life

    /// Reads jobs back, goes on with those that ran, and with counting what becomes of copies. Copies that were settled and not noted, at
    /// most a second's before a crash, count as acked.
    func begin(_ broker: Broker) async throws {
        for entry in try await store.list(JobRecord.prefix) {
            let job = try JobRecord.decode(entry.value)
            state.withLock {
                $0.jobs[job.row.id] = job
                $0.last = max($0.last, job.row.id)
            }
        }
        for job in state.withLock({ $0.jobs.values.sorted { $0.row.id < $1.row.id } }) where job.isLive || job.settled < job.row.sent {
            let progress = await broker.progress(of: job.row.id)
            let found = await broker.found(progress, for: job)
            let settled = await broker.rewatch(progress, job: job.row.id)
            update(job.row.id) { job in
                job.row.sent = max(job.row.sent, progress.sent)
                job.row.acked += max(0, settled.count - job.settled)
                job.results = job.results ?? JobOutcomes()
                for part in found {
                    job.results?.sent(part.partition, [part.range], to: part.target, at: part.base, limit: limits.jobOutcomes)
                }
                job.results?.settle(settled.ranges, limit: limits.jobOutcomes, knownOnly: true)
            }
            if job.isLive { run(job.row.id, broker, progress) }
        }
    }

    /// Starts a job once it is written down; its number.
    func start(_ job: JobRecord, on broker: Broker) async throws(ControlError) -> Int64 {
        let (id, problem) = state.withLock { state -> (Int64, String?) in
            if let other = state.jobs.values.first(where: { $0.isLive && $0.row.source == job.row.source }) {
                return (0, "job \(other.row.id) (\(other.row.kind)) is at \(job.row.source) already; cancel it or wait for it")
            }
            if state.running.count >= limits.runningJobs { return (0, "\(limits.runningJobs) jobs run already; cancel one or wait") }
            state.last += 1
            var job = job
            job.row.id = state.last
            state.jobs[state.last] = job
            return (state.last, nil)
        }
        if let problem { throw ControlError(.conflict, problem) }
        guard let started = record(id) else { throw ControlError(.failed, "job \(id) is gone") }
        do throws(StoreError) { try await store.put(started.key, started.encoded()) } catch {
            state.withLock { $0.jobs[id] = nil }
            throw ControlError(.failed, "the job could not be written down: \(error)")
        }
        await forgetOld(broker)
        run(id, broker, MoveProgress())
        return id
    }

    private func run(_ id: Int64, _ broker: Broker, _ progress: MoveProgress) {
        guard state.withLock({ $0.running.insert(id).inserted }) else { return }
        Task {
            await JobRunner(id: id, host: self, broker: broker).run(progress)
            self.state.withLock { _ = $0.running.remove(id) }
        }
    }

    /// The runner stops at the next batch; what is under way is brought to its end.
    func cancel(_ id: Int64) throws(ControlError) -> JobRow {
        let job = state.withLock { state -> JobRecord? in
            guard let job = state.jobs[id] else { return nil }
            if job.isLive { state.cancelled.insert(id) }
            return job
        }
        guard let job else { throw ControlError(.notFound, "there is no job \(id)") }
        guard job.isLive else { throw ControlError(.conflict, "job \(id) has ended: \(job.row.state.rawValue)") }
        return job.row
    }

    func stop() { state.withLock { $0.isStopped = true } }
    var isStopped: Bool { state.withLock { $0.isStopped } }
    var isIdle: Bool { state.withLock { $0.running.isEmpty } }

    // MARK: What runners tell and ask

    func record(_ id: Int64) -> JobRecord? { state.withLock { $0.jobs[id] } }
    func isCancelled(_ id: Int64) -> Bool { state.withLock { $0.cancelled.contains(id) } }

    func update(_ id: Int64, _ change: (inout JobRecord) -> Void) {
        state.withLock { state in
            guard var job = state.jobs[id] else { return }
            change(&job)
            state.jobs[id] = job
            state.dirty.insert(id)
        }
    }

    /// Writes a job down as it is now.
    func save(_ id: Int64) async {
        guard
            let job = state.withLock({ state -> JobRecord? in
                state.dirty.remove(id)
                return state.jobs[id]
            })
        else { return }
        do throws(StoreError) { try await store.put(job.key, job.encoded()) } catch {
            logger.warning("job \(id) could not be written down: \(error); after a restart it may know less of itself")
        }
    }

    // MARK: Outcomes

    /// Takes in what became of copies; called about once a second.
    func note(_ outcomes: [Int64: SettlementWatch.Told]) {
        for (id, told) in outcomes {
            update(id) { job in
                job.row.acked += told.counts.acked
                job.row.diedAgain += told.counts.died
                if told.counts.other > 0 { job.row.other = (job.row.other ?? 0) + told.counts.other }
                job.results?.settle(told.settled, limit: limits.jobOutcomes)
            }
        }
    }

    /// Writes down what has changed since the last call.
    func saveChanged() async {
        for id in state.withLock({ $0.dirty.sorted() }) { await save(id) }
    }

    var hasChanged: Bool { state.withLock { !$0.dirty.isEmpty } }

    var rows: [JobRow] { state.withLock { $0.jobs.values.map(\.row) } }

    private func forgetOld(_ broker: Broker) async {
        let old = state.withLock { state -> [JobRecord] in
            let ended = state.jobs.values.filter { !$0.isLive }.sorted { $0.row.id < $1.row.id }
            let gone = Array(ended.prefix(max(0, state.jobs.count - limits.jobs)))
            for job in gone {
                state.jobs[job.row.id] = nil
                state.cancelled.remove(job.row.id)
                state.dirty.remove(job.row.id)
            }
            return gone
        }
        for job in old {
            do throws(StoreError) { try await store.delete(job.key, at: nil) } catch {
                logger.warning("job \(job.row.id) could not be removed: \(error)")
            }
            await broker.forget(job: job.row.id)
        }
    }
}

extension Broker {
    /// Reads audit log, undo registry and jobs back, and goes on with jobs that ran. Call once, when all else is there.
    func startJobs(audit extent: StreamExtent) async throws {
        try await audit.load(extent: extent)
        try await undos.load()
        for shard in shards {
            _ = await shard.ask { shard in
                shard.cursors?.observer = { [settlements = shard.settlements] key, facts in
                    guard !settlements.isIdle else { return }
                    for fact in facts {
                        switch fact {
                        case .settled(let range, let end): settlements.settled(key, range, as: end)
                        case .dying(let range, _, let reason): settlements.died(key, range, reason)
                        default: break
                        }
                    }
                }
            }
        }
        try await jobs.begin(self)
    }

    /// Once a second.
    func keepJobs() {
        countOutcomes()
        followDeadQueues()
        guard jobs.hasChanged else { return }
        Task { await self.jobs.saveChanged() }
    }

    /// Lets jobs come to a halt where they can go on from at the next start.
    func stopJobs() async {
        jobs.stop()
        while !jobs.isIdle { await shards[0].pause(5) }
        countOutcomes()
        await jobs.saveChanged()
    }

    /// What a job has done by the facts of its moves, over all shards.
    func progress(of job: Int64) async -> MoveProgress {
        var all = MoveProgress()
        for shard in shards {
            guard let part = await shard.ask({ $0.mover?.ledger.jobs[job] }) else { continue }
            all.sent += part.sent
            all.landed += part.landed
            all.unwatched += part.unwatched
            all.done.merge(part.done) { $0 + $1 }
        }
        return all
    }

    /// Counts what becomes of a job's copies from now on, after a restart; those that are settled already count as acked.
    func rewatch(_ progress: MoveProgress, job: Int64) async -> (count: Int64, ranges: [JobOutcomes.Settled]) {
        var settled: (count: Int64, ranges: [JobOutcomes.Settled]) = (0, [])
        let limit = limits.deadRanges
        for landing in progress.landed {
            guard let topic = catalog.current[landing.target.topic], topic.config.isQueue else {
                watch(landing, job: job)
                continue
            }
            let key = ShareKey(group: topic.name, partition: landing.target)
            let open = await shard(of: landing.target).ask { shard -> [Range<Offset>] in
                let ranges = shard.mover?.source?.open(key, in: landing.range, limit: limit) ?? []
                for range in ranges { shard.settlements.add(job: job, group: key.group, landing.target, range) }
                return ranges
            }
            settled.count += landing.count - open.reduce(0) { $0 + ($1.upperBound - $1.lowerBound) }
            settled.ranges += Mover.between(open, landing.range).map { .init(target: landing.target, range: $0, end: .acked) }
        }
        return settled
    }

    func watch(_ landing: MoveLanding, job: Int64) {
        let shard = shard(of: landing.target)
        let topic = catalog.current[landing.target.topic]
        let group = topic.flatMap { $0.config.isQueue ? $0.name : nil }
        shard.run { shard.settlements.add(job: job, group: group, landing.target, landing.range) }
    }

    /// A job's copies are on their way to these targets, or no longer.
    func expectOutcomes(at order: MoveOrder, _ isComing: Bool) {
        for target in Set(order.parts.map(\.target)) {
            let shard = shard(of: target)
            shard.run { shard.settlements.expect(target, isComing) }
        }
    }

    func forget(job: Int64) async {
        for shard in shards {
            guard
                let mover = await shard.ask({ shard -> Mover? in
                    shard.settlements.forget(job: job)
                    return shard.mover?.ledger.jobs[job] == nil ? nil : shard.mover
                })
            else { continue }
            _ = await mover.log([.jobForgotten(job)])
        }
    }
}
