import Model
import Queues
import Storage

/// Asks what a start would make of a shard's facts, and compares it with what lives now: cursors, moves, delayed messages. For simulation
/// and tests; the shard goes on meanwhile.
public struct FactAudit: Sendable {
    public enum Verdict: Equatable, Sendable {
        case equal
        case differs(String)
        /// Something was on its way to the log, or a snapshot overtook the audit: nothing can be said.
        case busy
    }

    private let shard: Shard

    public init(shard: Shard) { self.shard = shard }

    // MARK: Cursors

    private struct Cursors: Sendable {
        var machines: [ShareKey: QueueCursor]
        var floors: [ShareKey: Offset]
        var end: Offset
    }

    /// - Throws: what a start would fail with.
    public func cursors() async throws -> Verdict {
        guard let live = await liveCursors() else { return .busy }
        let extent = StreamExtent(start: .zero, end: live.end, bytes: 0, maxTimestamp: .none)
        let recovered = try await CursorRecovery(shard: shard).cursors(extent: extent)
        if let blob = try await shard.store.getBlob(CursorSnapshot.key(shard.id)), let snapshot = CursorSnapshot(blob),
            snapshot.end > live.end
        {
            return .busy
        }
        // Reading took its time, and what a start finds due is ready at once.
        guard let now = await shard.ask({ $0.cursors?.now }) else { return .busy }
        for (key, machine) in live.machines.sorted(by: { "\($0.key)" < "\($1.key)" }) {
            // What is acquired or claimed goes back where it was, as a crash would have it.
            var facts = QueueCursor(policy: machine.policy, limits: shard.options.limits)
            for fact in machine.snapshot() { facts.apply(fact) }
            guard let other = recovered[key] else { return .differs("cursor \(key) is not in the facts") }
            let (left, right) = (Self.text(facts, of: live, key, now), Self.text(other, of: live, key, now))
            if left != right { return .differs("cursor \(key) is \(left); its facts say \(right)") }
        }
        return .equal
    }

    private func liveCursors() async -> Cursors? {
        await withCheckedContinuation { continuation in
            shard.run {
                guard let host = shard.cursors, shard.broken == nil, !host.snapshots.isForced, !host.snapshots.isRunning else {
                    return continuation.resume(returning: nil)
                }
                var live = Cursors(
                    machines: host.cursors.mapValues(\.machine), floors: host.cursors.mapValues { $0.partition.start }, end: .zero)
                host.queue.seal { error in
                    live.end = host.queue.loggedEnd
                    continuation.resume(returning: error == nil ? live : nil)
                }
            }
        }
    }

    /// Everything durable about a cursor, with what is due by `now` ready.
    private static func text(_ machine: QueueCursor, of live: Cursors, _ key: ShareKey, _ now: CursorTime) -> String {
        var machine = machine
        machine.end = live.machines[key]?.end ?? .zero
        machine.raiseFloor(to: live.floors[key] ?? .zero)
        machine.promote(now: now)
        var text = "totals \(machine.totals) gates \(machine.holdsDelivery) \(machine.holdsPublishing)"
        for state in [CursorState.ready, .waiting, .moving] {
            text += " \(state)"
            var last: CursorRun?
            for run in machine.list(state, in: .zero..<machine.end, limit: .max) {
                if var joined = last, joined.range.upperBound == run.range.lowerBound, joined.attempts == run.attempts,
                    joined.due == run.due
                {
                    joined.range = joined.range.lowerBound..<run.range.upperBound
                    last = joined
                } else {
                    if let last { text += Self.text(last) }
                    last = run
                }
            }
            if let last { text += Self.text(last) }
        }
        for case .saved(let mark, let ready, let waiting) in machine.snapshot() {
            // Whether what waited had become ready before the purge is no matter: it would be by the time it comes back.
            let offsets = (ready + waiting).flatMap { Array($0.range.lowerBound.value..<$0.range.upperBound.value) }.sorted()
            text += " purge \(mark.id) until \(mark.until.ms): \(offsets)"
        }
        return text
    }

    private static func text(_ run: CursorRun) -> String {
        " [\(run.range.lowerBound), \(run.range.upperBound)) \(run.attempts)" + (run.due.map { " due \($0.ms)" } ?? "")
    }

    // MARK: Moves

