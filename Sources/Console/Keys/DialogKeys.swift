import Control
import Terminal

extension ConsoleModel {
    // MARK: opening

    mutating func openConfirm(
        verb: String, noun: String, names: [String], commands: [Command], button: String, notes: () -> [Note]
    ) {
        guard let first = names.first else { return }
        let expected = names.count == 1 ? first : "\(names.count) \(noun)s"
        var lines = notes()
        if names.count > 1 {
            let listed = names.prefix(6).joined(separator: ", ")
            lines.insert(Note(names.count > 6 ? "\(listed) and \(names.count - 6) more" : listed, .mark), at: 0)
        }
        dialog = Dialog(
            kind: .confirm(expected: expected, commands: commands), title: "\(verb) \(expected)", notes: lines,
            form: Form(
                fields: [.text("name", "Type \(expected)", hint: "to confirm")],
                buttons: [.init(label: button, hotkey: "S")]),
            commandLine: Self.shown(commands))
    }

    mutating func openCreateTopic(name: String = "", partitions: String = "1") {
        dialog = Dialog(
            kind: .createTopic, title: "Create topic", notes: [],
            form: Form(
                fields: [
                    .text("name", "Name", value: name, hint: "letters, digits, . _ -"),
                    .text("partitions", "Partitions", value: partitions, hint: "1 to 10,000"),
                    .text("retention", "Retention", hint: "7d, or as 15m 12h 3d none"),
                ], buttons: [.init(label: "Create", hotkey: "S")]))
        updateCreate()
    }

    mutating func openQuit() {
        let doors = [live?.broker.kafka.map { "kafka \($0)" }, live?.broker.http.map { "http \($0)" }].compactMap { $0 }
        let attach = live?.broker.http.map { "weir console --attach \($0)" } ?? "weir console --attach HOST:PORT"
        dialog = Dialog(
            kind: .quit, title: "Leave the console",
            notes: [
                Note("The broker runs in this process\(doors.isEmpty ? "." : ": \(doors.joined(separator: ", ")).")"),
                Note("x  closes the console; the broker goes on in this terminal,", .text),
                Note("   and `\(attach)` attaches again.", .dim),
                Note("S  stops the broker too.", .text),
            ],
            form: Form(fields: [], buttons: [.init(label: "Close console", hotkey: "x"), .init(label: "Stop broker", hotkey: "S")]),
            commandLine: nil)
        dialog?.form.buttons[0].label = "Stay"
    }

    mutating func openThemes() {
        dialog = Dialog(
            kind: .themes(before: themeName), title: "Theme", notes: [],
            form: Form(
                fields: [.choice("theme", "Theme", themes.map(\.name), selected: themes.firstIndex { $0.name == themeName } ?? 0)],
                buttons: [.init(label: "Use", hotkey: "S")]))
        dialog?.form.focus = 0
    }

    // MARK: keys

    mutating func handleDialog(_ key: Key) -> [Effect] {
        guard var open = dialog else { return [] }
        if case .moves(let moves, let top, let below) = open.kind {
            handleMoves(key, moves: moves, top: top, below: below)
            return []
        }
        if case .listing(let lines, let top, let below) = open.kind {
            let next = Self.scrolled(top, key, count: lines.count)
            if let next { dialog?.kind = .listing(lines, top: next, below: below) } else { dialog = below.first }
            return []
        }
        if case .columns(let pick) = open.kind {
            handleColumns(key, pick)
            return []
        }
        if case .themes(let before) = open.kind { return handleThemes(key, before: before) }
        let event = open.form.handle(key)
        dialog = open
        switch event {
        case .none: return []
        case .cancel:
            dialog = nil
            return []
        case .changed:
            dialog?.message = nil
            return formChanged()
        case .pressed(let button): return press(button)
        case .unused(let key): return unused(key)
        }
    }

    private mutating func formChanged() -> [Effect] {
        switch dialog?.kind {
        case .createTopic: updateCreate()
        case .reset: return previewReset()
        case .counted: return count()
        case .form: updateForm()
        default: break
        }
        return []
    }

    /// Shows the command line of what the form says so far.
    mutating func updateForm() {
        guard let dialog, case .form(let action) = dialog.kind else { return }
        var form = dialog.form
        if case .declare = action, form.text("name").isEmpty { form.setText("name", "NAME") }
        let commands = (try? action.commands(form, nowMs: brokerNowMs, offset: utcOffset)) ?? []
        self.dialog?.commandLine = Self.shown(commands)
    }

    /// The first command's line, and how many more there are.
    private static func shown(_ commands: [Command]) -> String? {
        commands.first.map { $0.commandLine + (commands.count > 1 ? "   (and \(commands.count - 1) more)" : "") }
    }

