import Control
import Terminal

/// Rows of the release schedule: a bar of delayed messages, and waiting retries as the digits of their attempts.
enum ScheduleBars {
    private static let labelWidth = 10
    private static let figuresWidth = 20

    /// Columns of the two bars, and where the figures begin.
    private static func columns(_ rect: Rect) -> (delayed: Rect, retry: Rect, figures: Int) {
        let room = max(8, rect.width - 3 - labelWidth - figuresWidth - 4)
        let (left, half) = (rect.x + 3 + labelWidth, room / 2)
        return (
            Rect(x: left + 1, y: rect.y, width: half, height: 1), Rect(x: left + half + 2, y: rect.y, width: room - half, height: 1),
            left + room + 3
        )
    }

    static func head(_ rect: Rect, on painter: inout Painter) {
        let place = columns(rect)
        painter.text("DUE IN", x: rect.x + 3, y: rect.y, .dim)
        painter.text("DELAYED", x: place.delayed.x, y: rect.y, width: place.delayed.width, .delayed)
        painter.text("RETRY (attempt)", x: place.retry.x, y: rect.y, width: place.retry.width, .retry)
        painter.right("COUNT", right: place.figures + 7, y: rect.y, width: 6, .dim)
        painter.right("RELEASE/s", right: place.figures + 18, y: rect.y, width: 9, .dim)
    }

    /// - Parameter top: what a full bar stands for.
    static func row(
        _ bucket: DelayBucketRow, top: Int64, drainLimit: Double, isCursor: Bool, isMarked: Bool, rect: Rect, on painter: inout Painter
    ) {
        let place = columns(rect)
        let isLate = bucket.fromMs < 0 && bucket.count > 0
        let isHerd = drainLimit > 0 && bucket.releaseRate > drainLimit
        if isMarked { painter.text("*", x: rect.x + 1, y: rect.y, .mark) }
        painter.text(bucket.label, x: rect.x + 3, y: rect.y, width: labelWidth - 1, isLate ? .warn : .text)
        for x in [place.delayed.x - 1, place.retry.x - 1, place.retry.maxX] {
            painter.canvas[x, rect.y] = Cell(painter.glyphs.vertical, style: painter.style(.border))
        }
        painter.text(
            Graph.bar(share(bucket.delayed, top), width: place.delayed.width, glyphs: painter.glyphs), x: place.delayed.x, y: rect.y,
            .delayed)
        painter.text(digits(bucket.retries, top: top, width: place.retry.width), x: place.retry.x, y: rect.y, .retry)
        painter.right(Short.count(bucket.count), right: place.figures + 7, y: rect.y, width: 6, bucket.count > 0 ? .text : .dim)
        painter.right(
            Short.number(bucket.releaseRate), right: place.figures + 16, y: rect.y, width: 7,
            isHerd ? .warn : Figure.quiet(bucket.releaseRate))
        if isHerd { painter.text("!", x: place.figures + 17, y: rect.y, .warn) }
        guard isCursor else { return }
        painter.text(">", x: rect.x, y: rect.y, .text)
        let selection = painter.theme[.selection]
        painter.canvas.restyle(rect) { $0.selected(by: selection) }
    }

    private static func share(_ count: Int64, _ top: Int64) -> Double { top > 0 ? Double(count) / Double(top) : 0 }

    /// `1111223`: a bar whose characters say for which attempt the messages wait; every attempt that has some has a digit.
    static func digits(_ retries: [Int: Int64], top: Int64, width: Int) -> String {
        let present = retries.filter { $0.value > 0 }.sorted { $0.key < $1.key }
        guard top > 0, !present.isEmpty else { return "" }
        let text = present.map { attempt, count in
            let wide = max(1, Int((share(count, top) * Double(width)).rounded()))
            return String(repeating: String(min(9, max(1, attempt))), count: min(width, wide))
        }.joined()
        return String(text.prefix(width))
    }
}
