import Control
import Terminal

/// What a replay is about; the form says the rest.
public struct ReplaySubject: Equatable, Sendable {
    public var queue: String
    /// nil: all.
    public var partition: Int32?
    /// Its `match` is the form's.
    public var filter = MessageFilter()

    /// `orders`, `orders, partition 3, 2 by id, 1 header`
    var text: String {
        var parts = [queue]
        if let partition { parts.append("partition \(partition)") }
        if !filter.ids.isEmpty { parts.append("\(filter.ids.count) by id") }
        if let reason = filter.reason { parts.append("reason \(reason)") }
        if !filter.headers.isEmpty { parts.append(Short.counted(filter.headers.count, "header")) }
        if filter.fromMs != nil || filter.toMs != nil { parts.append("by time") }
        return parts.joined(separator: ", ")
    }
}

/// The replay form: from where, up to where, ready again here or copied elsewhere.
enum ReplayForm {
    static let origins = ["earliest", "offset", "time"]

    static func form(_ given: Replay?, offset: Int64) -> Form {
        var choice = 2
        var value = "-1h"
        switch given?.from {
        case nil: break
        case .earliest: (choice, value) = (0, "")
        case .offset(let offset): (choice, value) = (1, String(offset))
        case .time(let ms): (choice, value) = (2, CivilTime.exact(ms: ms, offset: offset))
        }
        var point = Form.Field.text("value", "Value", value: value, hint: "offset, or a time: 12:04, -2h")
        point.chooses = .place(of: "from")
        return Form(
            fields: [
                .choice("from", "From", origins, selected: choice), point,
                .text(
                    "to", "Up to", value: given?.to.map { text($0, offset: offset) } ?? "",
                    hint: "offset or time; empty: all that was delivered"),
                .text("into", "Into", value: given?.into ?? "", hint: "another queue; empty: ready again here"),
                .text("match", "Match", value: given?.filter.match ?? "", hint: "regular expression on key or value"),
            ], buttons: [.init(label: "Start", hotkey: "S")])
    }

    private static func text(_ point: Replay.From, offset: Int64) -> String {
        switch point {
        case .earliest: "earliest"
        case .offset(let offset): String(offset)
        case .time(let ms): CivilTime.exact(ms: ms, offset: offset)
        }
    }

    static func command(_ subject: ReplaySubject, _ form: Form, nowMs: Int64, offset: Int64) throws(FormProblem) -> Replay {
        var replay = Replay(queue: subject.queue)
        (replay.partition, replay.filter) = (subject.partition, subject.filter)
        let value = form.text("value")
        switch form.choice("from") {
        case 0: replay.from = .earliest
        case 1:
            guard let number = Int64(value), number >= 0 else { throw FormProblem("needs a value: an offset") }
            replay.from = .offset(number)
        default:
            guard let ms = CivilTime.parse(value, nowMs: nowMs, offset: offset) else { throw FormProblem("needs a value: a time") }
            replay.from = .time(ms: ms)
        }
        let to = form.text("to")
        if !to.isEmpty {
            if to == "earliest" {
                replay.to = .earliest
            } else if let number = Int64(to), number >= 0 {
                replay.to = .offset(number)
            } else if let ms = CivilTime.parse(to, nowMs: nowMs, offset: offset) {
                replay.to = .time(ms: ms)
            } else {
                throw FormProblem("needs an offset or a time: Up to")
            }
        }
        let into = form.text("into")
        guard into != subject.queue else { throw FormProblem("needs another queue than \(subject.queue), or none: Into") }
        if !into.isEmpty { replay.into = into }
        let match = form.text("match")
        replay.filter.match = match.isEmpty ? nil : match
        return replay
    }
}

extension ConsoleModel {
    mutating func openReplay(_ queue: String, given: Replay? = nil) -> [Effect] {
        let subject = ReplaySubject(queue: queue, partition: given?.partition, filter: given?.filter ?? MessageFilter())
        dialog = Dialog(
            kind: .counted(CountedPlan(.replay(subject))), title: "Replay \(subject.text)", notes: [],
            form: ReplayForm.form(given, offset: utcOffset))
        return count()
    }
}
