import Control
import Terminal

/// The overview's graph of what piles up: messages of queues by state, or the groups' lag where there are no queues.
enum BacklogGraph {
    /// A layer of the stack, lowest first.
    private struct Layer {
        var word: String
        var series: KeyPath<HistoryStore.Point, Double?>
        var now: Int64
        var key: ThemeKey
    }

    private static func layers(_ totals: Totals) -> [Layer] {
        if totals.queues == 0 { return [Layer(word: "lag", series: \.backlog, now: totals.lag, key: .graph_backlog)] }
        return [
            Layer(word: "ready", series: \.ready, now: totals.ready, key: .ready),
            Layer(word: "unack", series: \.unacked, now: totals.unacked, key: .unacked),
            Layer(word: "delay", series: \.delayed, now: totals.delayed + totals.retrying, key: .delayed),
            Layer(word: "dead", series: \.dead, now: totals.dead, key: .dead),
        ]
    }

    static func draw(_ model: ConsoleModel, _ snapshot: Snapshot, _ rect: Rect, on painter: inout Painter) {
        let inner = painter.panel(rect, title: "Backlog 5m")
        let totals = snapshot.totals
        let legend = min(18, max(12, inner.width / 4))
        let area = Rect(x: inner.x + 5, y: inner.y, width: inner.width - 5 - legend - 1, height: inner.height)
        let columns = Graph.columns(width: area.width, glyphs: painter.glyphs)
        let layers = layers(totals)
        let sums = stacked(
            layers.map {
                model.history.series(
                    $0.series, endMs: snapshot.broker.nowMs, seconds: OverviewScreen.windowSeconds, columns: columns)
            })
        let top = Graph.axisTop(sums.last?.compactMap { $0 }.max() ?? 0)
        // The tallest first; each lower layer is drawn over it and keeps what reaches beyond.
        for (layer, sum) in zip(layers, sums).reversed() { Graph.area(sum, in: area, top: top, key: layer.key, on: &painter) }
        painter.right(Short.axis(top), right: area.x - 1, y: area.y, width: 5, .dim)
        if area.height > 4 { painter.right(Short.axis(top / 2), right: area.x - 1, y: area.y + area.height / 2, width: 5, .dim) }
        painter.right("0", right: area.x - 1, y: area.maxY - 1, width: 5, .dim)
        for (row, line) in figures(layers, snapshot).prefix(inner.height).enumerated() {
            painter.spans(line, x: area.maxX + 1, y: inner.y + row)
        }
    }

    /// Running sums over the layers; a column that a layer does not know counts nothing there.
    static func stacked(_ series: [[Double?]]) -> [[Double?]] {
        var sums: [[Double?]] = []
        for values in series {
            guard let below = sums.last else {
                sums.append(values)
                continue
            }
            sums.append(zip(below, values).map { $0 == nil && $1 == nil ? nil : ($0 ?? 0) + ($1 ?? 0) })
        }
        return sums
    }

    private static func figures(_ layers: [Layer], _ snapshot: Snapshot) -> [[(String, ThemeKey)]] {
        let totals = snapshot.totals
        func line(_ word: String, _ text: String, _ key: ThemeKey) -> [(String, ThemeKey)] {
            [(OverviewScreen.padded(word, 6), .dim), (text, key)]
        }
        var lines = layers.map { line($0.word, Short.count($0.now), $0.now > 0 ? $0.key : .dim) }
        if totals.queues == 0 {
            lines.append(line("net", Short.net(totals.lagRate) + "/s", Figure.net(totals.lagRate, lag: totals.lag)))
        } else {
            let net = snapshot.queues.rows.filter { !$0.isDeadLetter }.reduce(0) { $0 + $1.netRate }
            lines.append(line("net", Short.net(net) + "/s", Figure.net(net, lag: totals.ready)))
        }
        lines.append(allClear(BacklogRow.rows(snapshot)))
        if totals.queues > 0, totals.groups > 0 { lines.append(line("lag", Short.count(totals.lag), Figure.lag(totals.lag))) }
        lines += [line("recs", Short.count(totals.records), .text), line("disk", Short.bytes(totals.bytes), .text)]
        if let free = snapshot.broker.diskFreeBytes { lines.append(line("free", Short.bytes(free), .text)) }
        return lines
    }

    /// When all have caught up: the slowest of those that are behind, as far as the table knows them.
    static func allClear(_ rows: [BacklogRow]) -> [(String, ThemeKey)] {
        let behind = rows.filter { ($0.backlog ?? 0) > 0 }
        let text: String
        if behind.contains(where: { $0.etaMs == nil && !$0.drains }) {
            text = "never"
        } else if behind.contains(where: { $0.etaMs == nil }) {
            text = Short.unknown
        } else {
            text = Short.eta(ms: behind.compactMap(\.etaMs).max() ?? 0, drains: true, lag: behind.isEmpty ? 0 : 1)
        }
        return [(OverviewScreen.padded("ETA", 6), .dim), (text, Figure.eta(text))]
    }
}
