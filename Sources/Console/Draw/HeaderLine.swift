import Control
import Terminal

/// The left end of the header: what goes when the line is too short, least needed first, so that the counts of dead letters and of problems
/// stay.
enum HeaderLine {
    struct Part {
        var spans: [(String, ThemeKey)]
        /// Parts with the highest number go first; 0 stays.
        var spare = 0
    }

    static func parts(_ model: ConsoleModel, _ snapshot: Snapshot, glyphs: Glyphs) -> [Part] {
        let (broker, totals) = (snapshot.broker, snapshot.totals)
        let wide = model.size.columns
        let bar = (" \(glyphs.vertical) ", ThemeKey.dim)
        var parts = [Part(spans: [(" weir ", .dim), (broker.name, .header)])]
        if wide >= 100 {
            switch model.mode {
            case .embedded: parts.append(Part(spans: [(" embedded", .dim)], spare: 3))
            case .attached(let target):
                parts.append(Part(spans: [(" attached", .dim)], spare: 3))
                if !target.isEmpty { parts.append(Part(spans: [(" \(target)", .dim)], spare: 8)) }
            }
        }
        if wide >= 90 { parts.append(Part(spans: [(" up \(Short.duration(ms: broker.uptimeMs))", .dim)], spare: 2)) }
        parts.append(
            Part(spans: [
                bar, ("in ", .dim), (Short.number(totals.inRate) + "/s", .graph_in), (" out ", .dim),
                (Short.number(totals.outRate) + "/s", .graph_out), bar,
            ]))
        parts += backlog(totals, wide: wide)
        let urgent = snapshot.attention.count { $0.severity != .info }
        let isCritical = snapshot.attention.contains { $0.severity == .crit }
        parts.append(Part(spans: [bar, ("!\(urgent)", isCritical ? .crit : urgent > 0 ? .warn : .dim)]))
        guard wide >= 120 else { return parts }
        parts.append(Part(spans: [bar, ("conns ", .dim), (Short.count(totals.connections), .text)], spare: 5))
        if let cpu = broker.cpuCores { parts.append(Part(spans: [("  cpu ", .dim), (Short.number(cpu * 100) + "%", .text)], spare: 6)) }
        if let resident = broker.residentBytes { parts.append(Part(spans: [("  mem ", .dim), (Short.bytes(resident), .text)], spare: 7)) }
        if totals.errors > 0 { parts.append(Part(spans: [("  errors ", .dim), (Short.count(totals.errors), .warn)], spare: 4)) }
        return parts
    }

    /// What piles up: messages of queues and dead letters, and the groups' lag where there is room or nothing else.
    private static func backlog(_ totals: Totals, wide: Int) -> [Part] {
        var parts: [Part] = []
        if totals.queues > 0 {
            parts.append(
                Part(spans: [
                    ("ready ", .dim), (Short.count(totals.ready), Figure.lag(totals.ready)),
                    (" dead ", .dim), (Short.count(totals.dead), QueueColumns.figure(totals.dead, .dead)),
                ]))
        }
        if totals.queues == 0 || (wide >= 110 && totals.groups > 0) {
            parts.append(
                Part(
                    spans: [(parts.isEmpty ? "lag " : " lag ", .dim), (Short.count(totals.lag), Figure.lag(totals.lag))],
                    spare: parts.isEmpty ? 0 : 1))
        }
        return parts
    }

    /// The spans of those parts that fit into so many columns together.
    static func fitting(_ parts: [Part], room: Int) -> [(String, ThemeKey)] {
        var kept = parts
        func width() -> Int { kept.reduce(0) { $0 + $1.spans.reduce(0) { $0 + CharacterWidth.of($1.0) } } }
        while width() > room {
            guard let most = kept.map(\.spare).max(), most > 0 else { break }
            kept.removeAll { $0.spare == most }
        }
        return kept.flatMap(\.spans)
    }
}
