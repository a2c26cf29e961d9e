import Control
import Model

extension SnapshotBuilder {
    /// A line of the list with what it is sorted by: the worst rank first, then the largest, then by name.
    struct Found {
        var rank: Int
        var size: Int64
        var subject: String
        /// Made only for the lines that are shown.
        var line: () -> Attention
    }

    private enum Concern { case dead, consumers, limit, gate }

    /// What an operator should look at among the queues. No threshold is configured: dead letters that grow, messages that nobody takes,
    /// a gate that is held or near its limit. At most `limit` lines, as a list of ten thousand is none.
    func queueAttention(_ limit: Int) -> [Found] {
        var concerns: [(rank: Int, size: Int64, concern: Concern, place: Int)] = []
        let queues = state.queues
        for (place, figures) in queues.figures.enumerated() {
            if figures.isDeadLetter {
                guard figures.open > 0 else { continue }
                let grows = queues.tracks[place].perMinute(figures, at: queues.lastTick) >= 0.5
                concerns.append((grows ? 5 : 0, figures.open, .dead, place))
                continue
            }
            if figures.consumers == 0, figures.ready > 0, !figures.holdsDelivery { concerns.append((2, figures.ready, .consumers, place)) }
            if let nearest = figures.limit, nearest.share >= 0.8 || figures.refusedRate > 0 {
                concerns.append((isOver(figures) ? 4 : 1, figures.ready, .limit, place))
            }
            if figures.holdsDelivery || figures.holdsPublishing { concerns.append((0, figures.ready, .gate, place)) }
        }
        let worst = Selection.window(of: concerns, start: 0, count: limit) { left, right in
            if (left.rank, left.size) != (right.rank, right.size) { return (left.rank, left.size) > (right.rank, right.size) }
            let (first, second) = (queues.tracks[left.place].sample.name, queues.tracks[right.place].sample.name)
            // A queue may have two concerns of one rank.
            return first == second ? left.concern == .limit && right.concern != .limit : first < second
        }
        var found = worst.map { worst in
            Found(rank: worst.rank, size: worst.size, subject: queues.tracks[worst.place].sample.name) {
                line(worst.concern, worst.place)
            }
        }
        if let herd = queues.herd, herd.at > now {
            found.append(Found(rank: 0, size: herd.count, subject: "delay") { herdLine(herd) })
        }
        return found
    }

    private func line(_ concern: Concern, _ place: Int) -> Attention {
        let figures = state.queues.figures[place]
        let name = state.queues.tracks[place].sample.name
        switch concern {
        case .dead: return deadLine(place, figures, name)
        case .consumers:
            var text = "no consumers  \(ShortText.count(Double(figures.ready))) ready"
            if let ms = oldest(figures) { text += "  oldest \(ShortText.age(ms))" }
            return line(.warn, "queue", name, text)
        case .limit: return limitLine(figures, name)
        case .gate:
            let gates = [figures.holdsDelivery ? "delivery held" : nil, figures.holdsPublishing ? "publishing blocked" : nil]
            let text = gates.compactMap { $0 }.joined(separator: ", ") + "  \(ShortText.count(Double(figures.ready))) ready"
            return line(.info, "gate", name, text)
        }
    }

    private func herdLine(_ herd: DelayHerd) -> Attention {
        let until = ShortText.age(herd.at - now)
        var text = "\(ShortText.count(Double(herd.count))) come due in \(until) (\(ShortText.count(herd.perSecond))/s"
        if herd.drainLimit > 0, herd.perSecond > herd.drainLimit { text += ", drain limit \(ShortText.count(herd.drainLimit))/s" }
        return Attention(severity: .info, kind: "herd", subject: "delay", text: text + ")", screen: "delay", select: "")
    }

    /// CRIT while they grow, a plain remark otherwise.
    private func deadLine(_ place: Int, _ figures: QueueFigures, _ name: String) -> Attention {
        let perMinute = state.queues.tracks[place].perMinute(figures, at: state.queues.lastTick)
        let grows = perMinute >= 0.5
        var text = ShortText.count(Double(figures.open))
        text += grows ? " (\(ShortText.signed(perMinute))/min)" : "  not growing"
        let cause = causes[state.queues.tracks[place].sample.topic]
        if let cause {
            text += "  \(cause.shareText) \(ShortText.cut(cause.reason, to: Self.reasonCharacters))"
        } else if let ms = oldest(figures) {
            text += "  oldest \(ShortText.age(ms))"
        }
        return Attention(
            severity: grows ? .crit : .info, kind: "dead", subject: name, text: text, screen: "dead", select: name, sinceMs: cause?.sinceMs)
    }

    private static let reasonCharacters = 40

    private func isOver(_ figures: QueueFigures) -> Bool { figures.refusedRate > 0 || figures.limit?.share ?? 0 >= 0.98 }

    /// CRIT when publishes are refused or the limit is all but reached.
    private func limitLine(_ figures: QueueFigures, _ name: String) -> Attention {
        let nearest = figures.limit
        let share = Int(((nearest?.share ?? 0) * 100).rounded())
        var text = "at \(share)% of \(nearest?.kind.rawValue ?? "") \(ShortText.count(Double(nearest?.limit ?? 0)))"
        if figures.refusedRate > 0 { text += "  refusing \(ShortText.count(figures.refusedRate.rounded(.up)))/s" }
        return line(isOver(figures) ? .crit : .warn, "gate", name, text)
    }

    private func line(_ severity: Attention.Severity, _ kind: String, _ name: String, _ text: String) -> Attention {
        Attention(severity: severity, kind: kind, subject: name, text: text, screen: "queues", select: name)
    }
}
