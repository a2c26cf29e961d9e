import Control
import Terminal

/// What waits for its time: the release schedule, the next minutes' forecast, and whether retrying helps.
enum DelayScreen {
    static func draw(_ model: ConsoleModel, _ snapshot: Snapshot, on painter: inout Painter) {
        if model.isDetailOpened {
            messages(model, on: &painter)
            return
        }
        let layout = model.layout.delay
        guard let overview = snapshot.delay else {
            let inner = painter.panel(layout.schedule, title: "Release schedule", isFocused: true)
            let text = model.isFrozen ? "Not kept at this instant; z goes back to now." : "asking…"
            painter.text(text, x: inner.x + 3, y: inner.y, .dim)
            return
        }
        schedule(model, overview, layout.schedule, on: &painter)
        if layout.forecast.height > 2 { ForecastGraph.draw(overview, model: model, rect: layout.forecast, on: &painter) }
        if layout.attempts.height > 2 { attempts(overview, layout.attempts, on: &painter) }
    }

    private static func schedule(_ model: ConsoleModel, _ overview: DelayOverview, _ rect: Rect, on painter: inout Painter) {
        let inner = painter.panel(rect, title: "Release schedule", isFocused: true, remark: "bars: delayed; digits: retries by attempt")
        ScheduleBars.head(inner, on: &painter)
        let state = model.delay.list
        let top = overview.buckets.map { max($0.delayed, $0.retries.values.reduce(0, +)) }.max() ?? 0
        for row in 0..<max(0, inner.height - 1) where overview.buckets.indices.contains(state.top + row) {
            let index = state.top + row
            ScheduleBars.row(
                overview.buckets[index], top: top, drainLimit: overview.drainLimit, isCursor: index == state.cursor,
                isMarked: state.marks.contains(overview.buckets[index].label),
                rect: Rect(x: inner.x, y: inner.y + 1 + row, width: inner.width, height: 1), on: &painter)
        }
    }

    private static func attempts(_ overview: DelayOverview, _ rect: Rect, on painter: inout Painter) {
        let inner = painter.panel(rect, title: "Does retrying help? (1h)")
        ListPanel.drawRows(
            overview.attempts, columns: AttemptColumns.all, list: ListState(), isFocused: false, empty: "No delivery in the last hour.",
            rect: inner, on: &painter)
    }

    private static func messages(_ model: ConsoleModel, on painter: inout Painter) {
        let rect = model.layout.body
        let page = model.messagesPage
        let kind = model.delay.tab == 0 ? "Delayed" : "Retrying"
        let title = "\(kind)\(model.shownBucketQueue.map { " in \($0)" } ?? ""), due in \(model.delay.opened ?? "")"
        let inner = painter.panel(rect, title: title, isFocused: true)
        DetailTabs.draw(model.detailTabs, selected: model.delay.tab, rect: rect, on: &painter)
        let other = model.delay.tab == 0 ? "retries" : "delayed ones"
        let isAnswered = page != nil || model.bucketQueues.isEmpty
        let empty = MessageList.empty(model, isAnswered: isAnswered, hint: "None here now. Tab shows \(other), Esc goes back.")
        MessageList.draw(
            model, page,
            columns: model.visible(MessageColumns.delay(nowMs: model.shownMs, offset: model.utcOffset), of: .delayed),
            look: .init(title: "", isFocused: true, empty: empty), rect: inner, on: &painter)
    }
}

extension ConsoleModel {
    /// Wall time of what is shown.
    var shownMs: Int64 { shown?.broker.nowMs ?? nowMs }
}
