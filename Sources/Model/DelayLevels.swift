/// The broker's table of delay levels: what a level's number stands for, level 1 being the first.
///
/// ```
/// 1s,5s,10s   level 1 → 1 s   level 3 → 10 s   level 0, level 4 → none
/// ```
/// A queue's level becomes a time when the queue is declared or the level is set, and stays that time: a table that is another at the next
/// start is for what is set from then on.
public struct DelayLevels: Equatable, Sendable {
    public let ms: [Int64]

    /// RocketMQ's, levels 1 to 18.
    public static let standard = DelayLevels(
        ms: [1, 5, 10, 30].map { $0 * 1_000 } + [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 20, 30].map { $0 * 60_000 } + [3_600_000, 7_200_000])

    private init(ms: [Int64]) { self.ms = ms }

    /// Throws ``MisreadText`` for no level, too many of them, and one that is no time of 1 ms or more.
    public static func parse(_ texts: [String], limits: Limits = Limits()) throws(MisreadText) -> DelayLevels {
        guard (1...limits.delayLevels).contains(texts.count) else {
            throw MisreadText("\(texts.count) levels: write 1 to \(limits.delayLevels) times such as 1s, 5s, 10s")
        }
        var ms: [Int64] = []
        for text in texts {
            let span: Int64
            do throws(MisreadText) { span = try TimeSpan.parse(text) } catch {
                throw MisreadText("level \(ms.count + 1): \(error)")
            }
            guard (1...limits.delayMs).contains(span) else {
                throw MisreadText("level \(ms.count + 1): '\(text)' must be from 1ms to \(TimeSpan.text(ms: limits.delayMs))")
            }
            ms.append(span)
        }
        return DelayLevels(ms: ms)
    }

    /// The same as one text, `1s,5s,10s`.
    public static func parse(_ text: String, limits: Limits = Limits()) throws(MisreadText) -> DelayLevels {
        let texts = text.split(separator: ",", omittingEmptySubsequences: false).map { String($0.trimmingPrefix { $0 == " " }) }
        return try parse(text.isEmpty ? [] : texts, limits: limits)
    }

    /// nil for a level that is not in the table.
    public subscript(level: Int) -> Int64? { (1...ms.count).contains(level) ? ms[level - 1] : nil }

    /// As ``parse(_:limits:)`` takes it.
    public var text: String { ms.map { TimeSpan.text(ms: $0) }.joined(separator: ",") }
}
