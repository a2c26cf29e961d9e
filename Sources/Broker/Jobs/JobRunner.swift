import Control
import Logging
import Model
import NIOCore
import Queues
import Storage

/// Carries one job from its source's first message to its watermark: reads, decides, claims, moves, several batches under way at a time.
/// Used by one task.
final class JobRunner {
    private let id: Int64
    private let host: JobHost
    let broker: Broker
    private var pacing = RedriveJob(rules: .init())
    private var progress = MoveProgress()
    private var lastSaved = Monotonic(ns: 0)
    /// Where messages go whose backlog counts for `holdAbove`.
    private var targets: Set<PartitionID> = []
    private var flying: [Flight] = []
    private var isStuck = false
    /// What has been read and not sent yet.
    var ahead: JobScan?
    /// What follows it, being read while it is sent.
    var following: Task<Result<JobScan, LogError>, Never>?
    private var refusal: String?
    /// Messages of one batch: fewer after a target that had no room for so many.
    private var batch: Int
    /// Why the job waits, as shown.
    private var note = ""

    private struct Flight {
        var order: MoveOrder
        var task: Task<MoveResult, Never>
    }
    /// Why a run ends before all is done.
    enum Ending: Error {
        case stopped(JobRow.State, String)
        /// The broker closes: the job goes on at the next start.
        case suspended
    }

    init(id: Int64, host: JobHost, broker: Broker) {
        self.id = id
        self.host = host
        self.broker = broker
        batch = broker.limits.moveRecords
    }

    /// - Parameter progress: what a run before a restart has done.
    func run(_ progress: MoveProgress) async {
        self.progress = progress
        guard let job = host.record(id) else { return }
        if case .redrive(let redrive) = job.task {
            pacing = RedriveJob(rules: redrive.rules, sent: job.row.sent, acked: job.row.acked, died: job.row.diedAgain)
        }
        do throws(Ending) {
            let source: QueueName
            let plan: MessagePlan
            do throws(ControlError) {
                source = try broker.queue(job.row.source)
                plan = try broker.plan(for: job)
            } catch { throw .stopped(.failed, error.message) }
            for index in job.watermark.indices {
                guard let key = source.key(Int32(index)) else { continue }
                try await run(key, from: Offset(job.position[index]), to: Offset(job.watermark[index]), plan, copies: job.isCopy)
            }
            guard broker.catalog.current[source.topic.id] != nil else { throw .stopped(.failed, "\(job.row.source) was deleted") }
            await forgetFollowing()
            end(.done, left)
        } catch {
            await land(all: true)
            await forgetFollowing()
            if case .stopped(let state, let note) = error { end(state, note) }
        }
        await host.save(id)
    }

    /// What the job was to send and did not find any more, in words; empty when it found all.
    private var left: String {
        guard let row = host.record(id)?.row, row.total > row.sent + row.skipped else { return "" }
        return "\(row.total - row.sent - row.skipped) were gone before their turn: consumed, purged or discarded"
    }

    private func end(_ state: JobRow.State, _ note: String) {
        let now = broker.clock.now
        host.update(id) { job in
            job.row.state = state
            job.row.note = note
            job.row.endedMs = now.ms
            job.row.etaMs = nil
        }
        guard let row = host.record(id)?.row else { return }
        broker.events.add(
            state == .done ? .info : .warning, "job \(id) \(row.kind) \(row.source): \(row.outcome)\(row.ending)", at: now)
    }

    // MARK: One partition

