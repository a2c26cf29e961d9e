import Terminal

/// What `?` shows: the keys of the screen that is open, then those of all.
enum HelpText {
    /// A key with its meaning; an empty key is a heading.
    static func lines(for model: ConsoleModel) -> [(key: String, meaning: String)] {
        var lines = here(model)
        lines += [("", "Move"), ("j k ↓ ↑", "down, up"), ("gg G", "top, bottom"), ("^d ^u PgDn PgUp", "half a page, a page")]
        lines += [
            ("", "Everywhere"), ("1 3 4", "Overview, Topics, Groups"), (":", "command palette, the command line's words (Tab completes)"),
            ("z  , .", "freeze; step back and on through the last 15 minutes"), ("+ -", "refresh slower, faster"),
            ("t", "theme, with preview"), ("e", "export the shown instant as JSON"), ("y", "copy, over SSH too (OSC 52)"),
            ("r", "ask the broker now"), ("Esc q", "back, quit"), ("^L", "redraw"),
        ]
        if model.isReadOnly { lines += [("", "Read-only: keys that change something are off.")] }
        return lines
    }

    private static func here(_ model: ConsoleModel) -> [(key: String, meaning: String)] {
        let changes = !model.isReadOnly
        let list: [(String, String)] = [
            ("enter", "open"), ("/ n N", "filter (~ before it: regular expression), next, previous"),
            ("s  < >", "reverse the order, sort by another column"), ("space v a", "mark, mark a range, mark all"),
            ("Tab [ ]", "next, previous table of the detail"),
        ]
        switch model.screen {
        case .overview:
            return [("", "Overview"), ("Tab", "attention list, backlog table"), ("enter", "open what is under the cursor")]
                + (changes ? [("O", "reset a group's offsets, with a dry run"), ("A", "create a topic")] : [])
        case .topics:
            return [("", "Topics")] + list
                + (changes
                    ? [
                        ("A", "create a topic"), ("P", "delete records up to the end (type the name)"),
                        ("D", "delete a topic (type the name)"),
                    ]
                    : [])
        case .groups:
            return [("", "Groups")] + list
                + (changes ? [("O", "reset offsets, with a dry run"), ("D", "delete a group (type the name)")] : [])
        case .log: return [("", "Log"), ("/", "filter")]
        }
    }
}
