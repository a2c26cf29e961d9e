import Terminal

/// The keys that work here, most useful first; cut from the right where there is no room.
enum Footer {
    static func keys(_ model: ConsoleModel) -> [(String, String)] {
        if model.prompt?.kind == .palette { return [("enter", "run"), ("Tab", "complete"), ("Esc", "leave")] }
        if model.prompt != nil { return [("enter", "keep"), ("Esc", "clear"), ("~", "regular expression")] }
        if model.helpTop != nil { return [("j k", "move"), ("any key", "close help")] }
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
        keys += model.isFrozen ? [("z", "go on"), (", .", "step")] : [("z", "freeze")]
        keys += [("t", "theme"), ("e", "export"), ("q", "quit")]
        return keys
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
