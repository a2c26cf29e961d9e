import CWeir
import Model
import NIOCore
import Storage
import Synchronization

extension Broker {
    /// Asks every shard for its counters and groups and hands them to the statistics; once a second, never two at a time.
    func sample() {
        guard !statistics.isSampling.exchange(true, ordering: .acquiringAndReleasing) else { return }
        Task {
            let commands = statistics.commands.load(ordering: .relaxed)
            var samples: [Statistics.PartitionSample] = []
            var views: [GroupView] = []
            var shares: [GroupView] = []
            var cursors: [CursorCounts] = []
            for (shard, coordinator) in zip(shards, shareCoordinators) {
                let (partitions, groups, members, counts) = await shard.ask {
                    ($0.partitionSamples(), $0.groupViews(), coordinator.views(), $0.cursorCounts())
                }
                samples += partitions
                views += groups
                shares += members
                cursors += counts
            }
            GroupView.place(cursors, in: &shares, now: clock.now)
            views += shares
            let groups = await groupSamples(views, samples)
            var queues = await queueIntake(cursors, samples)
            queues.commands = commands
            statistics.take(
                samples, groups: groups, queues: queues, cpuNs: weir_process_cpu_ns(), now: clock.now, monotonic: clock.monotonic)
            statistics.isSampling.store(false, ordering: .releasing)
        }
    }

    /// Groups' committed offsets next to where their partitions end, and the times of the next records they would read: those that are
    /// not known from the last sample are looked up, one call a shard.
    private func groupSamples(_ views: [GroupView], _ partitions: [Statistics.PartitionSample]) async -> [GroupSample] {
        guard !views.isEmpty else { return [] }
        let topics = catalog.current
        let byID = Dictionary(partitions.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        let known = statistics.state.withLock { $0.groups }
        var groups: [GroupSample] = []
        var wanted: [[TimeLookup]] = Array(repeating: [], count: shards.count)
        for view in views {
            var sample = GroupSample(view: view)
            for committed in view.committed {
                let name = committed.partition
                guard let id = topics[name.topic]?.partition(name.partition), let partition = byID[id] else { continue }
                var position = GroupPosition(start: partition.start, end: partition.end)
                let next = max(committed.offset, partition.start)
                if next < partition.end {
                    position.nextUnread = known.nextUnread(group: view.name, name, at: committed.offset)
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
    func partitionSamples(where isWanted: (Partition) -> Bool = { _ in true }) -> [Statistics.PartitionSample] {
        partitions.values.filter(isWanted).map {
            .init(
                id: $0.id, start: $0.start, end: $0.highWatermark, holes: $0.holeCount, bytes: $0.bytes, counters: $0.counters)
        }
    }

    /// The base times of the batches that hold these records; nil where there is none or the log can't say.
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
                        self.run { run.end(index, try? located.get().header.baseTimestamp) }
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
