import Control
import Terminal

/// What a redrive, move or replay dialog is about, and the broker's counts for exactly what its form says.
public struct CountedPlan: Equatable, Sendable {
    public enum Subject: Equatable, Sendable {
        case redrive(RedriveSubject)
        case replay(ReplaySubject)
    }
    public var subject: Subject
    /// The command that `preview` is for, as ``counted(_:)`` gives it.
    public var previewed: QueueCommand?
    public var preview: Preview?
    /// The dry run that is under way, and whether the form changed since.
    public var asked: QueueCommand?
    public var isOutdated = false
    /// The moment that `-1h` counts from: that of the dry run, so that what is started is what was counted.
    public var askedAtMs: Int64 = 0

    public init(_ subject: Subject) { self.subject = subject }

    /// A command without what the counts don't depend on.
    static func counted(_ command: QueueCommand) -> QueueCommand {
        switch command {
        case .redrive(var redrive):
            redrive.holdAbove = nil
            redrive.canary = nil
            redrive.canaryWaitMs = 0
            redrive.stopIfDead = nil
            redrive.dryRun = true
            return .redrive(redrive)
        case .replay(var replay):
            replay.dryRun = true
            return .replay(replay)
        default: return command
        }
    }

    /// The command as it is carried out: nothing that came after the counts.
    func started(_ command: QueueCommand) -> QueueCommand {
        guard case .redrive(var redrive) = command, let watermark = preview?.watermark, !watermark.isEmpty else { return command }
        redrive.watermark = watermark
        return .redrive(redrive)
    }
}

/// A form that is wrong or not filled in: what is missing.
struct FormProblem: Error, Equatable {
    var message: String
    init(_ message: String) { self.message = message }
}

extension ConsoleModel {
    /// The command that the form says.
    private func countedCommand(atMs nowMs: Int64) throws(FormProblem) -> QueueCommand? {
        guard let dialog, case .counted(let plan) = dialog.kind else { return nil }
        switch plan.subject {
        case .redrive(let subject): return .redrive(try subject.command(dialog.form))
        case .replay(let subject):
            return .replay(try ReplayForm.command(subject, dialog.form, nowMs: nowMs, offset: utcOffset))
        }
    }

    /// Asks the broker to count what the form says, unless it did so already.
    mutating func count() -> [Effect] {
        guard case .counted(var plan) = dialog?.kind else { return [] }
        let command: QueueCommand
        do throws(FormProblem) {
            guard let made = try countedCommand(atMs: brokerNowMs) else { return [] }
            command = made
        } catch {
            plan.previewed = nil
            plan.preview = nil
            dialog?.kind = .counted(plan)
            dialog?.commandLine = nil
            dialog?.notes = [Note("Dry run " + error.message, .dim)]
            return []
        }
        dialog?.commandLine = command.commandLine
        let counted = CountedPlan.counted(command)
        guard counted != plan.previewed else { return [] }
        plan.previewed = nil
        plan.preview = nil
        // One count is under way at a time; the form as it is then is counted next.
        if plan.asked != nil {
            plan.isOutdated = plan.asked != counted
            dialog?.kind = .counted(plan)
            return []
        }
        plan.asked = counted
        plan.askedAtMs = brokerNowMs
        plan.isOutdated = false
        dialog?.kind = .counted(plan)
        dialog?.notes = [Note("Dry run asking…", .dim)]
        lastCommandID += 1
        pending[lastCommandID] = .dryRun(counted)
        return [.perform(.queue(counted), id: lastCommandID)]
    }

