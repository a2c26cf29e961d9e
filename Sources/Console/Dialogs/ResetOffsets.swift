import Control

extension ConsoleModel {
    static let resetTargets = ["earliest", "latest", "offset", "time"]

    mutating func openReset(
        group: String, topics: [String], partition: Int32?, target: OffsetReset.Target?, force: Bool = false
    ) -> [Effect] {
        var choice = 0
        var value = ""
        switch target {
        case nil, .earliest: choice = 0
        case .latest: choice = 1
        case .offset(let offset): (choice, value) = (2, String(offset))
        case .time(let ms): (choice, value) = (3, CivilTime.exact(ms: ms, offset: utcOffset))
        }
        var point = Form.Field.text("value", "Value", value: value, hint: "offset, or a time: 12:04, -2h")
        point.chooses = .place(of: "to")
        let scopes = topics.count == 1 ? topics : ["all topics"] + topics.prefix(5)
        dialog = Dialog(
            kind: .reset(ResetPlan(group: group, topics: topics, partition: partition)),
            title: "Reset offsets of group \(group)\(partition.map { ", partition \($0)" } ?? "")", notes: [],
            form: Form(
                fields: [
                    .choice("what", "What", scopes), .choice("to", "To", Self.resetTargets, selected: choice), point,
                    .check("force", "Members", force, after: "take them out first; they join again"),
                ], buttons: [.init(label: "Start", hotkey: "S")]))
        return previewReset()
    }

    /// The reset that the form says; nil where its value is missing or wrong.
    private func resetCommand(dryRun: Bool) -> OffsetReset? {
        guard let form = dialog?.form, case .reset(let plan) = dialog?.kind else { return nil }
        let value = form.text("value")
        let target: OffsetReset.Target
        switch form.choice("to") {
        case 0: target = .earliest
        case 1: target = .latest
        case 2:
            guard let offset = Int64(value), offset >= 0 else { return nil }
            target = .offset(offset)
        default:
            guard let ms = CivilTime.parse(value, nowMs: brokerNowMs, offset: utcOffset) else { return nil }
            target = .time(ms: ms)
        }
        let what = form.choice("what")
        let topic = plan.topics.count == 1 ? plan.topics[0] : what == 0 ? nil : plan.topics[what - 1]
        return OffsetReset(
            group: plan.group, topic: topic, partition: plan.partition, target: target, dryRun: dryRun, force: form.isOn("force"))
    }

    /// Asks the broker what the form's reset would do; the old preview no longer counts.
    mutating func previewReset() -> [Effect] {
        guard case .reset(var plan) = dialog?.kind else { return [] }
        plan.previewed = nil
        plan.moves = []
        guard let reset = resetCommand(dryRun: true) else {
            dialog?.kind = .reset(plan)
            dialog?.commandLine = nil
            let wanted = dialog?.form.choice("to") == 2 ? "an offset" : "a time"
            dialog?.notes = [Note("Dry run  needs a value: \(wanted)", .dim)]
            return []
        }
        var command = reset
        command.dryRun = false
        dialog?.commandLine = command.commandLine
        // `-2h` moves with the clock: the same text asked again is a new preview.
        plan.asked = reset
        dialog?.kind = .reset(plan)
        dialog?.notes = [Note("Dry run  asking…", .dim)]
        lastCommandID += 1
        pending[lastCommandID] = .preview(reset)
        return [.perform(.resetOffsets(reset), id: lastCommandID)]
    }

    mutating func takePreview(_ asked: OffsetReset, _ result: Result<CommandOutcome, ControlError>) {
        guard case .reset(var plan) = dialog?.kind, plan.asked == asked else { return }
        switch result {
        case .success(let outcome):
            plan.previewed = asked
            plan.moves = outcome.moves
            plan.previewedAtMs = brokerNowMs
            let clock = Short.clock(ms: plan.previewedAtMs, offset: utcOffset)
            dialog?.notes = Self.previewNotes(plan, clock: clock)
        case .failure(let error):
            dialog?.notes = [Note("Dry run  \(error.message)", .crit)]
        }
        dialog?.kind = .reset(plan)
    }

    private static func previewNotes(_ plan: ResetPlan, clock: String) -> [Note] {
        guard !plan.moves.isEmpty else { return [Note("Dry run  nothing to move: no partition of this group matches", .warn)] }
        let partitions = Short.counted(plan.changed, "partition")
        var notes = [
            Note(
                "Dry run  \(partitions) of \(plan.moves.count) \(plan.changed == 1 ? "moves" : "move"): "
                    + "\(Short.exact(plan.again)) to be read again, \(Short.exact(plan.skipped)) skipped", plan.skipped > 0 ? .warn : .ok)
        ]
        notes.append(Note("         as of \(clock)", .dim))
        return notes
    }

    mutating func startReset() -> [Effect] {
        guard case .reset(let plan) = dialog?.kind else { return [] }
        guard let previewed = plan.previewed else {
            dialog?.message = Note("No dry run of this yet; nothing was done.", .crit)
            return []
        }
        guard !plan.moves.isEmpty else {
            dialog?.message = Note("Nothing to move.", .warn)
            return []
        }
        dialog = nil
        guard mayMutate() else { return [] }
        var command = previewed
        command.dryRun = false
        return [perform(.resetOffsets(command))]
    }
}
