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
        switch model.screen {
        case .overview:
            keys += [("enter", "open"), ("Tab", "pane")]
            if changes { keys += [("A", "add topic"), ("O", "reset offsets")] }
        case .topics:
            keys += model.isDetailOpened ? [("Tab", "table"), ("Esc", "back")] : [("/", "filter"), ("s<>", "sort"), ("enter", "open")]
            if changes { keys += [("A", "add"), ("P", "purge"), ("D", "delete")] }
        case .groups:
            keys += model.isDetailOpened ? [("Tab", "table"), ("Esc", "back")] : [("/", "filter"), ("s<>", "sort"), ("enter", "open")]
            if changes { keys += [("O", "reset"), ("D", "delete")] }
            keys += model.isDetailOpened ? [("y", "copy offsets")] : []
        case .log: keys += [("/", "filter"), ("Esc", "back")]
        }
        keys += model.isFrozen ? [("z", "go on"), (", .", "step"), ("q", "quit")] : [("q", "quit"), ("z", "freeze")]
        keys += [("t", "theme"), ("e", "export")]
        return keys
    }

    private static func dialogKeys(_ dialog: Dialog) -> [(String, String)] {
        switch dialog.kind {
        case .themes: [("j k", "choose"), ("enter", "use"), ("Esc", "as before")]
        case .moves: [("j k", "move"), ("Esc", "back to the form")]
        case .quit: [("x", "close the console"), ("S", "stop the broker"), ("Esc", "stay")]
        case .reset: [("Tab", "next"), ("space", "choose"), ("d", "dry-run list"), ("S", "start"), ("Esc", "cancel")]
        case .confirm, .createTopic: [("Tab", "next"), ("enter", "next, then do it"), ("Esc", "cancel")]
        }
    }

    static func draw(_ model: ConsoleModel, on painter: inout Painter) {
        var x = 1
        let y = Layout(size: model.size).footerY
        for (key, meaning) in keys(model) {
            let wide = CharacterWidth.of(key) + 1 + CharacterWidth.of(meaning)
            guard x + wide <= model.size.columns else { continue }
            x = painter.spans([(key, .key), (" " + meaning, .dim)], x: x, y: y) + 2
        }
    }
}
