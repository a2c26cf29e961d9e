import Control
import Model
import Terminal

/// The fields of a queue's declaration, and of its settings later.
enum DeclareForm {
    static let overflows = ["drop-head", "reject-publish", "reject-publish-dlx"]

    /// Numbers by field and setting.
    private static let numbers = [
        ("priorities", "queue.priorities"), ("attempts", "delivery.limit"), ("depth", "max.depth"), ("rateIn", "rate.in"),
        ("rateOut", "rate.out"),
    ]

    static func form(name: String, given: [String: String] = [:], isNew: Bool = true) -> Form {
        func value(_ setting: String) -> String { given[setting] ?? "" }
        func span(_ setting: String) -> String { given[setting].map { Int64($0).map { "\($0)ms" } ?? $0 } ?? "" }
        let delay = given["delay.level"] ?? span("delay.ms")
        var fields: [Form.Field] = isNew ? [.text("name", "Name", value: name, hint: "letters, digits, . _ -")] : []
        fields += [
            .text("delay", "Delay", value: delay, hint: "every message waits: 10s; or level 1-18"),
            .check("each", "Delayed messages", given["delay.enable"] == "true", after: "each by its own header (x-delay)"),
            .text("levels", "Retry levels", value: value("retry.levels"), hint: "10s,30s,1m"),
            .text("attempts", "Delivery limit", value: value("delivery.limit"), hint: "deliveries at most", accepts: .number),
            .text("dead", "Dead letters to", value: isNew ? "auto" : value("dead.letter"), hint: "auto: NAME.dlq; a queue; or nothing"),
            .text("depth", "Max depth", value: value("max.depth"), hint: "messages, 100k", accepts: .number),
            .choice("overflow", "Beyond it", overflows, selected: overflows.firstIndex(of: value("overflow")) ?? 0),
        ]
        fields += [
            .text("rateIn", "Rate in", value: value("rate.in"), hint: "messages/s", accepts: .number),
            .text("rateOut", "Rate out", value: value("rate.out"), hint: "messages/s", accepts: .number),
            .text("priorities", "Priorities", value: value("queue.priorities"), hint: "2-10, a partition each", accepts: .number),
            .text("ttl", "Time to live", value: span("ttl.ms"), hint: "1h, 7d"),
        ]
        return Form(fields: fields, buttons: [.init(label: isNew ? "Declare" : "Change", hotkey: "S")])
    }

    static func command(_ form: Form) throws(FormProblem) -> QueueCommand {
        let name = form.text("name")
        if let problem = ConsoleModel.topicNameProblem(name) { throw FormProblem(problem) }
        return .declare(queue: name, settings: try settings(form))
    }

    /// What differs from `given`; settings of the form that are gone go back to their defaults by an empty value.
    static func changes(_ queue: String, _ form: Form, given: [String: String]) throws(FormProblem) -> QueueCommand {
        let wanted = try settings(form)
        let own =
            [
                "delay.level", "delay.ms", "delay.enable", "retry.levels", "dead.letter", "overflow", "ttl.ms",
            ] + numbers.map(\.1)
        var changes: [String: String] = [:]
        for setting in own where (wanted[setting] ?? "") != (given[setting] ?? "") { changes[setting] = wanted[setting] ?? "" }
        guard !changes.isEmpty else { throw FormProblem("Nothing is changed yet.") }
        return .declare(queue: queue, settings: changes)
    }

    private static func settings(_ form: Form) throws(FormProblem) -> [String: String] {
        var settings: [String: String] = [:]
        let delay = form.text("delay")
        if let level = Int(delay), (1...18).contains(level) {
            settings["delay.level"] = String(level)
        } else if !delay.isEmpty {
            settings["delay.ms"] = String(try span(delay, "Delay"))
        }
        if form.isOn("each") { settings["delay.enable"] = "true" }
        let levels = form.text("levels")
        for level in levels.split(separator: ",") { _ = try span(String(level), "Retry levels") }
        if !levels.isEmpty { settings["retry.levels"] = levels }
        let dead = form.text("dead")
        if !dead.isEmpty { settings["dead.letter"] = dead }
        for (id, setting) in numbers {
            let text = form.text(id)
            guard !text.isEmpty else { continue }
            guard let value = Amount.parse(text), value >= 1, value < 1e15 else { throw FormProblem("\(setting): a number from 1.") }
            settings[setting] = String(Int64(value))
        }
        if settings["max.depth"] != nil { settings["overflow"] = overflows[form.choice("overflow")] }
        let ttl = form.text("ttl")
        if !ttl.isEmpty { settings["ttl.ms"] = String(try span(ttl, "Time to live")) }
        return settings
    }

    private static func span(_ text: String, _ label: String) throws(FormProblem) -> Int64 {
        guard let ms = try? TimeSpan.parse(text.trimmingPrefix(" ").description), ms > 0 else {
            throw FormProblem("\(label): times such as 10s, 5m, 1h30m.")
        }
        return ms
    }
}
