import Control
import Model
import Queues
import Storage

/// What jobs and previews ask of partitions and cursors.
extension Broker {
    /// The first offset of each partition that is not settled.
    func starts(of source: QueueName) async -> [Int64] {
        var result: [Int64] = []
        for key in source.keys {
            let counts = await counts(of: key)
            let start = await shard(of: key.partition).ask { $0.partitions[key.partition]?.start ?? .zero }
            result.append(max(counts?.firstOpen ?? start, start).value)
        }
        return result
    }

    /// Where each partition ends now.
    func ends(of source: QueueName) async -> [Int64] {
        var result: [Int64] = []
        for key in source.keys {
            result.append(await shard(of: key.partition).ask { $0.partitions[key.partition]?.highWatermark.value ?? 0 })
        }
        return result
    }

    func counts(of key: ShareKey) async -> CursorCounts? {
        await withCheckedContinuation { continuation in
            shard(of: key.partition).counts(of: key) { continuation.resume(returning: $0) }
        }
    }

    /// Ready messages of the fullest of these partitions, by the cursors of the queues they belong to.
    func backlog(of targets: Set<PartitionID>) async -> Int64? {
        var most: Int64?
        for target in targets {
            guard let topic = catalog.current[target.topic], topic.config.isQueue,
                let counts = await counts(of: ShareKey(group: topic.name, partition: target))
            else { continue }
            most = max(most ?? 0, counts.ready)
        }
        return most
    }

    /// Hands what shards have counted for jobs to them.
    func countOutcomes() {
        for shard in shards { jobs.note(shard.settlements.take()) }
    }

    func replay(_ key: ShareKey, _ range: Range<Offset>, dryRun: Bool) async throws(ControlError) -> Int64 {
        let result = await withCheckedContinuation { continuation in
            shard(of: key.partition).replay(key, range, dryRun: dryRun) { continuation.resume(returning: $0) }
        }
        switch result {
        case .success(let count): return count
        case .failure(let error): throw ControlError(.failed, "\(key.group): messages could not be made ready again: \(error)")
        }
    }

    /// The stretch of each partition that a replay means, within what the log holds.
    func ranges(of replay: Replay, _ source: QueueName) async throws(ControlError) -> [(ShareKey, Range<Offset>)] {
        if let index = replay.partition, source.key(index) == nil {
            throw ControlError(.notFound, "\(replay.queue) has partitions 0 to \(source.topic.partitions - 1)")
        }
        var ranges: [(ShareKey, Range<Offset>)] = []
        for key in source.keys where replay.partition.map({ $0 == key.partition.index }) ?? true {
            let held = await shard(of: key.partition).ask { shard in
                shard.partitions[key.partition].map { (start: $0.start, end: $0.highWatermark) }
            }
            guard let held else { continue }
            let from = try await offset(replay.from, key.partition)
            let to: Offset
            if let target = replay.to { to = try await offset(target, key.partition) } else { to = held.end }
            let first = min(max(from, held.start), held.end)
            ranges.append((key, first..<max(first, min(to, held.end))))
        }
        return ranges
    }

    private func offset(_ from: Replay.From, _ id: PartitionID) async throws(ControlError) -> Offset {
        switch from {
        case .earliest: return .zero
        case .offset(let offset): return Offset(max(0, offset))
        case .time(let ms):
            let answer = await withCheckedContinuation { continuation in
                shard(of: id).offset(of: id, .timestamp(Timestamp(ms: ms)), leaderEpoch: -1) { continuation.resume(returning: $0) }
            }
            if let error = answer.error { throw ControlError(.failed, "partition \(id) could not be asked: \(error)") }
            return answer.offset.value < 0 ? Offset(Int64.max) : answer.offset
        }
    }
}
