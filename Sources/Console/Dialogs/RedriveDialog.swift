import Control
import Model
import Terminal

/// What a redrive or move can be about: the messages at hand when its dialog was opened.
public struct RedriveSubject: Equatable, Sendable {
    public enum Scope: Equatable, Sendable { case given, marked, reason, filter, all }

    public var queue: String
    /// To another queue from the start, and no origin is offered.
    public var isMove = false
    public var marked: [String] = []
    public var reason: String?
    public var reasonCount: Int64 = 0
    public var filterText = ""
    public var filterCount: Int64?
    public var total: Int64?
    /// What a command line says, all of it at once.
    public var given: MessageFilter?
    /// Nothing from these offsets on, one a partition; empty: all that is there when it is counted.
    public var watermark: [Int64] = []

    init(queue: String) { self.queue = queue }

    /// In the order of the form's first line; those with nothing in them are left out.
    var scopes: [Scope] {
        (given == nil ? [] : [.given]) + (marked.isEmpty ? [] : [.marked]) + (reason == nil ? [] : [.reason])
            + (filterText.isEmpty ? [] : [.filter]) + [.all]
    }

    func name(_ scope: Scope) -> String {
        switch scope {
        case .given: "as typed"
        case .marked: "marked \(marked.count)"
        case .reason: "this reason \(Short.exact(reasonCount))"
        case .filter: filterCount.map { "filter \(Short.exact($0))" } ?? "filter"
        case .all: total.map { "all \(Short.exact($0))" } ?? "all"
        }
    }

    /// The form's words for the destination, with where the messages came from once that is counted.
    func places(_ preview: Preview?, isOther: Bool) -> [String] {
        if isMove { return ["other queue:"] }
        guard let preview, !isOther, !preview.targets.isEmpty else { return ["back to origin", "other queue:"] }
        if preview.targets.count == 1, let target = preview.targets.first {
            return ["back to origin: \(target.key) \(Short.exact(target.value))", "other queue:"]
        }
        return ["back to \(preview.targets.count) origins: \(Short.exact(preview.go))", "other queue:"]
    }

    func form(_ given: Redrive?) -> Form {
        func number(_ value: Double?) -> String { value.map(Amount.plain) ?? "" }
        let isOther = isMove || given?.target != nil
        var to = Form.Field.short("to", given?.target ?? "", width: 18, accepts: .anything)
        to.joins = true
        if !isMove { to.chooses = .option(1, of: "where") }
        let defaults = given ?? Self.standard(isMove: isMove)
        var fields: [Form.Field] = [
            .choice("what", "What", scopes.map(name), selected: 0),
            .choice("where", "Where", places(nil, isOther: isOther), selected: isOther && !isMove ? 1 : 0), to,
        ]
        fields += [
            .short("rate", number(defaults.rate), label: "Rate", width: 6, after: "/s"),
            .short("ramp", number(defaults.rampFrom), width: 4, before: "ramp from", after: "/s"),
            .short("hold", number(defaults.holdAbove.map(Double.init)), width: 6, before: "hold if backlog >"),
        ]
        fields += guards(defaults, percent: number((defaults.stopIfDead ?? 0.05) * 100))
        return Form(fields: fields, buttons: [.init(label: "Start", hotkey: "S")])
    }

    private func guards(_ defaults: Redrive, percent: String) -> [Form.Field] {
        [
            .check("canary", "Guard", defaults.canary != nil, after: "canary"),
            .short("canaryCount", String(defaults.canary ?? 1), width: 3),
            .short("canaryWait", TimeSpan.text(ms: defaults.canaryWaitMs), width: 4, before: "wait ack", accepts: .span),
            .check("stop", "", defaults.stopIfDead != nil, after: "stop if >", joins: true),
            .short("stopPercent", percent, width: 4, after: "% die again"),
            .check("poison", "Poison", defaults.skipIfRedriven != nil, after: "skip if redriven >="),
            .short("redriven", String(defaults.skipIfRedriven ?? 2), width: 3),
        ]
    }

    private static func standard(isMove: Bool) -> Redrive {
        var redrive = Redrive()
        guard !isMove else { return redrive }
        redrive.rate = 50
        redrive.rampFrom = 5
        redrive.holdAbove = 5_000
        redrive.canary = 1
        redrive.stopIfDead = 0.05
        redrive.skipIfRedriven = 2
        return redrive
    }

