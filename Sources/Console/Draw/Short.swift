/// Numbers as an operator reads them: at most five or six characters, unit last, `n/a` for what is not known.
public enum Short {
    public static let unknown = "n/a"

    /// `0 0.6 31 310 4.1k 48.2k 51k 310k 2.4M`: at most five characters, six with a sign.
    public static func number(_ value: Double?) -> String {
        guard let value, value.isFinite else { return unknown }
        let sign = value < 0 ? "-" : ""
        let size = abs(value)
        if size < 0.05 { return "0" }
        if size < 9.95, size.rounded() != size { return sign + tenths(size) }
        if size < 999.5 { return sign + String(Int(size.rounded())) }
        var scaled = size
        for unit in ["k", "M", "G", "T", "P"] {
            scaled /= 1000
            if scaled < 99.95 { return sign + short(scaled) + unit }
            if scaled < 999.5 { return sign + String(Int(scaled.rounded())) + unit }
        }
        return sign + "lots"
    }

    public static func count(_ value: Int64?) -> String { number(value.map(Double.init)) }
    public static func count(_ value: Int) -> String { number(Double(value)) }

    /// A net rate with its sign: `+120`, `-47k`, `0`.
    public static func net(_ value: Double?) -> String {
        let text = number(value)
        return text != "0" && text != unknown && !text.hasPrefix("-") ? "+" + text : text
    }

    /// `0 512B 1.2kB 48MB 2.0GB`, powers of 1,000.
    public static func bytes(_ value: Int64?) -> String {
        guard let value else { return unknown }
        return value == 0 ? "0" : number(Double(value)) + "B"
    }

    /// `0s 0.4s 41s 4m12s 22m 8h03m 14h 3d04h 12d`: at most five characters.
    public static func duration(ms: Int64?) -> String {
        guard let ms else { return unknown }
        if ms < 50 { return "0s" }
        let tenthsOfSecond = (ms + 50) / 100
        if tenthsOfSecond < 100 {
            return tenthsOfSecond % 10 == 0 ? "\(tenthsOfSecond / 10)s" : "\(tenthsOfSecond / 10).\(tenthsOfSecond % 10)s"
        }
        let seconds = (ms + 500) / 1000
        if seconds < 60 { return "\(seconds)s" }
        if seconds < 600 { return "\(seconds / 60)m\(two(seconds % 60))s" }
        if seconds < 3600 { return "\(seconds / 60)m" }
        if seconds >= 36_000, seconds < 86_400 { return "\(seconds / 3600)h" }
        if seconds < 86_400 { return "\(seconds / 3600)h\(two(seconds / 60 % 60))m" }
        if seconds < 10 * 86_400 { return "\(seconds / 86_400)d\(two(seconds / 3600 % 24))h" }
        return seconds < 9999 * 86_400 ? "\(seconds / 86_400)d" : "years"
    }

    /// `<1ms 6ms 400ms 1.2s`, `-` where nothing was measured: for times that are short as a rule.
    public static func fine(ms: Int64?) -> String {
        guard let ms else { return "-" }
        return ms >= 1_000 ? duration(ms: ms) : ms < 1 ? "<1ms" : "\(ms)ms"
    }

    /// Until a backlog is gone: `now`, `32s`, `never` where it does not shrink, `n/a`.
    public static func eta(ms: Int64?, drains: Bool, lag: Int64?) -> String {
        guard let lag else { return unknown }
        if lag == 0 { return "now" }
        guard let ms else { return drains ? unknown : "never" }
        return ms < 1000 ? "now" : duration(ms: ms)
    }

    /// `1,204`: for sentences, where the exact figure matters.
    public static func exact(_ value: Int64) -> String {
        let digits = Array(String(value.magnitude))
        var result = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index) % 3 == 0 { result.append(",") }
            result.append(digit)
        }
        return (value < 0 ? "-" : "") + result
    }

    /// `1,204 records`, `1 record`.
    public static func counted(_ value: Int64, _ noun: String) -> String { "\(exact(value)) \(noun)\(value == 1 ? "" : "s")" }
    public static func counted(_ value: Int, _ noun: String) -> String { counted(Int64(value), noun) }

    /// `12:04:31` of a wall time, `offset` seconds east of Greenwich.
    public static func clock(ms: Int64, offset: Int64 = 0) -> String {
        let seconds = ((ms / 1000 + offset) % 86_400 + 86_400) % 86_400
        return "\(two(seconds / 3600)):\(two(seconds / 60 % 60)):\(two(seconds % 60))"
    }

    static func two(_ value: Int64) -> String { value < 10 ? "0\(value)" : String(value) }

    /// `4.0k` but `51k`: a zero after two digits says nothing.
    private static func short(_ value: Double) -> String {
        let text = tenths(value)
        return value >= 9.95 && text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }

    /// An axis label: a round figure in at most four characters.
    static func axis(_ value: Double) -> String { number(value).replacing(".0", with: "") }

    private static func tenths(_ value: Double) -> String {
        let whole = Int((value * 10).rounded())
        return "\(whole / 10).\(whole % 10)"
    }
}
