import Control
import Terminal

/// The list of topics; of one topic its partitions, groups and settings.
enum TopicsScreen {
    static func draw(_ model: ConsoleModel, _ snapshot: Snapshot, on painter: inout Painter) {
        let layout = model.layout.browse(isOpened: model.topics.opened != nil)
        if let rect = layout.list { list(model, snapshot, rect, on: &painter) }
        if let rect = layout.detail { detail(model, snapshot, rect, on: &painter) }
        if let rect = layout.graph { graph(model, rect, on: &painter) }
    }

    private static func list(_ model: ConsoleModel, _ snapshot: Snapshot, _ rect: Rect, on painter: inout Painter) {
        let state = model.topics.list
        let empty = model.emptyNote(
            (snapshot.topics.matched, snapshot.topics.total), noun: "topic",
            hint: "No topics. A creates one; a Kafka client that writes to a name creates it too.")
        ListPanel.draw(
            snapshot.topics, columns: model.visible(TopicColumns.all(painter.glyphs), of: .topics), list: state,
            look: .init(title: "Topics", isFocused: true, empty: empty, sort: state.sort, isDescending: state.isDescending), rect: rect,
            on: &painter
        ) { ($0.name, nil) }
    }

    private static func detail(_ model: ConsoleModel, _ snapshot: Snapshot, _ rect: Rect, on painter: inout Painter) {
        let name = model.selectedTopic ?? ""
        let isGone = snapshot.topic == nil && model.answered?.topic == name && model.link.isLive
        let look = DetailPanel.Look(title: name, isGone: isGone, noun: "topic")
        let found = model.topicDetail
        guard let inner = DetailPanel.frame(model, look: look, hasDetail: found != nil, rect: rect, on: &painter), let detail = found
        else { return }
        summary(detail, x: inner.x + 3, y: inner.y, width: inner.width - 4, on: &painter)
        let table = DetailPanel.table(inner)
        let (state, isOpened) = (model.topics.detail, model.isDetailOpened)
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