    /// What the form says.
    func command(_ form: Form) throws(FormProblem) -> Redrive {
        var redrive = Redrive(queue: queue)
        redrive.watermark = watermark
        switch scopes[min(form.choice("what"), scopes.count - 1)] {
        case .given: redrive.filter = given ?? MessageFilter()
        case .marked: redrive.filter.ids = marked
        case .reason: redrive.filter.reason = reason
        case .filter: redrive.filter = MessageFilterText.parse(filterText)
        case .all: break
        }
        if isMove || form.choice("where") == 1 {
            let target = form.text("to")
            guard !target.isEmpty else { throw FormProblem("needs a queue: Where, other queue") }
            guard target != queue else { throw FormProblem("needs another queue than \(queue)") }
            redrive.target = target
        }
        redrive.rate = try Self.number(form, "rate", "Rate")
        redrive.rampFrom = try Self.number(form, "ramp", "Ramp")
        redrive.holdAbove = try Self.number(form, "hold", "Hold", mayBeZero: true).map { Int64($0) }
        if form.isOn("canary") {
            redrive.canary = try Self.number(form, "canaryCount", "Canary").map { Int($0) } ?? 1
            guard let wait = try? TimeSpan.parse(form.text("canaryWait")), wait > 0 else {
                throw FormProblem("needs a wait such as 10s: Canary")
            }
            redrive.canaryWaitMs = wait
        }
        if form.isOn("stop") {
            let percent = try Self.number(form, "stopPercent", "Stop", mayBeZero: true) ?? 5
            guard percent <= 100 else { throw FormProblem("needs a share up to 100: Stop") }
            redrive.stopIfDead = percent / 100
        }
        if form.isOn("poison") { redrive.skipIfRedriven = try Self.number(form, "redriven", "Poison").map { Int($0) } ?? 2 }
        return redrive
    }

    /// `50`, `0.5`, `5k`, `2M`; nil for an empty field.
    private static func number(_ form: Form, _ id: String, _ label: String, mayBeZero: Bool = false) throws(FormProblem) -> Double? {
        let text = form.text(id)
        guard !text.isEmpty else { return nil }
        guard let value = Amount.parse(text), value > 0 || (mayBeZero && value == 0), value < 1e12 else {
            throw FormProblem("needs a number above 0: \(label)")
        }
        return value
    }
}

/// Counts as people type them.
enum Amount {
    /// `50` `0.5` `5k` `2M`; powers of 1,000. nil for anything else.
    static func parse(_ text: String) -> Double? {
        let factors: [Character: Double] = ["k": 1e3, "M": 1e6]
        if let last = text.last, let factor = factors[last] { return Double(text.dropLast()).map { $0 * factor } }
        return Double(text).flatMap { $0.isFinite ? $0 : nil }
    }

    /// A number without a needless `.0`: `50`, `0.5`.
    static func plain(_ number: Double) -> String {
        number == number.rounded() && abs(number) < 1e15 ? String(Int64(number)) : String(number)
    }
}

extension ConsoleModel {
    /// Opens the redrive dialog on a queue, filled in as `given` says, and counts.
    mutating func openRedrive(_ subject: RedriveSubject, given: Redrive? = nil) -> [Effect] {
        let verb = subject.isMove ? "Move from" : "Redrive"
        dialog = Dialog(
            kind: .counted(CountedPlan(.redrive(subject))), title: "\(verb) \(subject.queue)", notes: [], form: subject.form(given))
        return count()
    }

    /// What is at hand of a queue: marks, the reason under the cursor, the filter.
    func redriveSubject(_ queue: String, isAtHand: Bool = true) -> RedriveSubject {
        var subject = RedriveSubject(queue: queue)
        subject.total = shown?.deadQueues.rows.first { $0.name == queue }?.messages ?? shown?.queues.rows.first { $0.name == queue }?.ready
        guard isAtHand else { return subject }
        if let inspector, inspector.name.queue == queue {
            subject.marked = [inspector.name.id]
            return subject
        }
        guard isDetailOpened, browse.opened == queue else { return subject }
        subject.marked = (marksByQueue[queue] ?? []).sorted()
        subject.filterText = browse.messages.filter
        if screen == .dead, let detail = deadDetail {
            subject.total = detail.row.messages
            subject.filterCount = subject.filterText.isEmpty ? nil : Int64(detail.messages.matched)
            if dead.tab == 0, subject.filterText.isEmpty, detail.reasons.indices.contains(dead.detail.cursor), detail.reasons.count > 1 {
                subject.reason = detail.reasons[dead.detail.cursor].reason
                subject.reasonCount = detail.reasons[dead.detail.cursor].count
            }
        }
        return subject
    }
}
