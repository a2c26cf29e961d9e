import Control
import Model

extension SnapshotBuilder {
    /// A line of the list with what it is sorted by: the worst rank first, then the largest.
    typealias Found = (rank: Int, size: Int64, line: Attention)

    /// What an operator should look at among the queues. No threshold is configured: dead letters that grow, messages that nobody takes,
    /// a gate that is held or near its limit.
    func queueAttention() -> [Found] {
        var found: [Found] = []
        for track in state.queues.tracks {
            if track.isDeadLetter {
                if let line = deadLine(track) { found.append(line) }
                continue
            }
            if let line = consumerLine(track) { found.append(line) }
            if let line = limitLine(track) { found.append(line) }
            if let line = gateLine(track) { found.append(line) }
        }
        if let herd = state.queues.herd, herd.at > now { found.append((0, herd.count, herdLine(herd))) }
        return found
    }

    private func herdLine(_ herd: DelayHerd) -> Attention {
        let until = ShortText.age(herd.at - now)
        var text = "\(ShortText.count(Double(herd.count))) come due in \(until) (\(ShortText.count(herd.perSecond))/s"
        if herd.drainLimit > 0, herd.perSecond > herd.drainLimit { text += ", drain limit \(ShortText.count(herd.drainLimit))/s" }
        return Attention(severity: .info, kind: "herd", subject: "delay", text: text + ")", screen: "delay", select: "")
    }

    /// CRIT while they grow, a plain remark otherwise.
    private func deadLine(_ track: QueueTrack) -> Found? {
        guard track.open > 0 else { return nil }
        let perMinute = track.perMinute
        let grows = perMinute >= 0.5
        var text = ShortText.count(Double(track.open))
        text += grows ? " (\(ShortText.signed(perMinute))/min)" : "  not growing"
        if let ms = oldest(track) { text += "  oldest \(ShortText.age(ms))" }
        return (
            grows ? 5 : 0, track.open,
            Attention(
                severity: grows ? .crit : .info, kind: "dead", subject: track.sample.name, text: text, screen: "dead",
                select: track.sample.name)
        )
    }

    private func consumerLine(_ track: QueueTrack) -> Found? {
        guard track.sample.consumers == 0, track.sums.ready > 0, !track.sums.holdsDelivery else { return nil }
        var text = "no consumers  \(ShortText.count(Double(track.sums.ready))) ready"
        if let ms = oldest(track) { text += "  oldest \(ShortText.age(ms))" }
        return (2, track.sums.ready, line(.warn, "queue", track, text))
    }

    /// CRIT when publishes are refused or the limit is all but reached.
    private func limitLine(_ track: QueueTrack) -> Found? {
        guard let nearest = track.nearestLimit, nearest.share >= 0.8 || track.refusedRate > 0 else { return nil }
        let isOver = nearest.share >= 0.98 || track.refusedRate > 0
        var text = "at \(Int((nearest.share * 100).rounded()))% of \(nearest.name) \(ShortText.count(Double(nearest.limit)))"
        if track.refusedRate > 0 { text += "  refusing \(ShortText.count(track.refusedRate.rounded(.up)))/s" }
        return (isOver ? 4 : 1, track.sums.ready, line(isOver ? .crit : .warn, "gate", track, text))
    }

    private func gateLine(_ track: QueueTrack) -> Found? {
        guard track.sums.holdsDelivery || track.sums.holdsPublishing else { return nil }
        let gates = [track.sums.holdsDelivery ? "delivery held" : nil, track.sums.holdsPublishing ? "publishing blocked" : nil]
        let text = gates.compactMap { $0 }.joined(separator: ", ") + "  \(ShortText.count(Double(track.sums.ready))) ready"
        return (0, track.sums.ready, line(.info, "gate", track, text))
    }

    private func line(_ severity: Attention.Severity, _ kind: String, _ track: QueueTrack, _ text: String) -> Attention {
        Attention(severity: severity, kind: kind, subject: track.sample.name, text: text, screen: "queues", select: track.sample.name)
    }
}
