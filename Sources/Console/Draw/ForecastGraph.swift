import Control
import Terminal

/// Messages that come due in the next five minutes, and the herd among them if there is one.
enum ForecastGraph {
    /// A step that brings more than the drain limit can release.
    struct Herd: Equatable {
        var inMs: Int64
        var messages: Int64
        /// Until all of it is released, at the drain limit.
        var clearsInMs: Int64
    }

    /// The largest step beyond the drain limit: with 5,000 ms steps, a limit of 180 and a forecast of 10, 310, 20 that is
    /// 1,550 messages in 5 s, clear 8.6 s later.
    static func herd(_ overview: DelayOverview) -> Herd? {
        guard overview.drainLimit > 0, overview.forecastStepMs > 0, let most = overview.forecast.max(), most > overview.drainLimit,
            let index = overview.forecast.firstIndex(of: most)
        else { return nil }
        let messages = most * Double(overview.forecastStepMs) / 1_000
        let start = Int64(index) * overview.forecastStepMs
        return Herd(
            inMs: start, messages: Int64(messages.rounded()),
            clearsInMs: start + Int64((messages / overview.drainLimit * 1_000).rounded()))
    }

    static func draw(_ overview: DelayOverview, model: ConsoleModel, rect: Rect, on painter: inout Painter) {
        let inner = painter.panel(
            rect, title: "Forecast next 5m", remark: overview.drainLimit > 0 ? "drain limit \(Short.number(overview.drainLimit))/s" : "")
        let area = Rect(x: inner.x + 5, y: inner.y, width: inner.width - 6, height: inner.height - 1)
        let columns = Graph.columns(width: area.width, glyphs: painter.glyphs)
        let points = overview.forecast.map { Optional($0) }
        let values = points.isEmpty ? [] : (0..<max(0, columns)).map { points[$0 * points.count / columns] }
        let top = Graph.axisTop(overview.forecast.max() ?? 0)
        Graph.area(values, in: area, top: top, key: .delayed, on: &painter)
        painter.right(Short.axis(top), right: area.x - 1, y: area.y, width: 5, .dim)
        if area.height > 1 { painter.right("0", right: area.x - 1, y: area.maxY - 1, width: 5, .dim) }
        painter.text(line(overview, model), x: inner.x + 1, y: inner.maxY - 1, width: inner.width - 2, herd(overview) == nil ? .dim : .warn)
    }

    private static func line(_ overview: DelayOverview, _ model: ConsoleModel) -> String {
        guard let herd = herd(overview) else {
            return overview.forecast.allSatisfy { $0 == 0 } ? "Nothing comes due in five minutes." : "No herd: all within the drain limit."
        }
        let now = model.shownMs
        return "\(Short.clock(ms: now + herd.inMs, offset: model.utcOffset)) herd: +\(Short.exact(herd.messages)), "
            + "clears \(Short.clock(ms: now + herd.clearsInMs, offset: model.utcOffset))"
    }
}