    private func run(_ key: ShareKey, from: Offset, to end: Offset, _ plan: MessagePlan, copies: Bool) async throws(Ending) {
        var position = from
        var plan = plan
        while true {
            if let refused = await land(all: false) { position = min(position, refused) }
            if refusal != nil { plan = try await afterRefusal() }
            guard let gap = progress.gap(of: key.partition, from: position, to: end) else {
                // What is under way may still be refused, and is tried again then.
                guard let refused = await land(all: true) else { break }
                position = min(position, refused)
                if refusal != nil { plan = try await afterRefusal() }
                continue
            }
            let count = try await permission()
            if count == 0 {
                // What was read ahead may have changed by the time it goes on.
                await forgetFollowing()
                // What is under way lands now: its outcome may be what the job waits for.
                if let refused = await land(all: true) { position = min(position, refused) }
                continue
            }
            position = try await step(key, gap, plan, count: count, copies: copies)
            await saveSometimes(key, position)
        }
        host.update(id) { $0.position[Int(key.partition.index)] = end.value }
    }

    /// How many messages may be sent now; 0 after a wait.
    private func permission() async throws(Ending) -> Int {
        if host.isStopped || isStuck { throw .suspended }
        if host.isCancelled(id) { throw .stopped(.cancelled, "cancelled") }
        if let row = host.record(id)?.row {
            pacing.note(acked: row.acked - pacing.acked, died: row.diedAgain - pacing.died)
        }
        let nowMs = Int64(broker.clock.monotonic.ns / 1_000_000)
        var backlog: Int64?
        if pacing.rules.holdAbove != nil { backlog = await broker.backlog(of: targets) }
        switch pacing.next(nowMs: nowMs, backlog: backlog, batch: batch) {
        case .send(let count):
            show("")
            return count
        case .stop(let note): throw .stopped(.stopped, note)
        case .wait(let ms, let note):
            show(note)
            await broker.shards[0].pause(min(ms, Self.longestPauseMs))
            broker.countOutcomes()
            return 0
        }
    }

    private func show(_ note: String) {
        guard note != self.note else { return }
        self.note = note
        host.update(id) { job in
            job.row.note = note
            job.row.state = note.isEmpty ? .running : .waiting
        }
    }

    /// Waits until moves are over: all of them, or as many as there may not be at a time. The first offset that was refused, if any.
    @discardableResult
    private func land(all: Bool) async -> Offset? {
        var lowest: Offset?
        while let flight = flying.first, all || flying.count >= broker.limits.movesPerJob {
            flying.removeFirst()
            let result = await flight.task.value
            let order = flight.order
            if result.isStuck { isStuck = true }
            for (part, base) in zip(order.parts, result.bases) {
                guard let base else { continue }
                // First what was sent, then what becomes of it.
                host.update(id) { $0.land(part, of: order.key.partition.index, at: base, limit: broker.limits.jobOutcomes) }
                broker.watch(MoveLanding(target: part.target, base: base, count: part.count), job: id)
            }
            broker.expectOutcomes(at: order, false)
            guard let first = result.refused.first else {
                batch = min(broker.limits.moveRecords, batch * 2)
                continue
            }
            batch = max(1, batch / 4)
            let ranges = result.refused.flatMap { order.parts[$0.part].ranges }
            for range in ranges { progress.remove(range, of: order.key.partition) }
            pacing.noteRefused(result.refused.reduce(0) { $0 + order.parts[$1.part].count })
            if order.end != nil, let mover = await broker.shard(of: order.key.partition).ask({ $0.mover }) {
                mover.giveBack(order.key, ranges)
            }
            let target = broker.catalog.current[order.parts[first.part].target.topic]?.name ?? "the target"
            refusal = "\(target) refuses: \(first.error.reason)"
            lowest = ranges.map(\.lowerBound).reduce(lowest) { min($0 ?? $1, $1) }
        }
        return lowest
    }

    /// Waits a little, and decides anew where messages go: their target may be gone.
    private func afterRefusal() async throws(Ending) -> MessagePlan {
        if let refusal { show(refusal) }
        refusal = nil
        ahead = nil
        await forgetFollowing()
        await broker.shards[0].pause(Self.refusalPauseMs)
        guard let job = host.record(id) else { throw .suspended }
        do throws(ControlError) { return try broker.plan(for: job) } catch { throw .stopped(.failed, error.message) }
    }