    public func moves() async throws -> Verdict {
        let live = await shard.ask { shard in shard.broken == nil ? shard.mover.map { ($0.ledger, $0.loggedEnd) } : nil }
        guard let (ledger, end) = live, let broker = await shard.ask({ $0.mover?.broker }) else { return .busy }
        let extent = StreamExtent(start: .zero, end: end, bytes: 0, maxTimestamp: .none)
        let recovered = try await MoveRecovery(shard: shard, broker: broker).ledger(extent: extent)
        if let blob = try await shard.store.getBlob(MoveSnapshot.key(shard.id)), let snapshot = MoveSnapshot(blob), snapshot.end > end {
            return .busy
        }
        return recovered == ledger ? .equal : .differs("the ledger of moves is \(ledger); its facts say \(recovered)")
    }

    // MARK: Delays

    /// Lists every message that waits, by its handle: `d0-17 due 1767225603365`.
    public func delays() async throws -> Verdict {
        guard let live = await liveDelays() else { return .busy }
        let found: DelayRecovery.Found
        do { found = try await DelayRecovery(shard: shard, extents: live.extents, learned: []).run() } catch LogError.outOfRange {
            return .busy  // Freed while it was read.
        }
        if let blob = try await shard.store.getBlob(DelaySnapshot.key(shard.id)), let snapshot = DelaySnapshot(blob),
            snapshot.end > (live.extents[.facts(shard.id, .delay)]?.end ?? .zero)
        {
            return .busy
        }
        let left: [String]
        let right: [String]
        do { (left, right) = (try await waiting(live.store), try await waiting(found.store)) } catch LogError.outOfRange {
            // Freed while it was read, or missing?
            return await hasDropped(runsOf: live.store) ? .busy : .differs("runs that the delay store needs are not in the log")
        }
        if left != right { return .differs("waiting in the delay store: \(left); its facts say \(right)") }
        // After a start the counts hold what was released before it until its turn comes.
        guard live.store.released.isEmpty else { return .equal }
        let counted = live.store.counts.totals.values.reduce(0, +)
        if counted != left.count { return .differs("the delay store counts \(counted) messages, and \(left.count) wait: \(left)") }
        return .equal
    }

    private struct Delays: Sendable {
        var store: DelayStore
        var extents: [StreamID: StreamExtent]
    }

    private func liveDelays() async -> Delays? {
        await shard.ask { shard in
            guard let host = shard.delays, shard.broken == nil, host.isQuiet else { return nil }
            func upTo(_ end: Offset, from start: Offset = .zero) -> StreamExtent {
                StreamExtent(start: start, end: end, bytes: 0, maxTimestamp: .none)
            }
            var extents: [StreamID: StreamExtent] = [.facts(shard.id, .delay): upTo(host.loggedEnd)]
            for band in 0..<DelayBand.count {
                extents[host.bodiesStream(band)] = upTo(host.writtenEnds[band])
                extents[host.runsStream(band)] = upTo(host.runEnds[band])
            }
            for (id, partition) in shard.partitions { extents[.partition(id)] = upTo(partition.highWatermark, from: partition.start) }
            return Delays(store: host.store, extents: extents)
        }
    }

    /// Whether the shard is done with a run that it had at the time of `store`.
    private func hasDropped(runsOf store: DelayStore) async -> Bool {
        await shard.ask { shard in
            guard let host = shard.delays else { return true }
            return store.runs.indices.contains { band in
                let kept = Set(host.store.runs[band].map(\.run.first))
                return store.runs[band].contains { !kept.contains($0.run.first) }
            }
        }
    }

    private func waiting(_ store: DelayStore) async throws -> [String] {
        var store = store
        var found: [String] = []
        while true {
            let take = store.take(dueMs: .max, limit: 1_000)
            for entry in take.entries {
                for index in 0..<Int(entry.count) {
                    found.append("\(entry.ref.advanced(by: index).handle(shard: shard.id)) due \(entry.dueMs)")
                }
            }
            if let needs = take.needs {
                store.load(needs, try await DelayReader(log: shard.log, shard: shard.id).block(needs).get())
            } else if take.through == nil {
                return found.sorted()
            }
        }
    }
}

extension DelayHost {
    /// Nothing is being taken in, released or written out.
    var isQuiet: Bool {
        rounds.isEmpty && !isPreparing && !isFailing && unwrittenStart == unwritten.count && !frontIsLogging && !spillRunning
            && store.frozen == nil && !hasLost && !store.hasReturned && traces.isEmpty && loggedEnd == shard.factEnds[.delay] ?? .zero
    }
}
