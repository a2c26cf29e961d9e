import Control
import Model

/// What follows a verb: names and ids, options with their values, flags.
struct PaletteArguments {
    var names: [String] = []
    var options: [(name: String, value: String)] = []
    var flags: Set<String> = []
    /// The line began with `weir`: what it does not say is not filled in.
    var isWhole = false

    /// - Throws: ``FormProblem`` that names the word.
    init(_ words: ArraySlice<String>, of entry: Palette.Entry, isWhole: Bool) throws(FormProblem) {
        self.isWhole = isWhole
        var rest = words
        while let word = rest.popFirst() {
            if word == "--" {
                names += rest
                return
            }
            guard word.hasPrefix("--") else {
                names.append(word)
                continue
            }
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = String(parts[0])
            if name == "--yes", parts.count == 1 { continue }
            if entry.flags.contains(name), parts.count == 1 {
                flags.insert(name)
                continue
            }
            guard entry.options.contains(name), let value = parts.count == 2 ? String(parts[1]) : rest.popFirst() else {
                throw FormProblem("`\(word)`: \(entry.words) \(Self.takes(entry))")
            }
            guard Palette.repeated.contains(name) || !options.contains(where: { $0.name == name }) else {
                throw FormProblem("`\(name)` is given twice")
            }
            options.append((name, value))
        }
    }

    private static func takes(_ entry: Palette.Entry) -> String {
        if entry.options.isEmpty { return entry.flags.isEmpty ? "takes no options" : "takes \(entry.flags.joined(separator: ", "))" }
        return "takes \(entry.options.joined(separator: ", ")) with a value"
    }

    subscript(name: String) -> String? { options.last { $0.name == name }?.value }

    func all(_ name: String) -> [String] { options.filter { $0.name == name }.map(\.value) }

    /// The one name the verb is about.
    func name(_ usage: String) throws(FormProblem) -> String {
        guard names.count == 1, !names[0].isEmpty else { throw FormProblem(usage) }
        return names[0]
    }

    // MARK: values

    /// `50`, `0.5`, `5k`.
    func number(_ name: String) throws(FormProblem) -> Double? {
        guard let text = self[name] else { return nil }
        guard let number = Amount.parse(text), number >= 0, number < 1e15 else { throw misread(name, text) }
        return number
    }

    func whole(_ name: String) throws(FormProblem) -> Int64? {
        guard let number = try number(name) else { return nil }
        guard number == number.rounded() else { throw misread(name, self[name] ?? "") }
        return Int64(number)
    }

    func partition() throws(FormProblem) -> Int32? {
        guard let text = self["--partition"] else { return nil }
        guard let number = Int32(text), number >= 0 else { throw FormProblem("`--partition \(text)`: a number from 0") }
        return number
    }

    func span(_ name: String) throws(FormProblem) -> Int64? {
        guard let text = self[name] else { return nil }
        guard let ms = try? TimeSpan.parse(text) else { throw FormProblem("`\(name) \(text)`: a time such as 10s or 5m") }
        return ms
    }

    /// An instant: ms since 1970, with `@` or without, a date and time, or a span from now; ms since 1970.
    func time(_ name: String, isAhead: Bool, _ model: ConsoleModel) throws(FormProblem) -> Int64? {
        guard let text = self[name] else { return nil }
        guard let ms = Self.instant(text, isAhead: isAhead, model) else {
            throw FormProblem("`\(name) \(text)`: a time such as 12:04 or 15m")
        }
        return ms
    }

    static func instant(_ text: String, isAhead: Bool, _ model: ConsoleModel) -> Int64? {
        if let ms = Int64(text.hasPrefix("@") ? String(text.dropFirst()) : text) { return ms >= 0 ? ms : nil }
        return isAhead
            ? DueTime.parse(text, nowMs: model.brokerNowMs, offset: model.utcOffset)
            : CivilTime.parse(text, nowMs: model.brokerNowMs, offset: model.utcOffset)
    }

    /// `earliest`, an offset, `@` and ms since 1970, or a time.
    func point(_ name: String, _ model: ConsoleModel) throws(FormProblem) -> Replay.From? {
        guard let text = self[name] else { return nil }
        if text == "earliest" { return .earliest }
        if let offset = Int64(text), offset >= 0 { return .offset(offset) }
        guard let ms = Self.instant(text, isAhead: false, model) else {
            throw FormProblem("`\(name) \(text)`: an offset, a time or earliest")
        }
        return .time(ms: ms)
    }

    func headers() throws(FormProblem) -> [MessageHeader] {
        var headers: [MessageHeader] = []
        for text in all("--header") {
            guard let equals = text.firstIndex(of: "="), equals > text.startIndex else {
                throw FormProblem("`--header \(text)`: NAME=VALUE")
            }
            headers.append(MessageHeader(name: String(text[..<equals]), value: String(text[text.index(after: equals)...])))
        }
        return headers
    }

    /// `--config KEY=VALUE`, times and sizes with their units or without.
    func settings() throws(FormProblem) -> [String: String] {
        var settings: [String: String] = [:]
        for text in all("--config") {
            guard let equals = text.firstIndex(of: "="), equals > text.startIndex else { throw FormProblem("--config takes KEY=VALUE") }
            let key = String(text[..<equals])
            settings[key] = try plain(String(text[text.index(after: equals)...]), for: key, option: "--config")
        }
        for (option, key) in DeclareWords.options {
            guard let value = self[option] else { continue }
            if DeclareWords.spans.contains(option), Int64(value) != nil {
                throw FormProblem("`\(option) \(value)`: a time such as 10s or 5m")
            }
            settings[key] = try plain(value, for: key, option: option)
        }
        return settings
    }

    private func plain(_ value: String, for key: String, option: String) throws(FormProblem) -> String {
        do throws(MisreadText) { return try SettingValue.plain(value, for: key) } catch { throw FormProblem("`\(option)`: \(error)") }
    }

    func filter(_ model: ConsoleModel) throws(FormProblem) -> MessageFilter {
        var filter = MessageFilter()
        filter.ids = all("--id")
        filter.reason = self["--reason"]
        filter.headers = try headers()
        filter.match = self["--match"]
        filter.fromMs = try time("--since", isAhead: false, model)
        filter.toMs = try time("--until", isAhead: false, model)
        return filter
    }

    private func misread(_ name: String, _ text: String) -> FormProblem { FormProblem("`\(name) \(text)`: not understood") }
}

/// The options of `queue declare` and `queue alter` and the settings they stand for.
enum DeclareWords {
    static let options: [(String, String)] = [
        ("--retry-levels", "retry.levels"), ("--retry-backoff", "retry.backoff"), ("--retry-jitter", "retry.jitter"),
        ("--delivery-limit", "delivery.limit"), ("--dead-letter", "dead.letter"), ("--delay", "delay.ms"), ("--delay-level", "delay.level"),
        ("--max-depth", "max.depth"), ("--max-bytes", "max.bytes"), ("--overflow", "overflow"), ("--rate-in", "rate.in"),
        ("--rate-out", "rate.out"), ("--ttl", "ttl.ms"), ("--priorities", "queue.priorities"),
    ]
    /// Those that take a time with its unit.
    static let spans: Set<String> = ["--delay", "--ttl"]
}
