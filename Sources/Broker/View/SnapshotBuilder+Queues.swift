import Control
import Model
import Queues

extension SnapshotBuilder {
    /// Rows are made only for the window, and only what comes before its end is put in order: with 10,000 queues a snapshot looks at plain
    /// numbers, and at names that are in order and in lower case already.
    func queuePage(_ list: ListQuery) throws(ControlError) -> Page<QueueRow> {
        let filter = try NameFilter(list.filter)
        let queues = state.queues
        var found = queues.order
        if !list.filter.isEmpty {
            found = found.filter { filter.matches(queues.tracks[$0].sample.name, folded: queues.tracks[$0].folded) }
        }
        let places: [Int]
        if let key = queueKey(list.sort) {
            let keyed = found.enumerated().map { (key: key(queues.figures[$1]), rank: $0, place: $1) }
            places = Selection.window(of: keyed, start: list.start, count: list.count) { left, right in
                left.key == right.key ? left.rank < right.rank : (left.key < right.key) != list.descending
            }.map(\.place)
        } else {
            if list.descending { found.reverse() }
            places = Array(found.dropFirst(max(0, list.start)).prefix(max(0, list.count)))
        }
        return Page(
            rows: places.map { row($0) }, start: min(max(0, list.start), found.count), matched: found.count, total: queues.tracks.count)
    }

    private func queueKey(_ field: String) -> ((QueueFigures) -> Double)? {
        switch field {
        case "ready": { Double($0.ready) }
        case "unacked": { Double($0.unacked) }
        case "delayed": { Double($0.delayed) }
        case "retrying": { Double($0.retrying) }
        case "dead": { Double($0.dead) }
        case "dropped": { Double($0.dropped) }
        case "inRate": { $0.inRate }
        case "outRate": { $0.outRate }
        case "ackRate": { $0.ackRate }
        case "netRate": { $0.netRate }
        case "consumers": { Double($0.consumers) }
        case "oldestMs": { Double(oldest($0) ?? -1) }
        case "etaMs": { $0.eta.drains ? Double($0.eta.ms ?? 0) : .infinity }
        case "bytes": { Double($0.bytes) }
        case "limitShare": { $0.limit?.share ?? -1 }
        case "refused": { Double($0.refused) }
        case "state", "held": { $0.holdsDelivery ? 2 : $0.holdsPublishing ? 1 : 0 }
        default: nil
        }
    }

    func row(_ place: Int) -> QueueRow {
        let figures = state.queues.figures[place]
        var row = QueueRow(name: state.queues.tracks[place].sample.name)
        row.ready = figures.ready
        row.unacked = figures.unacked
        row.delayed = figures.delayed
        row.retrying = figures.retrying
        row.dead = figures.dead
        row.dropped = figures.dropped
        row.inRate = figures.inRate
        row.outRate = figures.outRate
        row.ackRate = figures.ackRate
        row.netRate = figures.netRate
        row.consumers = figures.consumers
        row.oldestMs = oldest(figures)
        (row.etaMs, row.drains) = figures.eta
        row.held = figures.holdsDelivery
        row.blocked = figures.holdsPublishing
        row.isDeadLetter = figures.isDeadLetter
        row.bytes = figures.bytes
        row.limitShare = figures.limit?.share
        row.refused = figures.refused
        row.trend = state.queues.tracks[place].trend(60, figures, at: state.queues.lastTick).map { Double($0) }
        return row
    }

    /// Age of the oldest message that is not settled, where any is ready.
    func oldest(_ figures: QueueFigures) -> Int64? {
        figures.ready > 0 ? figures.oldestAt.map { max(0, now - $0) } : nil
    }

    // MARK: One queue

    func queueDetail(_ name: String) -> QueueDetail? {
        guard let place = state.queues.place(of: name) else { return nil }
        let track = state.queues.tracks[place]
        let figures = state.queues.figures[place]
        var detail = QueueDetail()
        detail.row = row(place)
        detail.partitions = track.sample.cursors.enumerated().map { index, counts in
            var row = QueuePartitionRow()
            row.topic = track.sample.topicName
            row.partition = counts.key.partition.index
            row.start = counts.start.value
            row.end = counts.end.value
            row.firstOpen = counts.firstOpen.value
            row.ready = counts.ready
            row.unacked = counts.unacked
            row.retrying = counts.waiting
            row.netRate = track.sample.cursors.count == 1 ? figures.netRate : track.drain.net(of: counts.key, at: index)
            row.etaMs = row.netRate.flatMap { QueueDrain.eta(ready: counts.ready, net: $0).ms }
            return row
        }
        detail.configs = configs(track)
        detail.priorities = track.sample.isQueue ? priorities(track) : nil
        // The first to be delivered first.
        if detail.priorities != nil { detail.partitions.sort { $0.partition > $1.partition } }
        detail.policy = PolicyText.retry(track.policy)
        detail.deadLetter = track.deadLetterTarget
        detail.limits = PolicyText.limits(track.policy, fullness: figures.limit?.share)
        detail.attempts = Self.attempts(track.attempts(at: state.queues.lastTick), track.policy)
        detail.history = graph(track, figures)
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
        track.sample.settings.topic["queue.priorities"].flatMap { Int($0) }.flatMap { $0 > 1 ? $0 : nil }
    }

    private func configs(_ track: QueueTrack) -> [ConfigRow] {
        let definitions = track.sample.isQueue ? ConfigDefinition.topicList : ConfigDefinition.groupList
        let topic = track.sample.isQueue ? track.sample.settings.topic : [:]
        let given = topic.merging(track.sample.settings.group) { $1 }
        return definitions.map { definition in
            ConfigRow(
                name: definition.name, value: given[definition.name] ?? definition.defaultValue,
                isDefault: given[definition.name] == nil)
        }
    }

    private func graph(_ track: QueueTrack, _ figures: QueueFigures) -> QueueHistory {
        let (points, seconds) = track.graph(figures, at: state.queues.lastTick)
        var history = QueueHistory()
        history.stepMs = Int64(seconds) * 1_000
        history.endMs = state.endMs
        history.ready = points.map { Double($0.ready) }
        history.inRate = points.map { Double($0.inRate) }
        history.outRate = points.map { Double($0.outRate) }
        return history
    }
}

extension QueueFigures {
    /// Until the queue is drained: as its slowest partition says, or with one, or priorities, its own net rate.
    var eta: (ms: Int64?, drains: Bool) {
        guard ready > 0 else { return (0, true) }
        let eta = slowest ?? QueueDrain.eta(ready: ready, net: netRate)
        return (eta.ms, eta.ms != nil)
    }
}
