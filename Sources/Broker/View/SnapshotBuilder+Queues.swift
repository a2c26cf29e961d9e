import Control
import Model
import Queues

extension SnapshotBuilder {
    /// Rows are made only for the window: with 10,000 queues a snapshot sorts numbers and compares names that are in lower case already.
    func queuePage(_ list: ListQuery) throws(ControlError) -> Page<QueueRow> {
        let filter = try NameFilter(list.filter)
        let tracks = state.queues.tracks
        var found = tracks.indices.filter { filter.matches(tracks[$0].sample.name, folded: tracks[$0].folded) }
        if let key = Self.queueKey(list.sort) {
            let keyed = found.map { (key: key(self, tracks[$0]), place: $0) }
            found = keyed.sorted { left, right in
                left.key == right.key ? left.place < right.place : (left.key < right.key) != list.descending
            }.map(\.place)
        } else if list.descending {
            found.reverse()
        }
        let start = min(max(0, list.start), found.count)
        let window = found[start..<min(found.count, start + max(0, list.count))]
        return Page(rows: window.map { row(tracks[$0]) }, start: start, matched: found.count, total: tracks.count)
    }

    private static func queueKey(_ field: String) -> ((SnapshotBuilder, QueueTrack) -> Double)? {
        switch field {
        case "ready": { Double($1.sums.ready) }
        case "unacked": { Double($1.sums.unacked) }
        case "delayed": { Double($1.sample.delayed) }
        case "retrying": { Double($1.sums.retrying) }
        case "dead": { Double($1.sums.dead) }
        case "dropped": { Double($1.sums.dropped) }
        case "inRate": { $1.inRate }
        case "outRate": { $1.outRate }
        case "ackRate": { $1.ackRate }
        case "netRate": { $1.netRate }
        case "consumers": { Double($1.sample.consumers) }
        case "oldestMs": { Double($0.oldest($1) ?? -1) }
        case "etaMs": { $0.eta($1).drains ? Double($0.eta($1).ms ?? 0) : .infinity }
        case "bytes": { Double($1.sums.bytes) }
        case "limitShare": { $1.nearestLimit?.share ?? -1 }
        case "refused": { Double($1.sums.refused) }
        case "state", "held": { $1.sums.holdsDelivery ? 2 : $1.sums.holdsPublishing ? 1 : 0 }
        default: nil
        }
    }

    func row(_ track: QueueTrack) -> QueueRow {
        var row = QueueRow(name: track.sample.name)
        row.ready = track.sums.ready
        row.unacked = track.sums.unacked
        row.delayed = track.sample.delayed
        row.retrying = track.sums.retrying
        row.dead = track.sums.dead
        row.dropped = track.sums.dropped
        row.inRate = track.inRate
        row.outRate = track.outRate
        row.ackRate = track.ackRate
        row.netRate = track.netRate
        row.consumers = track.sample.consumers
        row.oldestMs = oldest(track)
        (row.etaMs, row.drains) = eta(track)
        row.held = track.sums.holdsDelivery
        row.blocked = track.sums.holdsPublishing
        row.isDeadLetter = track.isDeadLetter
        row.bytes = track.sums.bytes
        row.limitShare = track.nearestLimit?.share
        row.refused = track.sums.refused
        row.trend = track.trend.suffix(60).map { Double($0) }
        return row
    }

    /// Age of the oldest message that is not settled, where any is ready.
    func oldest(_ track: QueueTrack) -> Int64? {
        guard track.sums.ready > 0 else { return nil }
        return track.sample.cursors.compactMap { state.queues.ages[$0.key]?.appendedAt }.min().map { max(0, now - $0) }
    }

    /// Until the queue's slowest partition is drained is not known by partition; a queue has one unless declared otherwise, so the queue's
    /// own net rate says it.
    func eta(_ track: QueueTrack) -> (ms: Int64?, drains: Bool) {
        guard track.sums.ready > 0 else { return (0, true) }
        guard track.netRate < -0.01 else { return (nil, false) }
        return (Int64(min(1e15, Double(track.sums.ready) / -track.netRate * 1_000)), true)
    }

    // MARK: One queue

    func queueDetail(_ name: String) -> QueueDetail? {
        guard let track = state.queues[name] else { return nil }
        var detail = QueueDetail()
        detail.row = row(track)
        detail.partitions = track.sample.cursors.map { counts in
            var row = QueuePartitionRow()
            row.topic = track.sample.topicName
            row.partition = counts.key.partition.index
            row.start = counts.start.value
            row.end = counts.end.value
            row.firstOpen = counts.firstOpen.value
            row.ready = counts.ready
            row.unacked = counts.acquired
            row.retrying = counts.waiting
            return row
        }
        detail.configs = configs(track)
        detail.priorities = track.sample.isQueue ? priorities(track) : nil
        // The first to be delivered first.
        if detail.priorities != nil { detail.partitions.sort { $0.partition > $1.partition } }
        detail.policy = PolicyText.retry(track.policy)
        detail.deadLetter = track.deadLetterTarget
        detail.limits = PolicyText.limits(track.policy, nearest: track.nearestLimit)
        detail.attempts = Self.attempts(track.attempts, track.policy)
        detail.history = graph(track)
        return detail
    }

    static func attempts(_ counts: [AttemptCount], _ policy: QueuePolicy?) -> [AttemptRow] {
        counts.enumerated().compactMap { index, count in
            guard count.delivered > 0 else { return nil }
            var row = AttemptRow()
            row.attempt = index + 1
            row.waitMs = index == 0 ? nil : policy?.retry?.delayMs(afterAttempt: index)
            row.count = count.delivered
            row.succeeded = count.succeeded
            row.died = count.died
            return row
        }
    }

    private func priorities(_ track: QueueTrack) -> Int? {
        track.settings?.topic["queue.priorities"].flatMap { Int($0) }.flatMap { $0 > 1 ? $0 : nil }
    }

    private func configs(_ track: QueueTrack) -> [ConfigRow] {
        let definitions = track.sample.isQueue ? ConfigDefinition.topicList : ConfigDefinition.groupList
        let topic = track.sample.isQueue ? track.settings?.topic ?? [:] : [:]
        let given = topic.merging(track.settings?.group ?? [:]) { $1 }
        return definitions.map { definition in
            ConfigRow(
                name: definition.name, value: given[definition.name] ?? definition.defaultValue,
                isDefault: given[definition.name] == nil)
        }
    }

    private func graph(_ track: QueueTrack) -> QueueHistory {
        var history = QueueHistory()
        var points = track.coarse.suffix(90)
        history.stepMs = Int64(QueueTrack.coarseSeconds) * 1_000
        if let fine = track.fine?.suffix(300), fine.count >= 30 || points.count < 4 {
            points = fine
            history.stepMs = 1_000
        }
        history.endMs = state.endMs
        history.ready = points.map { Double($0.ready) }
        history.inRate = points.map { Double($0.inRate) }
        history.outRate = points.map { Double($0.outRate) }
        return history
    }
}
