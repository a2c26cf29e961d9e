import Control
import Model
import Terminal

/// A dialog whose fields make commands, without a count beforehand.
public enum FormAction: Equatable, Sendable {
    case declare
    /// Changes settings; `opened` is what the form said when it was opened.
    case settings(SettingsChange.Kind, name: String, opened: [String: String])
    case purge(queues: [String], expected: String)
    case write(queue: String)
    case reschedule([MessageSet])
    case jitter(queue: String?, fromMs: Int64, toMs: Int64)
    /// Runs the commands; with `expected`, once it was typed.
    case commands([Command], expected: String)

    /// Messages of one queue.
    public struct MessageSet: Equatable, Sendable {
        public var queue: String
        public var ids: [String]
    }

    /// The commands that the form says.
    func commands(_ form: Form, nowMs: Int64, offset: Int64) throws(FormProblem) -> [Command] {
        switch self {
        case .declare: return [.queue(try SettingsForm.declare(form))]
        case .settings(let kind, let name, let opened): return [.alter(try SettingsForm.change(kind, name, form, opened: opened))]
        case .purge(let queues, _): return queues.map { .queue(.purge(queue: $0, delayed: form.isOn("delayed"))) }
        case .write(let queue): return [.queue(try Self.write(queue, form))]
        case .reschedule(let sets):
            guard let due = DueTime.parse(form.text("due"), nowMs: nowMs, offset: offset) else {
                throw FormProblem("Due: 15m from now, or a time such as 12:30.")
            }
            return sets.map { .queue(.reschedule(queue: $0.queue, ids: $0.ids, dueMs: due)) }
        case .jitter(let queue, let fromMs, let toMs):
            guard let spread = try? TimeSpan.parse(form.text("spread")), spread > 0 else {
                throw FormProblem("Spread: a time such as 60s.")
            }
            return [.queue(.jitter(queue: queue, fromMs: fromMs, toMs: toMs, spreadMs: spread))]
        case .commands(let commands, _): return commands
        }
    }

    /// What must be typed first; empty when nothing.
    var expected: String {
        switch self {
        case .purge(_, let expected), .commands(_, let expected): expected
        case .declare, .settings, .write, .reschedule, .jitter: ""
        }
    }

    private static func write(_ queue: String, _ form: Form) throws(FormProblem) -> QueueCommand {
        var headers: [MessageHeader] = []
        for word in form.text("headers").split(separator: " ") {
            guard let equals = word.firstIndex(of: "="), equals > word.startIndex else {
                throw FormProblem("Headers: NAME=VALUE, a space between.")
            }
            headers.append(MessageHeader(name: String(word[..<equals]), value: String(word[word.index(after: equals)...])))
        }
        let delay = form.text("delay")
        let delayMs = delay.isEmpty ? nil : try? TimeSpan.parse(delay)
        if !delay.isEmpty, delayMs == nil { throw FormProblem("Delay: a time such as 10s or 1h30m, or nothing.") }
        let key = form.text("key")
        return .write(queue: queue, key: key.isEmpty ? nil : key, value: form.text("value"), headers: headers, delayMs: delayMs)
    }
}

/// A time ahead as an operator types it.
enum DueTime {
    /// `15m` or `1h30m` from now, `12:30` (today or tomorrow), `2026-11-23 12:30`, `now`; ms since 1970.
    static func parse(_ text: String, nowMs: Int64, offset: Int64) -> Int64? {
        let trimmed = text.hasPrefix("+") ? String(text.dropFirst()) : text
        if trimmed == "now" { return nowMs }
        if trimmed.hasPrefix("@") { return CivilTime.parse(trimmed, nowMs: nowMs) }
        if let span = try? TimeSpan.parse(trimmed) { return nowMs + span }
        guard !trimmed.hasPrefix("-"), let ms = CivilTime.parse(trimmed, nowMs: nowMs, offset: offset) else { return nil }
        // A bare time of day is the next one.
        let isBare = trimmed.contains(":") && !trimmed.contains("-")
        return isBare && ms <= nowMs ? ms + 86_400_000 : ms
    }
}
