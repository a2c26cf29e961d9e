/// Sizes as people write them: `1048576`, `512KiB`, `1.5GiB`, `2G`, `10MB`.
///
/// `KiB MiB GiB TiB` and the bare letters `K M G T` count in 1024s; `KB MB GB TB` in 1000s (IEC 80000-13). Case does not matter.
public enum ByteSize {
    /// The size in bytes. Throws ``MisreadText`` for anything else than a number of 0 or more and one of the units.
    public static func parse(_ text: String) throws(MisreadText) -> Int64 {
        let (number, unit) = try splitQuantity(text, example: "1GiB or 500MB")
        guard let factor = factors[unit.lowercased()] else {
            throw MisreadText("'\(unit)' in '\(text)' is not a unit of size: use B, KiB, MiB, GiB, TiB or KB, MB, GB, TB")
        }
        return try wholeProduct(number, factor, text)
    }

    /// Three significant digits: `0 B`, `999 B`, `1.5 KiB`, `31.2 MiB`.
    public static func text(_ bytes: Int64) -> String {
        guard bytes >= 1024 else { return "\(bytes) B" }
        var value = Double(bytes)
        var unit = 0
        while value >= 999.5, unit < binaryUnits.count - 1 {
            value /= 1024
            unit += 1
        }
        return "\(shortDecimal(value)) \(binaryUnits[unit])"
    }

    private static let binaryUnits = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]
    private static let factors: [String: Double] = [
        "": 1, "b": 1, "k": 1024, "kib": 1024, "m": 1_048_576, "mib": 1_048_576, "g": 1_073_741_824, "gib": 1_073_741_824,
        "t": 1_099_511_627_776, "tib": 1_099_511_627_776, "kb": 1e3, "mb": 1e6, "gb": 1e9, "tb": 1e12,
    ]
}

/// Spans of time as people write them: `250ms`, `10s`, `1.5h`, `1h30m`, `7d`.
public enum TimeSpan {
    /// The span in ms. Throws ``MisreadText`` for a number without a unit (seconds or milliseconds? nobody could tell) and for anything
    /// else.
    public static func parse(_ text: String) throws(MisreadText) -> Int64 {
        var rest = Substring(text)
        var total: Int64 = 0
        repeat {
            let unitStart = rest.firstIndex { !$0.isASCIIDigit && $0 != "." } ?? rest.endIndex
            let unitEnd = rest[unitStart...].firstIndex { $0.isASCIIDigit } ?? rest.endIndex
            let (number, unit) = try splitQuantity(String(rest[..<unitEnd]), example: "10s, 5m or 1h30m")
            guard let factor = factors[unit] else {
                let problem = unit.isEmpty ? "'\(text)' has no unit" : "'\(unit)' in '\(text)' is not a unit of time"
                throw MisreadText("\(problem): use ms, s, m, h or d, such as 10s")
            }
            let (sum, overflow) = total.addingReportingOverflow(try wholeProduct(number, factor, text))
            guard !overflow else { throw MisreadText("'\(text)' is too long a time") }
            total = sum
            rest = rest[unitEnd...]
        } while !rest.isEmpty
        return total
    }

    /// The two largest units: `0s`, `850ms`, `4m12s`, `8h03m`, `3d04h`.
    public static func text(ms: Int64) -> String {
        if ms == 0 { return "0s" }
        if ms < 0 { return "-" + text(ms: ms == .min ? .max : -ms) }
        if ms < 1_000 { return "\(ms)ms" }
        let seconds = ms / 1_000
        if seconds < 10 { return "\(seconds).\(ms % 1_000 / 100)s" }
        if seconds < 60 { return "\(seconds)s" }
        if seconds < 3_600 { return "\(seconds / 60)m\(twoDigits(seconds % 60))s" }
        if seconds < 86_400 { return "\(seconds / 3_600)h\(twoDigits(seconds % 3_600 / 60))m" }
        return "\(seconds / 86_400)d\(twoDigits(seconds % 86_400 / 3_600))h"
    }

    private static func twoDigits(_ value: Int64) -> String { value < 10 ? "0\(value)" : "\(value)" }
    private static let factors: [String: Double] = ["ms": 1, "s": 1e3, "m": 6e4, "h": 3.6e6, "d": 8.64e7]
}

/// `1.5GiB` → (1.5, `GiB`).
private func splitQuantity(_ text: String, example: String) throws(MisreadText) -> (Double, String) {
    let end = text.firstIndex { !$0.isASCIIDigit && $0 != "." } ?? text.endIndex
    guard let number = Double(text[..<end]), number.isFinite else { throw MisreadText("'\(text)' is not a quantity: write \(example)") }
    return (number, text[end...].drop { $0 == " " }.description)
}

private func wholeProduct(_ number: Double, _ factor: Double, _ text: String) throws(MisreadText) -> Int64 {
    guard let product = Int64(exactly: (number * factor).rounded()) else { throw MisreadText("'\(text)' is too large") }
    return product
}

/// `1.5`, `31.2`, `312`: three significant digits and no trailing zero.
private func shortDecimal(_ value: Double) -> String {
    if value >= 99.95 { return "\(Int64(value.rounded()))" }
    let tenths = Int64((value * 10).rounded())
    return tenths % 10 == 0 ? "\(tenths / 10)" : "\(tenths / 10).\(tenths % 10)"
}
