import Model

/// Calendar arithmetic for what is typed and shown. Days are counted by the proleptic Gregorian calendar.
public enum CivilTime {
    /// `2026-11-22 12:04:31`.
    public static func text(ms: Int64, offset: Int64 = 0) -> String {
        let seconds = ms / 1000 + offset
        let days = seconds >= 0 ? seconds / 86_400 : (seconds - 86_399) / 86_400
        let (year, month, day) = date(days: days)
        return "\(year)-\(Short.two(month))-\(Short.two(day)) \(Short.clock(ms: ms, offset: offset))"
    }

    /// A time that ``parse(_:nowMs:offset:)`` reads back to the millisecond: in words where they can say it, else `@` and ms since 1970.
    public static func exact(ms: Int64, offset: Int64 = 0) -> String {
        let words = text(ms: ms, offset: offset)
        return parse(words, nowMs: 0, offset: offset) == ms ? words : "@\(ms)"
    }

    /// A point in time as an operator types it, in ms since 1970; nil when it is none of these.
    ///
    /// `2026-11-22 12:04[:31]`, `2026-11-22`, `12:04[:31]` (today, or yesterday when that lies ahead), `-90s -5m -2h 1h30m` (before
    /// `nowMs`), `2026-11-22T12:04:31Z`, or milliseconds since 1970 (at least 9 digits, or behind `@`).
    public static func parse(_ text: String, nowMs: Int64, offset: Int64 = 0) -> Int64? {
        let trimmed = text.split(separator: " ", omittingEmptySubsequences: true).joined(separator: " ")
        if trimmed.hasPrefix("@") { return Int64(trimmed.dropFirst()).flatMap { $0 >= 0 ? $0 : nil } }
        if trimmed.hasSuffix("Z"), trimmed.contains("T") { return parse(String(trimmed.dropLast()), nowMs: nowMs) }
        if trimmed.hasPrefix("-") { return relative(trimmed.dropFirst(), nowMs: nowMs) }
        if let last = trimmed.last, "smhd".contains(last) { return relative(trimmed[...], nowMs: nowMs) }
        if trimmed.utf8.count >= 9, let ms = Int64(trimmed) { return ms }
        let parts = trimmed.replacing("T", with: " ").split(separator: " ")
        switch parts.count {
        case 1 where parts[0].contains(":"):
            guard let time = timeOfDay(parts[0]) else { return nil }
            let today = floorDay(nowMs / 1000 + offset) + time - offset
            return (today * 1000 > nowMs ? today - 86_400 : today) * 1000
        case 1:
            return day(parts[0]).map { ($0 * 86_400 - offset) * 1000 }
        case 2:
            guard let day = day(parts[0]), let time = timeOfDay(parts[1]) else { return nil }
            return (day * 86_400 + time - offset) * 1000
        default: return nil
        }
    }

    private static func relative(_ text: Substring, nowMs: Int64) -> Int64? {
        guard let span = try? TimeSpan.parse(String(text)), span < 1_000_000_000 * 86_400_000 else { return nil }
        return nowMs - span
    }

    private static func timeOfDay(_ text: Substring) -> Int64? {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map { Int64($0) ?? -1 }
        guard parts.count == 2 || parts.count == 3 else { return nil }
        let second = parts.count == 3 ? parts[2] : 0
        guard (0...23).contains(parts[0]), (0...59).contains(parts[1]), (0...59).contains(second) else { return nil }
        return parts[0] * 3600 + parts[1] * 60 + second
    }

    private static func day(_ text: Substring) -> Int64? {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false).map { Int64($0) ?? -1 }
        guard parts.count == 3, (1970...9999).contains(parts[0]), (1...12).contains(parts[1]), (1...31).contains(parts[2]) else {
            return nil
        }
        return days(year: parts[0], month: parts[1], day: parts[2])
    }

    private static func floorDay(_ seconds: Int64) -> Int64 { seconds - ((seconds % 86_400) + 86_400) % 86_400 }

    /// Days since 1970-01-01; years begin in March, so that the leap day is a year's last.
    private static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
        let y = month <= 2 ? year - 1 : year
        let era = y / 400
        let yearOfEra = y - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    private static func date(days: Int64) -> (Int64, Int64, Int64) {
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthShifted = (5 * dayOfYear + 2) / 153
        let month = monthShifted < 10 ? monthShifted + 3 : monthShifted - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * monthShifted + 2) / 5 + 1)
    }
}