    /// A wait is cut into pieces, so that cancelling and closing need not wait for it.
    private static let longestPauseMs: Int64 = 100
    private static let refusalPauseMs: Int64 = 500

    /// Notes about once a second how far the job is.
    private func saveSometimes(_ key: ShareKey, _ position: Offset) async {
        let now = broker.clock.monotonic
        guard now.ms(since: lastSaved) >= 1_000 else { return }
        let seconds = Double(now.ms(since: lastSaved)) / 1_000
        lastSaved = now
        broker.countOutcomes()
        let open = flying.lazy.filter { $0.order.key == key }.compactMap(\.order.window?.lowerBound).min()
        host.update(id) { job in
            job.position[Int(key.partition.index)] = min(position, open ?? position).value
            let handled = job.row.sent + job.row.skipped
            job.row.rate = seconds < 60 ? Double(job.row.sent - lastSent) / seconds : 0
            let left = max(0, job.row.total - handled)
            job.row.etaMs = job.row.rate > 0 ? Int64(Double(left) / job.row.rate * 1_000) : nil
            lastSent = job.row.sent
        }
        await host.save(id)
    }
    private var lastSent: Int64 = 0

    /// Sends the next messages of a stretch of the source that is not done; where to go on.
    private func step(_ key: ShareKey, _ gap: Range<Offset>, _ plan: MessagePlan, count: Int, copies: Bool) async throws(Ending) -> Offset {
        guard let mover = await broker.shard(of: key.partition).ask({ $0.mover }) else { throw .suspended }
        var scan: JobScan
        do throws(LogError) { scan = try await self.scan(key, gap, plan, mover, copies: copies) } catch {
            throw .stopped(.failed, "the log of \(key.group) could not be read: \(error)")
        }
        let taken = scan.take(count)
        ahead = scan
        // A job that is held back by its rate reads its next messages when it needs them: they may be gone by then.
        let rest = taken.window.upperBound..<gap.upperBound
        if scan.window.isEmpty, count >= batch, !rest.isEmpty {
            following = Task {
                do throws(LogError) { return .success(try await JobScan.look(key, rest, plan, mover, settled: copies)) } catch {
                    return .failure(error)
                }
            }
        }
        if !taken.skips.isEmpty {
            host.update(id) { job in
                for (offset, reason) in taken.skips {
                    job.skip(key.partition.index, offset, reason, limit: broker.limits.jobOutcomes)
                }
            }
        }
        if taken.sends.isEmpty {
            progress.add(taken.window, of: key.partition)
        } else {
            await send(taken.sends, of: key, window: taken.window, mover, copies: copies)
        }
        return taken.window.upperBound
    }

    /// Claims what is still to be had, and starts its move.
    private func send(
        _ sends: [(Record, PartitionID, [Record.Header])], of key: ShareKey, window: Range<Offset>, _ mover: Mover, copies: Bool
    ) async {
        var wanted = sends
        if !copies {
            let ranges = Burial.ranges(sends.map(\.0.offset))
            let claimed = await mover.claim(key, ranges)
            wanted = JobScan.inside(claimed, sends)
        }
        let number = mover.nextNumber()
        let identity = MoveIdentity(shard: mover.shard.id, number: number, source: key.partition)
        var batcher = MoveBatcher(identity: identity, limits: broker.limits, now: broker.clock.now)
        for (record, target, headers) in wanted {
            batcher.add(record, to: target, headers: headers)
            if targets.count < 1_000 { targets.insert(target) }
        }
        guard batcher.count > 0 else { return progress.add(window, of: key.partition) }
        let order = MoveOrder(
            number: number, key: key, end: copies ? nil : .moved, job: id, window: window, parts: batcher.finish())
        pacing.noteSent(Int64(batcher.count))
        broker.expectOutcomes(at: order, true)
        flying.append(Flight(order: order, task: Task { await mover.perform(order) }))
        progress.add(window, of: key.partition)
    }
}