    mutating func takeCount(_ asked: QueueCommand, _ result: Result<CommandOutcome, ControlError>) -> [Effect] {
        guard case .counted(var plan) = dialog?.kind, plan.asked == asked else { return [] }
        plan.asked = nil
        let isOutdated = plan.isOutdated
        if !isOutdated {
            switch result {
            case .success(let outcome):
                plan.previewed = asked
                plan.preview = outcome.preview ?? Preview()
                let lines = notes(plan)
                dialog?.notes = lines
            case .failure(let error): dialog?.notes = [Note("Dry run \(error.message)", .crit)]
            }
        }
        dialog?.kind = .counted(plan)
        if case .redrive(let subject) = plan.subject, let preview = plan.preview, let form = dialog?.form {
            dialog?.form.setOptions("where", subject.places(preview, isOther: form.choice("where") == 1))
            let skipped = form.isOn("poison") && preview.skipped > 0 ? "  (\(Short.exact(preview.skipped)) will be skipped)" : ""
            dialog?.form.setAfter("redriven", skipped)
        }
        return isOutdated ? count() : []
    }

    private func notes(_ plan: CountedPlan) -> [Note] {
        guard let preview = plan.preview else { return [] }
        let at = Short.clock(ms: preview.asOfMs > 0 ? preview.asOfMs : brokerNowMs, offset: utcOffset)
        let key: ThemeKey = preview.go == 0 ? .warn : .ok
        if case .replay = plan.subject {
            let copies = dialog?.form.text("into").isEmpty == false
            let what = copies ? "would be copied" : "would be ready again"
            return [
                Note("Dry run \(Short.counted(preview.go, "message")) \(what), \(Short.exact(preview.skipped)) not", key),
                Note("        as of \(at)", .dim),
            ]
        }
        var line =
            "Dry run \(Short.exact(preview.go)) go, \(Short.exact(preview.skipped)) skip, "
            + "\(Short.exact(preview.withoutOrigin)) without origin, \(Short.exact(preview.overLimit)) over limit"
        if let ms = preview.durationMs { line += "    about \(Short.duration(ms: ms))" }
        return [Note(line, key), Note("        as of \(at): later arrivals are not included", .dim)]
    }

    /// `d`: what the dry run found, in full.
    mutating func listCount() -> [Effect] {
        guard let below = dialog, case .counted(let plan) = below.kind else { return [] }
        guard let preview = plan.preview else { return count() }
        var lines = [Note("\(Short.counted(preview.go, "message")) would go", preview.go > 0 ? .ok : .warn)]
        lines += preview.targets.sorted { $0.key < $1.key }.map { Note("  to \($0.key): \(Short.exact($0.value))") }
        if preview.skipped > 0 { lines.append(Note("\(Short.exact(preview.skipped)) would be skipped", .warn)) }
        lines += preview.skips.sorted { $0.key < $1.key }.map { Note("  \($0.key): \(Short.exact($0.value))") }
        if preview.withoutOrigin > 0 {
            lines.append(
                Note("\(Short.exact(preview.withoutOrigin)) carry no stamp of their origin: choose another queue", .warn))
        }
        if preview.overLimit > 0 {
            lines.append(Note("\(Short.exact(preview.overLimit)) would go beyond the target's limits: the job waits for room", .warn))
        }
        if let ms = preview.durationMs { lines.append(Note("about \(Short.duration(ms: ms)) at this rate, ramp included", .dim)) }
        dialog = Dialog(
            kind: .listing(lines, top: 0, below: [below]), title: "Dry run: \(below.title)", notes: [], form: Form(fields: [], buttons: []),
            commandLine: below.commandLine)
        return []
    }

    mutating func startCounted() -> [Effect] {
        guard case .counted(let plan) = dialog?.kind else { return [] }
        let command: QueueCommand
        do throws(FormProblem) {
            guard let made = try countedCommand(atMs: plan.askedAtMs) else { return [] }
            command = made
        } catch {
            dialog?.message = Note(error.message.prefix(1).uppercased() + error.message.dropFirst() + "; nothing was done.", .crit)
            return []
        }
        guard let preview = plan.preview, plan.previewed == CountedPlan.counted(command) else {
            dialog?.message = Note("No dry run of this yet; nothing was done.", .crit)
            return []
        }
        guard preview.go > 0 else {
            dialog?.message = Note("Nothing would go; nothing was done.", .warn)
            return []
        }
        dialog = nil
        guard mayMutate() else { return [] }
        return [perform(.queue(plan.started(command)))]
    }
}