    /// The dialog's command lines, one a line, as a shell takes them.
    private var dialogLines: String? {
        guard let dialog else { return nil }
        let commands: [Command]
        switch dialog.kind {
        case .confirm(_, let all): commands = all
        case .form(let action): commands = (try? action.commands(dialog.form, nowMs: brokerNowMs, offset: utcOffset)) ?? []
        default: return dialog.commandLine
        }
        return commands.isEmpty ? dialog.commandLine : commands.map(\.commandLine).joined(separator: "\n")
    }

    private mutating func unused(_ key: Key) -> [Effect] {
        if key == .character("y"), let line = dialogLines {
            say("copied the command line\(line.contains("\n") ? "s" : "")", .ok)
            return [.copy(line)]
        }
        if case .reset(let plan) = dialog?.kind, key == .character("d") {
            if plan.previewed == nil { return previewReset() }
            if let below = dialog { dialog = Self.movesDialog(plan.moves, below: below) }
        }
        if case .counted = dialog?.kind, key == .character("d") { return listCount() }
        if key == .character("q") { dialog = nil }
        return []
    }

    private mutating func pressForm(_ action: FormAction, _ form: Form) -> [Effect] {
        let typed = form.text("name")
        if !action.expected.isEmpty, typed != action.expected {
            dialog?.message = Note(
                typed.isEmpty
                    ? "Type \(action.expected) first; nothing was done." : "`\(typed)` is not \(action.expected); nothing was done.", .crit)
            dialog?.form.focus = 0
            return []
        }
        do throws(FormProblem) {
            let commands = try action.commands(form, nowMs: brokerNowMs, offset: utcOffset)
            dialog = nil
            return mayMutate() ? commands.map { perform($0) } : []
        } catch {
            dialog?.message = Note(error.message, .crit)
            return []
        }
    }

    private mutating func press(_ button: Int) -> [Effect] {
        guard let open = dialog else { return [] }
        switch open.kind {
        case .confirm(let expected, let commands):
            guard open.form.text("name") == expected else {
                let typed = open.form.text("name")
                dialog?.message = Note(
                    typed.isEmpty ? "Type \(expected) first; nothing was done." : "`\(typed)` is not \(expected); nothing was done.", .crit)
                dialog?.form.focus = 0
                return []
            }
            dialog = nil
            return mayMutate() ? commands.map { perform($0) } : []
        case .createTopic:
            guard let command = createCommand() else { return [] }
            dialog = nil
            return mayMutate() ? [perform(command)] : []
        case .reset: return startReset()
        case .quit: return [.end(button == 1 ? .closed : .stopBroker)]
        case .counted: return startCounted()
        case .form(let action): return pressForm(action, open.form)
        case .themes, .moves, .listing, .columns: return []
        }
    }

    private mutating func handleThemes(_ key: Key, before: String) -> [Effect] {
        guard var open = dialog else { return [] }
        let selected = open.form.choice("theme")
        let step: Int
        switch key {
        case .down, .right, .character("j"), .character("l"), .character("t"), .tab: step = 1
        case .up, .left, .character("k"), .character("h"), .backTab: step = -1
        case .enter, .character("S"):
            dialog = nil
            say("theme \(themeName); --theme \(themeName) keeps it", .ok)
            return []
        case .escape, .character("q"), .character("c"), .control("c"):
            dialog = nil
            themeName = before
            return []
        default: return []
        }
        let next = (selected + step + themes.count) % themes.count
        open.form.fields = [.choice("theme", "Theme", themes.map(\.name), selected: next)]
        dialog = open
        themeName = themes[next].name
        return []
    }

    private mutating func handleMoves(_ key: Key, moves: [OffsetMove], top: Int, below: [Dialog]) {
        guard let next = Self.scrolled(top, key, count: moves.count) else {
            dialog = below.first
            return
        }
        dialog?.kind = .moves(moves, top: next, below: below)
    }

    /// The first line after a key that scrolls; nil for any other key.
    private static func scrolled(_ top: Int, _ key: Key, count: Int) -> Int? {
        let step: Int
        switch key {
        case .down, .character("j"): step = 1
        case .up, .character("k"): step = -1
        case .pageDown, .character(" "): step = 10
        case .pageUp: step = -10
        default: return nil
        }
        return min(max(0, top + step), max(0, count - 1))
    }

    private static func movesDialog(_ moves: [OffsetMove], below: Dialog) -> Dialog {
        Dialog(
            kind: .moves(moves, top: 0, below: [below]), title: "Dry run: \(Short.counted(moves.count, "partition"))", notes: [],
            form: Form(fields: [], buttons: []), commandLine: below.commandLine)
    }
}
