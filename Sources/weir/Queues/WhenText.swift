import FoundationEssentials
import Model

/// Instants as people write them: ms since 1970 (`1700000000000` or `@1700000000000`), a date and time (`2026-11-22T18:30:00Z`), or a span
/// from now (`15m`).
enum WhenText {
    /// Which way a span goes.
    enum Way { case ago, ahead }

    /// Wall time, ms since 1970. Throws ``MisreadText``.
    static func parse(_ text: String, _ way: Way, now: Timestamp) throws(MisreadText) -> Int64 {
        let digits = text.hasPrefix("@") ? text.dropFirst() : text[...]
        if let ms = Int64(digits) {
            guard ms >= 0 else { throw MisreadText("'\(text)' lies before 1970") }
            return ms
        }
        if let date = try? Date(text, strategy: .iso8601) { return Int64(date.timeIntervalSince1970 * 1_000) }
        let span: Int64
        do throws(MisreadText) { span = try TimeSpan.parse(text) } catch {
            throw MisreadText("'\(text)' is no time: write ms since 1970, 2026-11-22T18:30:00Z, or a span such as 15m")
        }
        let (sum, overflow) = now.ms.addingReportingOverflow(way == .ahead ? span : -span)
        guard !overflow else { throw MisreadText("'\(text)' is too far away") }
        return max(0, sum)
    }
}
