import Control
import Model

extension Broker {
    /// What waits, of one queue or of all; nil when the queue is not there.
    ///
    /// Retries are looked at one by one, up to ``Limits/scheduledRetries`` of them: what is beyond is counted and in no bucket.
    func delayOverview(_ query: DelayQuery, _ tracks: QueueTracks) async -> DelayOverview? {
        var wanted = tracks.order.filter { tracks.figures[$0].retrying > 0 }
        if let name = query.queue {
            guard let place = tracks.place(of: name) else { return nil }
            wanted = [place]
        }
        var overview = DelayOverview()
        var schedule = DelaySchedule()
        if query.queue == nil || tracks.tracks[wanted[0]].sample.isQueue {
            overview = await delayOverview(queue: query.queue)
            schedule.add(overview)
        }
        await addRetries(of: wanted.map { tracks.tracks[$0] }, to: &schedule)
        overview.queue = query.queue
        overview.retrying = wanted.reduce(0) { $0 + tracks.figures[$1].retrying }
        overview.overdue = schedule.overdue
        overview.nextDueMs = schedule.nextDueMs
        overview.buckets = schedule.rows
        overview.forecastStepMs = DelaySchedule.forecastStepMs
        overview.forecast = schedule.forecastRates
        overview.attempts =
            query.queue == nil
            ? SnapshotBuilder.attempts(tracks.attempts, nil)
            : wanted.first.map { SnapshotBuilder.attempts(tracks.tracks[$0].attempts(at: tracks.lastTick), tracks.tracks[$0].policy) } ?? []
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
}
