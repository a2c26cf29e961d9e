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

    /// In the largest unit that says it exactly, as ``parse(_:)`` reads it back: `7d`, `90s`, `1500ms`.
    public static func text(ms: Int64) -> String {
        let units: [(String, Int64)] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000)]
        for (unit, size) in units where ms > 0 && ms.isMultiple(of: size) { return "\(ms / size)\(unit)" }
        return "\(ms)ms"
    }

    private static let factors: [String: Double] = ["ms": 1, "s": 1e3, "m": 6e4, "h": 3.6e6, "d": 8.64e7]
}

/// Values of settings as people write them.
public enum SettingValue {
    /// Kafka's settings are plain numbers; with a unit, times (`.ms`) and sizes (`.bytes`) are turned into them: `7d` → `604800000`.
    public static func plain(_ value: String, for name: String) throws(MisreadText) -> String {
        guard value.first?.isNumber == true, Int64(value) == nil else { return value }
        if name.hasSuffix(".ms") { return String(try TimeSpan.parse(value)) }
        if name.hasSuffix(".bytes") { return String(try ByteSize.parse(value)) }
        return value
    }
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
