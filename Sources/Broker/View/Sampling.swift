import CWeir
import Model
import NIOCore
import Storage

extension Broker {
    /// Asks every shard for its counters and groups and hands them to the statistics; once a second, never two at a time.
    func sample() {
        Task {
            var samples: [Statistics.PartitionSample] = []
            var groups: [GroupSample] = []
            for shard in shards {
                let (partitions, views) = await shard.ask { ($0.partitionSamples(), $0.groupViews()) }
                samples += partitions
                for view in views { groups.append(await groupSample(view)) }
            }
            statistics.take(samples, groups: groups, cpuNs: weir_process_cpu_ns(), now: clock.now, monotonic: clock.monotonic)
        }
    }

    /// A group's committed offsets next to where its partitions end, and the time of the next record it would read.
    private func groupSample(_ view: GroupView) async -> GroupSample {
        let topics = catalog.current
        var sample = GroupSample(view: view)
        for committed in view.committed {
            guard let id = topics[committed.partition.topic]?.partition(committed.partition.partition) else { continue }
            let shard = shard(of: id)
            let known = statistics.nextUnread(group: view.name, committed.partition, at: committed.offset)
            sample.partitions[committed.partition] = await shard.position(of: id, committed: committed.offset, known: known)
        }
        return sample
    }
}

/// A partition seen from a group: where it ends and when the next unread record was made.
struct GroupPosition: Sendable {
    var start: Offset
    var end: Offset
    /// Time of the batch that holds the next unread record; nil when all is read or it is not known.
    var nextUnread: Timestamp?
    var counters: PartitionCounters
}

struct GroupSample: Sendable {
    var view: GroupView
    var partitions: [TopicPartition: GroupPosition] = [:]
}

extension Shard {
    func partitionSamples() -> [Statistics.PartitionSample] {
        partitions.values.map {
            .init(id: $0.id, start: $0.start, end: $0.highWatermark, bytes: $0.bytes, counters: $0.counters)
        }
    }

    /// - Parameter known: the answer of last time, if the committed offset has not moved since.
    func position(of id: PartitionID, committed: Offset, known: Timestamp?) async -> GroupPosition? {
        await withCheckedContinuation { continuation in
            run {
                guard let partition = self.partitions[id] else { return continuation.resume(returning: nil) }
                var position = GroupPosition(
                    start: partition.start, end: partition.highWatermark, nextUnread: nil, counters: partition.counters)
                let next = max(committed, partition.start)
                guard next < partition.highWatermark else { return continuation.resume(returning: position) }
                if let known {
                    position.nextUnread = known
                    return continuation.resume(returning: position)
                }
                let found = position
                let answer: @Sendable (Result<Located, LogError>) -> Void = { located in
                    var found = found
                    if case .success(let place) = located { found.nextUnread = place.header.baseTimestamp }
                    continuation.resume(returning: found)
                }
                if let located = self.log.locate(partition.stream, .offset(next), later: answer) { answer(located) }
            }
        }
    }
}
