import Terminal

/// Small graphs side by side in one panel.
enum DetailGraph {
    struct Series {
        var title: String
        var values: [Double?]
        var now: Double
        var unit: String
        var key: ThemeKey
    }

    /// The last five minutes; a younger series begins further right.
    static func draw(_ series: [Series], stepMs: Int64, rect: Rect, on painter: inout Painter) {
        let points = Int(300_000 / max(1, stepMs))
        let inner = painter.panel(rect, title: series.map(\.title).joined(separator: series.count > 2 ? ", " : " and ") + " 5m")
        guard inner.height >= 2, !series.isEmpty else { return }
        let each = inner.width / series.count
        for (index, item) in series.enumerated() {
            let area = Rect(x: inner.x + index * each + 6, y: inner.y + 1, width: each - 7, height: inner.height - 1)
            let columns = Graph.columns(width: area.width, glyphs: painter.glyphs)
            let values = Graph.window(item.values, points: points, columns: columns)
            let top = Graph.axisTop(values.compactMap { $0 }.max() ?? 0)
            Graph.area(values, in: area, top: top, key: item.key, on: &painter)
            painter.spans([(item.title + " ", .dim), (Short.number(item.now) + item.unit, item.key)], x: area.x, y: inner.y)
            painter.right(Short.axis(top), right: area.x - 1, y: area.y, width: 5, .dim)
            painter.right("0", right: area.x - 1, y: area.maxY - 1, width: 5, .dim)
        }
    }
}
