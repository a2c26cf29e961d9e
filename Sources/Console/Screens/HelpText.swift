import Terminal

/// What `?` shows: the keys of the screen that is open, then those of all.
enum HelpText {
    /// A key with its meaning; an empty key is a heading.
    static func lines(for model: ConsoleModel) -> [(key: String, meaning: String)] {
        var lines = here(model)
        lines += [("", "Move"), ("j k ↓ ↑", "down, up"), ("gg G", "top, bottom"), ("^d ^u PgDn PgUp", "half a page, a page")]
        lines += [
            ("", "Everywhere"), ("1 … 9", "screens, as the tab line has them"),
            (":", "command palette, the command line's words (Tab completes)"),
            ("z  , .", "freeze; step back and on through the last 15 minutes"), ("+ -", "refresh slower, faster"),
            ("t", "theme, with preview"), ("e", "export the shown instant as JSON"), ("y", "copy, over SSH too (OSC 52)"),
            ("r", "ask the broker now"), ("u  C", "undo the last action; cancel the running job"), ("Esc q", "back, quit"),
            ("^L", "redraw"),
        ]
        if model.isReadOnly { lines += [("", "Read-only: keys that change something are off.")] }
        return lines
    }

    private static func here(_ model: ConsoleModel) -> [(key: String, meaning: String)] {
        let changes = !model.isReadOnly
        let list: [(String, String)] = [
            ("enter", "open"), ("/ n N", "filter (~ before it: regular expression), next, previous"),
            ("s  < >", "reverse the order, sort by another column"), ("w", "choose columns"), ("space v a", "mark, mark a range, mark all"),
            ("Tab [ ]", "next, previous table of the detail"),
        ]
        let reading = reading(model, list)
        return reading + (changes ? changing(model) : [])
    }

    private static func reading(_ model: ConsoleModel, _ list: [(String, String)]) -> [(key: String, meaning: String)] {
        switch model.screen {
        case .overview: [("", "Overview"), ("Tab", "attention list, backlog table"), ("enter", "open what is under the cursor")]
        case .log: [("", "Log"), ("/", "filter")]
        case .delay:
            [
                ("", "Delay & retry"), ("enter", "messages of the bucket; then i looks at one"), ("/", "of one queue: its name"),
                ("space v a", "mark, mark a range, mark all"), ("w", "choose columns (of a bucket's messages)"),
                ("Tab  < >", "delayed messages, waiting retries; another queue's"),
            ]
        case .dead:
            [
                ("", "Dead letters"), ("enter", "open; on a reason: its messages; on a message: look at it"),
                ("/", "reason~TEXT, HEADER=VALUE, text or ~regex of key or value"), ("space v a", "mark, mark a range, mark all"),
                ("w", "choose columns"), ("Tab", "reasons, messages"), ("i", "message inspector"),
            ]
        case .queues, .topics, .groups, .clients, .jobs, .audit:
            [("", model.screen.title)] + list + (model.screen == .jobs || model.screen == .clients ? [] : [("i", "message inspector")])
        }
    }

    private static func changing(_ model: ConsoleModel) -> [(key: String, meaning: String)] {
        switch model.screen {
        case .overview:
            [("O", "reset a group's offsets, or replay a queue"), ("R", "redrive a dead-letter queue"), ("A", "create a topic")]
        case .queues:
            [
                ("R M", "redrive, move: form with counts, S starts"), ("O", "replay: settled messages ready again, or copied"),
                ("P", "purge (type the name); u brings them back"), ("X", "discard marked messages"),
                ("H B", "hold or resume delivery; block or resume publishing"), ("W", "write a message"),
                ("K", "kill the consumer under the cursor (enter, then Tab)"),
                ("A D", "declare a queue; delete one (type the name)"), ("E", "change its settings, or its share group's"),
            ]
        case .topics:
            [
                ("A", "create a topic"), ("P", "delete records up to the end (type the name)"), ("D", "delete a topic (type the name)"),
                ("E W", "change its settings (enter first); write a message"),
            ]
        case .groups:
            [
                ("O", "reset offsets, with a dry run"), ("D", "delete a group (type the name)"),
                ("K", "kill the member under the cursor (enter, Tab: members)"),
            ]
        case .delay:
            [
                ("R", "run marked messages now"), ("E", "change when they are due"), ("X", "cancel them (with their count)"),
                ("J", "jitter: spread a bucket"),
            ]
        case .dead:
            [
                ("R M", "redrive, move: form with counts, d lists them, S starts"), ("X", "discard marked messages"),
                ("P", "purge the queue (type the name); u brings them back"),
            ]
        case .clients: [("K", "kill: close the connection, or the marked clients'")]
        case .jobs: [("C", "cancel: what was sent stays sent, the rest stays here")]
        case .audit: [("u", "undo the action under the cursor, while it can be")]
        case .log: []
        }
    }
}
