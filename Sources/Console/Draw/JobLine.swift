import Control
import Terminal

/// The running job above the status line: `job 17 redrive refunds.dlq > refunds  [████░░] 132/198  50/s  0 died  C cancel`.
enum JobLine {
    static func draw(_ model: ConsoleModel, on painter: inout Painter) {
        guard let job = model.jobLine else { return }
        let y = model.layout.jobY
        let wide = model.size.columns
        let head = " job \(job.id) \(job.path)  "
        var tail: [(String, ThemeKey)] = [
            (" \(Short.exact(job.sent))/\(Short.exact(job.total))", .text), ("  \(Short.number(job.rate))/s", .dim),
            ("  \(Short.exact(job.diedAgain)) died", job.diedAgain > 0 ? .dead : .dim),
        ]
        if job.skipped > 0 { tail.append(("  \(Short.exact(job.skipped)) skipped", .dim)) }
        if !job.note.isEmpty { tail.append(("  \(job.note)", .warn)) }
        if !model.isReadOnly { tail += [("  C", .key), (" cancel", .dim)] }
        let used = CharacterWidth.of(head) + tail.reduce(0) { $0 + CharacterWidth.of($1.0) }
        let room = min(30, max(6, wide - used - 3))
        var x = painter.text(head, x: 0, y: y, width: wide * 55 / 100, .text)
        x = painter.spans([("[", .dim), (bar(job.share, width: room, glyphs: painter.glyphs), .bar), ("]", .dim)], x: x, y: y)
        painter.spans(tail, x: x, y: y, limit: wide - 1)
    }

    /// `████░░░░`.
    static func bar(_ share: Double, width: Int, glyphs: Glyphs) -> String {
        let filled = Graph.bar(share, width: width, glyphs: glyphs)
        let empty = String.UnicodeScalarView(repeatElement(glyphs.emptyBar, count: max(0, width - filled.unicodeScalars.count)))
        return filled + String(empty)
    }
}
