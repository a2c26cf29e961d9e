import Model
import Terminal

/// A setting as a field of a form: how its value is shown there and read back. An empty field is the broker's default.
struct SettingField {
    enum Kind {
        /// A time in ms, as `1h30m`; with `orNone`, `none` is −1.
        case span(orNone: Bool)
        /// Bytes, as `2GiB`; with `orNone`, `none` is −1.
        case size(orNone: Bool)
        /// A whole number from `least`: `5000`, `100k`.
        case count(least: Int64)
        /// Messages a second, with a fraction if need be.
        case rate
        /// 0 to 1.
        case share
        /// Times with commas between.
        case spans
        case text
        /// The first is the default.
        case choice([String])
        case flag
        /// `delay.level` as its number, or `delay.ms` as a time.
        case delay
    }
    var id: String
    var setting: String
    /// Empty: it stands on the line of the field before it.
    var label = ""
    var kind: Kind
    var hint = ""
    var before = ""
    var after = ""
    /// Columns; nil: what fits.
    var width: Int?

    /// - Parameters:
    ///   - given: settings that differ from the defaults.
    ///   - defaults: what an empty field means, as far as that is known.
    func field(_ given: [String: String], defaults: [String: String]) -> Form.Field {
        let value = given[setting]
        switch kind {
        case .choice(let words): return .choice(id, label, words, selected: value.flatMap { words.firstIndex(of: $0) } ?? 0)
        case .flag: return .check(id, label, value == "true", after: after, joins: label.isEmpty)
        default: break
        }
        let text = kind.isDelay ? given["delay.level"] ?? given["delay.ms"].map(shown) ?? "" : value.map(shown) ?? ""
        let standard = defaults[setting].flatMap { $0.isEmpty || $0 == "0" ? nil : "default \(shown($0))" }
        var field = Form.Field.text(
            id, label, value: text, hint: [hint, standard ?? ""].filter { !$0.isEmpty }.joined(separator: "; "), accepts: accepts)
        (field.joins, field.width, field.before, field.after) = (label.isEmpty, width, before, after)
        return field
    }

    private var accepts: Form.Field.Accepts {
        switch kind {
        case .count, .rate, .share: .number
        default: .anything
        }
    }

    /// What the field says, by setting; nothing where it says the default.
    func read(_ form: Form) throws(FormProblem) -> [String: String] {
        switch kind {
        case .choice(let words): return form.choice(id) == 0 ? [:] : [setting: words[form.choice(id)]]
        case .flag: return form.isOn(id) ? [setting: "true"] : [:]
        default: break
        }
        let text = form.text(id)
        guard !text.isEmpty else { return [:] }
        if kind.isDelay {
            // How many there are, the broker says when there is no such level.
            if let level = Int(text), level > 0 { return ["delay.level": String(level)] }
            return ["delay.ms": String(try span(text))]
        }
        return [setting: try value(text)]
    }

    /// What to call it when it is wrong.
    private var name: String { label.isEmpty ? (before.isEmpty ? setting : before.prefix(1).uppercased() + before.dropFirst()) : label }

    private func value(_ text: String) throws(FormProblem) -> String {
        switch kind {
        case .span(let orNone): return orNone && text == "none" ? "-1" : String(try span(text))
        case .size(let orNone):
            if orNone && text == "none" { return "-1" }
            guard let bytes = try? ByteSize.parse(text) else { throw FormProblem("\(name): a size such as 500MB or 2GiB.") }
            return String(bytes)
        case .count(let least):
            guard let number = Amount.parse(text), number >= Double(least), number < 1e15, number == number.rounded() else {
                throw FormProblem("\(name): a whole number from \(least).")
            }
            return String(Int64(number))
        case .rate:
            guard let number = Amount.parse(text), number > 0, number < 1e12 else {
                throw FormProblem("\(name): messages a second, above 0.")
            }
            return Amount.plain(number)
        case .share:
            guard let number = Double(text), (0...1).contains(number) else { throw FormProblem("\(name): a share from 0 to 1.") }
            return Amount.plain(number)
        case .spans:
            for part in text.split(separator: ",", omittingEmptySubsequences: false) { _ = try span(String(part)) }
            return text
        case .text, .choice, .flag, .delay: return text
        }
    }

    private func span(_ text: String) throws(FormProblem) -> Int64 {
        guard let ms = try? TimeSpan.parse(text.trimmingPrefix(" ").description), ms > 0 else {
            throw FormProblem("\(name): times such as 10s, 5m, 1h30m.")
        }
        return ms
    }

    /// A value as an operator writes it; what is no number stays as it is.
    private func shown(_ value: String) -> String {
        guard let number = Int64(value) else { return value }
        switch kind {
        case .span, .delay: return number == -1 ? "none" : TimeSpan.text(ms: number)
        case .size: return number == -1 ? "none" : Exact.size(number)
        default: return value
        }
    }
}

extension SettingField.Kind {
    var isDelay: Bool {
        if case .delay = self { return true }
        return false
    }
}

/// Quantities in the largest unit that says them exactly, as ``ByteSize`` reads them back.
enum Exact {
    /// `1GiB` `64KiB` `1000`
    static func size(_ bytes: Int64) -> String {
        for (unit, shift) in [("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10)] as [(String, Int64)]
        where bytes > 0 && bytes.isMultiple(of: 1 << shift) { return "\(bytes >> shift)\(unit)" }
        return String(bytes)
    }
}
