import CWeir
import Control
import Model
import Storage
import Synchronization

/// What keeps the broker from its work: publishers that are held because disk or memory are short, shards that an error of the disk has
/// closed. Any thread.
final class BrokerHealth: Sendable {
    private struct State {
        var marks: Watermarks
        var reading = ResourceReading()
        var heldSince = Timestamp.none
        var broken: [BrokenShard] = []
    }
    struct BrokenShard: Sendable {
        var shard: ShardID
        var error: LogError
        var at: Timestamp
    }
    /// A publisher hold that begins, ends or goes on.
    struct Change: Sendable {
        var decision: Watermarks.Decision
        var before: Hold?
    }

    private let state: Mutex<State>
    /// Records that were refused while publishers were held.
    let refused = Atomic<Int64>(0)
    let isReading = Atomic(false)
    /// Who keeps memory for later and can do without.
    private let keepers = Mutex<[@Sendable () async -> Void]>([])

    init(_ marks: Watermarks.Marks) { state = Mutex(State(marks: Watermarks(marks: marks))) }

    var hold: Hold? { state.withLock { $0.marks.hold } }
    var reading: ResourceReading { state.withLock { $0.reading } }
    var broken: [BrokenShard] { state.withLock { $0.broken } }

    /// `giveBack` is called when memory is short.
    func keepsMemory(_ giveBack: @escaping @Sendable () async -> Void) { keepers.withLock { $0.append(giveBack) } }

    func giveBackMemory() async {
        for giveBack in keepers.withLock({ $0 }) { await giveBack() }
    }

    func noteFull() { state.withLock { $0.marks.noteFull() } }

    func take(_ reading: ResourceReading, settledBytes: Int64, now: Timestamp) -> Change {
        state.withLock { state in
            let before = state.marks.hold
            state.reading = reading
            let decision = state.marks.take(reading, settledBytes: settledBytes)
            if before == nil, decision.hold != nil { state.heldSince = now }
            return Change(decision: decision, before: before)
        }
    }

    /// The first error counts.
    func noteBroken(_ shard: ShardID, _ error: LogError, at now: Timestamp) -> Bool {
        state.withLock { state in
            guard !state.broken.contains(where: { $0.shard == shard }) else { return false }
            state.broken.append(BrokenShard(shard: shard, error: error, at: now))
            return true
        }
    }

    /// For the header, health and metrics.
    func fill(_ info: inout BrokerInfo) {
        state.withLock { state in
            info.diskFreeBytes = state.reading.diskFreeBytes
            info.diskTotalBytes = state.reading.diskTotalBytes
            info.diskLowBytes = state.marks.diskLowBytes(state.reading)
            info.memoryHighBytes = state.marks.memoryHighBytes
            info.publishHold = state.marks.hold.map {
                PublishHold(cause: $0.cause.rawValue, text: $0.text, sinceMs: state.heldSince.ms)
            }
        }
        info.heldPublishes = refused.load(ordering: .relaxed)
    }
}

extension Broker {
    /// Looks at disk and memory; once a second, never two at a time.
    func watchResources() {
        guard let look = resources, !health.isReading.exchange(true, ordering: .acquiringAndReleasing) else { return }
        Task {
            await obey(look())
            health.isReading.store(false, ordering: .releasing)
        }
    }

    /// For doors: `giveBack` is called when memory is short, for what is kept for later only.
    public func keepsMemory(_ giveBack: @escaping @Sendable () async -> Void) { health.keepsMemory(giveBack) }

    /// Gives back settled data, holds publishers and lets them go on, as the marks say. When it returns, every shard knows.
    func obey(_ reading: ResourceReading) async {
        let change = health.take(reading, settledBytes: space.settledBytes, now: clock.now)
        let (decision, before) = (change.decision, change.before)
        space.wantsBack(decision.reclaimBytes)
        if decision.reclaimBytes > 0 { for shard in shards { shard.run { shard.retain(onlyQueues: true) } } }
        if decision.trimsMemory {
            for shard in shards { _ = await shard.ask { $0.delays?.pool.forgetAll() } }
            await health.giveBackMemory()
            weir_trim_memory()
        }
        guard decision.hold != before else { return }
        for shard in shards { _ = await shard.ask { $0.publishHold = decision.hold } }
        guard decision.hold?.cause != before?.cause else { return }
        if let hold = decision.hold {
            events.add(.error, hold.text, at: clock.now)
            logger.error("\(hold.text)")
        } else if let before {
            let text = "publishers go on: there is enough \(before.cause == .disk ? "room on the disk" : "memory") again"
            events.add(.info, text, at: clock.now)
            logger.notice("\(text)")
        }
    }

    /// A shard can't write any more.
    func noteBroken(_ shard: ShardID, _ error: LogError) {
        guard health.noteBroken(shard, error, at: clock.now) else { return }
        events.add(.error, "shard \(shard) takes nothing any more: \(error); look at the log, mend the disk, restart", at: clock.now)
    }

    /// Shards that are closed, with what is out because of them.
    func brokenShards() -> [BrokenShardRow] {
        let broken = health.broken
        guard !broken.isEmpty else { return [] }
        let topics = catalog.current.sorted
        return broken.map { broken in
            var row = BrokenShardRow(shard: broken.shard.value, error: "\(broken.error)", atMs: broken.at.ms)
            for topic in topics {
                let count = topic.partitionIDs.count { shard(of: $0).id == broken.shard }
                guard count > 0 else { continue }
                row.partitions += count
                row.topics += 1
                if row.names.count < limits.brokenNames { row.names.append(topic.name) }
            }
            return row
        }
    }
}
