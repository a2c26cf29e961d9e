import Control
import Terminal

/// The list of topics; of one topic its partitions, groups and settings.
enum TopicsScreen {
    static func draw(_ model: ConsoleModel, _ snapshot: Snapshot, on painter: inout Painter) {
        let layout = Layout(size: model.size).browse(isOpened: model.topics.opened != nil)
        if let rect = layout.list { list(model, snapshot, rect, on: &painter) }
        if let rect = layout.detail { detail(model, snapshot, rect, on: &painter) }
        if let rect = layout.graph { graph(model, rect, on: &painter) }
    }

    private static func list(_ model: ConsoleModel, _ snapshot: Snapshot, _ rect: Rect, on painter: inout Painter) {
        let state = model.topics.list
        let empty =
            state.filter.isEmpty
            ? Note("No topics. A creates one; a Kafka client that writes to a name creates it too.", .dim)
            : Note("No topic matches \(state.filter). Esc shows all.", .dim)
        ListPanel.draw(
            snapshot.topics, columns: TopicColumns.all(painter.glyphs), list: state,
            look: .init(title: "Topics", isFocused: true, empty: empty, sort: state.sort, isDescending: state.isDescending), rect: rect,
            on: &painter
        ) { ($0.name, nil) }
    }

    private static func detail(_ model: ConsoleModel, _ snapshot: Snapshot, _ rect: Rect, on painter: inout Painter) {
        let isOpened = model.topics.opened != nil
        guard let name = model.selectedTopic else {
            painter.panel(rect, title: "")
            return
        }
        let inner = painter.panel(rect, title: name, isFocused: isOpened)
        guard let detail = model.topicDetail else {
            let isGone = isOpened && snapshot.topic == nil && model.link.isLive
            painter.text(isGone ? "There is no topic \(name) now. Esc goes back." : "", x: inner.x + 3, y: inner.y, .dim)
            return
        }
        DetailTabs.draw(model.detailTabs, selected: model.topics.tab, rect: rect, on: &painter)
        summary(detail, x: inner.x + 3, y: inner.y, width: inner.width - 4, on: &painter)
        let table = Rect(x: inner.x, y: inner.y + 1, width: inner.width, height: inner.height - 2)
        let state = model.topics.detail
        switch model.topics.tab {
        case 0:
            ListPanel.drawRows(
                detail.partitions, columns: PartitionColumns.all, list: state, isFocused: isOpened, empty: "No partitions.", rect: table,
                on: &painter)
        case 1:
            ListPanel.drawRows(
                detail.groups, columns: GroupColumns.all(painter.glyphs), list: state, isFocused: isOpened,
                empty: "No group reads this topic yet.", rect: table, on: &painter
            ) { $0.status >= .rewind ? Figure.status($0.status) : nil }
        default:
            ListPanel.drawRows(
                detail.configs, columns: ConfigColumns.all, list: state, isFocused: isOpened, empty: "All settings are the broker's.",
                rect: table, on: &painter)
        }
    }

    private static func summary(_ detail: TopicDetail, x: Int, y: Int, width: Int, on painter: inout Painter) {
        let row = detail.row
        painter.spans(
            [
                (Short.counted(row.records, "record"), .text), ("  \(Short.bytes(row.bytes))", .text),
                ("  in ", .dim), (Short.number(row.inRate) + "/s", .graph_in), ("  out ", .dim),
                (Short.number(row.outRate) + "/s", .graph_out),
                ("  oldest ", .dim), (row.records == 0 ? "-" : Short.duration(ms: row.oldestMs), .text),
                ("  lag ", .dim), (row.groups == 0 ? "-" : Short.count(row.lag), Figure.lag(row.lag)), ("  id \(detail.id)", .dim),
            ], x: x, y: y, limit: x + width)
    }

    private static func graph(_ model: ConsoleModel, _ rect: Rect, on painter: inout Painter) {
        guard let detail = model.topicDetail else {
            painter.panel(rect, title: "In and out")
            return
        }
        DetailGraph.draw(
            [
                .init(title: "In", values: detail.history.inRate, now: detail.row.inRate, unit: "/s", key: .graph_in),
                .init(title: "Out", values: detail.history.outRate, now: detail.row.outRate, unit: "/s", key: .graph_out),
            ], stepMs: detail.history.stepMs, rect: rect, on: &painter)
    }
}

/// The names of a detail's tables on its border.
enum DetailTabs {
    static func draw(_ tabs: [String], selected: Int, rect: Rect, on painter: inout Painter) {
        let wide = tabs.reduce(2) { $0 + $1.count + 3 }
        var x = rect.maxX - wide
        for (index, tab) in tabs.enumerated() {
            let text = index == selected ? "[\(tab)]" : " \(tab) "
            x = painter.text(text, x: x, y: rect.y, width: rect.maxX - 1 - x, index == selected ? .title : .dim) + 1
        }
    }
}

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
        let inner = painter.panel(rect, title: series.map(\.title).joined(separator: " and ") + " 5m")
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
