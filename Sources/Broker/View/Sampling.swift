import CWeir
import Model
import NIOCore
import Storage
import Synchronization

extension Broker {
    /// Looks at what changed on the shards and lets the second pass for rates and history; once a second, never two at a time.
    func sample() {
        guard !statistics.isSampling.exchange(true, ordering: .acquiringAndReleasing) else { return }
        Task {
            await refreshStatistics()
            var views: [GroupView] = []
            for (shard, coordinator) in zip(shards, shareCoordinators) {
                views += await shard.ask { $0.groupViews() + coordinator.views() }
            }
            let groups = await groupSamples(views)
            await lookUpAges()
            await forecast()
            clients.tick(at: clock.monotonic)
            statistics.tick(
                .init(
                    groups: groups, busiestQueues: limits.busiestQueues, cpuNs: weir_process_cpu_ns(), now: clock.now,
                    monotonic: clock.monotonic))
            statistics.isSampling.store(false, ordering: .releasing)
        }
    }

    /// Groups' committed offsets next to where their partitions end, and the times of the next records they would read: those that are
    /// not known from the last sample are looked up, one call a shard.
    private func groupSamples(_ views: [GroupView]) async -> [GroupSample] {
        guard !views.isEmpty else { return [] }
        let topics = catalog.current
        let state = statistics.state.withLock { $0 }
        var views = views
        GroupView.place(state.queues.foreignCursors, in: &views, now: clock.now)
        var groups: [GroupSample] = []
        var wanted: [[TimeLookup]] = Array(repeating: [], count: shards.count)
        for view in views {
            var sample = GroupSample(view: view)
            for committed in view.committed {
                let name = committed.partition
                guard let id = topics[name.topic]?.partition(name.partition), let partition = state.topics.partitions[id] else { continue }
                var position = GroupPosition(start: partition.start, end: partition.end)
                let next = max(committed.offset, partition.start)
                if next < partition.end {
                    position.nextUnread = state.groups.nextUnread(group: view.name, name, at: committed.offset)
                    if position.nextUnread == nil {
                        wanted[shard(of: id).id.value].append(
                            TimeLookup(group: groups.count, partition: name, id: id, offset: next))
                    }
                }
                sample.partitions[name] = position
            }
            groups.append(sample)
        }
        for (shard, lookups) in zip(shards, wanted) where !lookups.isEmpty {
            for (lookup, time) in zip(lookups, await shard.times(of: lookups.map { ($0.id, $0.offset) })) {
                groups[lookup.group].partitions[lookup.partition]?.nextUnread = time
            }
        }
        return groups
    }

    /// Looks up when the oldest open messages were appended, of at most ``Limits/sampledAges`` cursors whose first open message changed.
    private func lookUpAges() async {
        let wanted = statistics.state.withLock { $0.queues.takeAgeless(limits.sampledAges) }
        for shard in shards {
            let mine = wanted.filter { self.shard(of: $0.1) === shard }
            guard !mine.isEmpty else { continue }
            let times = await shard.times(of: mine.map { ($0.1, $0.2) })
            statistics.state.withLock { state in
                for ((key, partition, offset), time) in zip(mine, times) { state.queues.learn(time, at: offset, of: key, partition) }
            }
        }
    }

    /// A forecast of minutes needs no look every second.
    private func forecast() async {
        let queues = statistics.state.withLock { $0.queues }
        guard queues.ticks % 5 == 0 else { return }
        let herd = await herd(queues)
        statistics.state.withLock { $0.queues.herd = herd }
    }
}

/// A record whose time a group's view wants.
private struct TimeLookup {
    var group: Int
    var partition: TopicPartition
    var id: PartitionID
    var offset: Offset
}

/// A partition seen from a group: where it ends and when the next unread record was made.
struct GroupPosition: Sendable {
    var start: Offset
    var end: Offset
    /// Time of the batch that holds the next unread record; nil when all is read or it is not known.
    var nextUnread: Timestamp?
}

struct GroupSample: Sendable {
    var view: GroupView
    var partitions: [TopicPartition: GroupPosition] = [:]
}

extension Shard {
    /// When these records were appended: the base times of the batches that hold them, as far as they fit what the broker knows. nil where
    /// there is none or the log can't say.
    func times(of places: [(PartitionID, Offset)]) async -> [Timestamp?] {
        await withCheckedContinuation { continuation in
            run {
                let run = TimeRun(count: places.count) { continuation.resume(returning: $0) }
                for (index, (id, offset)) in places.enumerated() {
                    guard let partition = self.partitions[id] else {
                        run.end(index, nil)
                        continue
                    }
                    let offset = max(offset, partition.start)
                    let answer: @Sendable (Result<Located, LogError>) -> Void = { located in
                        self.run {
                            let stamp = try? located.get().header.baseTimestamp
                            run.end(index, stamp.map { partition.times.appendedAt(offset, stamp: $0) })
                        }
                    }
                    guard offset < partition.highWatermark else {
                        run.end(index, nil)
                        continue
                    }
                    if let located = self.log.locate(partition.stream, .offset(offset), later: answer) { answer(located) }
                }
            }
        }
    }
}

/// Time lookups under way on one shard. Owned by the shard's loop, which is what `@unchecked Sendable` rests on.
private final class TimeRun: @unchecked Sendable {
    private var times: [Timestamp?]
    private var missing: Int
    private let done: ([Timestamp?]) -> Void

    init(count: Int, done: @escaping ([Timestamp?]) -> Void) {
        times = Array(repeating: nil, count: count)
        missing = count
        self.done = done
    }

    func end(_ index: Int, _ time: Timestamp?) {
        times[index] = time
        missing -= 1
        if missing == 0 { done(times) }
    }
}
