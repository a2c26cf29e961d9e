import Control
import Model

extension Broker {
    /// What waits, of one queue or of all; nil when the queue is not there.
    ///
    /// Retries are looked at one by one, up to ``Limits/scheduledRetries`` of them: what is beyond is counted and in no bucket.
    func delayOverview(_ query: DelayQuery, _ tracks: QueueTracks) async -> DelayOverview? {
        var wanted = tracks.tracks
        if let name = query.queue {
            guard let track = tracks[name] else { return nil }
            wanted = [track]
        }
        var overview = DelayOverview()
        var schedule = DelaySchedule()
        if wanted.count != 1 || query.queue == nil || wanted[0].sample.isQueue {
            overview = await delayOverview(queue: query.queue)
            schedule.add(overview)
        }
        await addRetries(of: wanted, to: &schedule)
        overview.queue = query.queue
        overview.retrying = wanted.reduce(0) { $0 + $1.sums.retrying }
        overview.overdue = schedule.overdue
        overview.nextDueMs = schedule.nextDueMs
        overview.buckets = schedule.rows
        overview.forecastStepMs = DelaySchedule.forecastStepMs
        overview.forecast = schedule.forecastRates
        overview.attempts =
            query.queue == nil
            ? SnapshotBuilder.attempts(QueueTrack.attempts(of: wanted), nil)
            : wanted.first.map { SnapshotBuilder.attempts($0.attempts, $0.policy) } ?? []
        return overview
    }

    /// Delayed messages of a queue, or one of them.
    func addDelayedMessages(_ query: SnapshotQuery, to snapshot: inout Snapshot) async throws(ControlError) {
        if let name = query.message, name.id.hasPrefix("d"), let found = await delayedMessage(name.id), found.row.queue == name.queue {
            snapshot.message = found
        }
        guard let messages = query.messages, messages.state == .delayed else { return }
        do {
            snapshot.messages = try await delayedMessages(
                queue: messages.queue, fromMs: messages.fromMs, toMs: messages.toMs, start: messages.start, limit: messages.count)
        } catch {
            throw ControlError(.failed, "\(messages.queue): the delayed messages can't be read: \(error)")
        }
    }

    /// The step of the next five minutes in which far more messages come due than around it.
    func herd(_ tracks: QueueTracks) async -> DelayHerd? {
        guard let overview = await delayOverview(DelayQuery(), tracks) else { return nil }
        return DelayHerd(overview, now: clock.now)
    }

    private func addRetries(of tracks: [QueueTrack], to schedule: inout DelaySchedule) async {
        var budget = limits.scheduledRetries
        let now = clock.now
        for counts in tracks.flatMap(\.sample.cursors) where counts.waiting > 0 && budget > 0 {
            let limit = budget
            let waiting = await withCheckedContinuation { continuation in
                shard(of: counts.key.partition).listMessages(counts.key, .waiting, from: .zero, count: limit) {
                    continuation.resume(returning: $0)
                }
            }
            budget -= waiting.count
            for message in waiting {
                guard let due = message.due else { continue }
                schedule.add(retryIn: due - now, attempt: message.attempts + 1)
            }
        }
    }

    /// Who reads a queue and what each holds, the fullest first. A member that left may still hold messages until they are given back.
    func consumers(of track: QueueTrack) async -> [ConsumerRow] {
        var held: [String: Int64] = [:]
        for counts in track.sample.cursors where counts.acquired > 0 {
            let holders = await withCheckedContinuation { continuation in
                shard(of: counts.key.partition).holders(of: counts.key) { continuation.resume(returning: $0) }
            }
            for holder in holders { held[holder.member, default: 0] += holder.held }
        }
        let members = await shareGroup(track.sample.group)?.members.values.map { $0 } ?? []
        var rows: [ConsumerRow] = []
        for member in members where member.assignment.contains(where: { $0.id == track.sample.topic }) {
            var row = ConsumerRow()
            row.id = member.id
            row.client = member.clientID
            row.host = member.clientHost
            row.unacked = held.removeValue(forKey: member.id) ?? 0
            rows.append(row)
        }
        for (member, count) in held {
            var row = ConsumerRow()
            row.id = member
            row.unacked = count
            rows.append(row)
        }
        return rows.sorted { ($1.unacked, $0.id) < ($0.unacked, $1.id) }
    }
}
