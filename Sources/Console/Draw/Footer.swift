import Terminal

/// The keys that work here, most useful first; cut from the right where there is no room.
enum Footer {
    static func keys(_ model: ConsoleModel) -> [(String, String)] {
        if model.prompt?.kind == .palette { return [("enter", "run"), ("Tab", "complete"), ("Esc", "leave")] }
        if model.prompt != nil { return [("enter", "keep"), ("Esc", "clear"), ("~", "regular expression")] }
        if model.helpTop != nil { return [("j k", "move"), ("any key", "close help")] }
        if let dialog = model.dialog { return dialogKeys(dialog) }
        let changes = !model.isReadOnly && model.link.isLive && !model.isFrozen
        var keys: [(String, String)] = [("?", "help"), (":", "command")]
        keys +=
            model.inspector == nil ? screenKeys(model) : [("Tab", "view"), ("n N", "next, previous"), ("y", "copy value"), ("Esc", "back")]
        if changes {
            keys += model.inspector == nil ? changingKeys(model) : model.screen == .dead ? [("R", "redrive"), ("X", "discard")] : []
        }
        keys += model.isFrozen ? [("z", "go on"), (", .", "step"), ("q", "quit")] : [("q", "quit"), ("z", "freeze")]
        keys += [("t", "theme"), ("e", "export")]
        return keys
    }

    private static func screenKeys(_ model: ConsoleModel) -> [(String, String)] {
        switch model.screen {
        case .overview: return [("enter", "open"), ("Tab", "pane")]
        case .log: return [("/", "filter"), ("Esc", "back")]
        case .delay:
            return model.isDetailOpened
                ? [("i", "inspect"), ("space", "mark"), ("Tab", "retries"), ("Esc", "back")] : [("enter", "messages")]
        case .dead where model.isDetailOpened:
            return [("/", "filter"), ("Tab", "pane"), model.dead.tab == 0 ? ("enter", "this reason") : ("i", "inspect"), ("Esc", "back")]
        case .queues where model.isDetailOpened:
            return (model.showsMessages ? [("i", "inspect"), ("space", "mark")] : []) + [("Tab", "table"), ("Esc", "back")]
        case .jobs where model.isDetailOpened: return [("j k", "move"), ("Esc", "back")]
        default:
            if model.isDetailOpened { return [("Tab", "table"), ("Esc", "back")] }
            return [("/", "filter"), ("s<>", "sort"), ("enter", "open")]
        }
    }

    /// The keys that change something here.
    private static func changingKeys(_ model: ConsoleModel) -> [(String, String)] {
        let isOpened = model.isDetailOpened
        var keys: [(String, String)]
        switch model.screen {
        case .overview: keys = [("A", "add topic"), ("O", "reset offsets"), ("R", "redrive")]
        case .queues:
            keys = isOpened && model.showsMessages ? [("X", "discard"), ("M", "move")] : []
            if isOpened && model.queues.tab == 1 { keys += [("K", "kill")] }
            keys += [("P", "purge"), ("H", "hold"), ("B", "block"), ("O", "replay"), ("W", "write")]
            keys += isOpened ? [("E", "settings")] : [("R", "redrive"), ("A", "add"), ("D", "delete")]
        case .topics: keys = (isOpened ? [("E", "settings")] : [("A", "add")]) + [("P", "purge"), ("D", "delete")]
        case .groups:
            keys = [("O", "reset"), ("D", "delete")] + (isOpened && model.groups.tab == 1 ? [("K", "kill")] : [])
            keys += (isOpened ? [("i", "inspect first unread"), ("y", "copy offsets")] : [])
        case .delay:
            keys = isOpened ? [("R", "run now"), ("E", "change delay"), ("X", "cancel"), ("J", "jitter")] : [("J", "jitter bucket")]
        case .dead: keys = [("R", "redrive"), ("M", "move")] + (isOpened ? [("X", "discard")] : []) + [("P", "purge")]
        case .clients: keys = [("K", "kill")]
        case .jobs: keys = [("C", "cancel job")]
        case .audit, .log: keys = []
        }
        return keys + (model.undoStep() == nil ? [] : [("u", "undo")])
    }

    private static func dialogKeys(_ dialog: Dialog) -> [(String, String)] {
        switch dialog.kind {
        case .themes: [("j k", "choose"), ("enter", "use"), ("Esc", "as before")]
        case .moves: [("j k", "move"), ("Esc", "back to the form")]
        case .quit: [("x", "close the console"), ("S", "stop the broker"), ("Esc", "stay")]
        case .reset: [("Tab", "next"), ("space", "choose"), ("d", "dry-run list"), ("S", "start"), ("Esc", "cancel")]
        case .columns: [("j k", "move"), ("space", "show or hide"), ("a", "all"), ("Esc", "done")]
        case .listing: [("j k", "move"), ("Esc", "back to the form")]
        case .counted: [("Tab", "next"), ("space", "choose"), ("d", "dry-run list"), ("S", "start"), ("Esc", "cancel")]
        case .confirm, .createTopic, .form: [("Tab", "next"), ("enter", "next, then do it"), ("Esc", "cancel")]
        }
    }

    static func draw(_ model: ConsoleModel, on painter: inout Painter) {
        var x = 1
        let y = model.layout.footerY
        for (key, meaning) in keys(model) {
            let wide = CharacterWidth.of(key) + 1 + CharacterWidth.of(meaning)
            guard x + wide <= model.size.columns else { continue }
            x = painter.spans([(key, .key), (" " + meaning, .dim)], x: x, y: y) + 2
        }
    }
}
