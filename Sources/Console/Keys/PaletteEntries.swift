extension Palette {
    enum Argument { case none, topic, newTopic, group, shareGroup, queue, theme, text }

    /// One verb: what completes it, and the options it takes.
    struct Entry {
        var words: String
        var argument: Argument
        var meaning: String
        /// Options with a value, and without.
        var options: [String] = []
        var flags: [String] = []
        /// Options with a value that make the line whole.
        var tails: [String] = []
        /// Whether it says nothing without more than a name.
        var needsMore = false
        var isMutation = false
    }

    /// Options that count every time they are given.
    static let repeated: Set<String> = ["--config", "--unset", "--header", "--id"]

    private static func read(_ words: String, _ argument: Argument, _ meaning: String) -> Entry {
        Entry(words: words, argument: argument, meaning: meaning)
    }

    private static func change(
        _ words: String, _ argument: Argument, _ meaning: String, _ options: [String] = [], flags: [String] = [], tails: [String] = [],
        needsMore: Bool = false
    ) -> Entry {
        Entry(
            words: words, argument: argument, meaning: meaning, options: options, flags: flags, tails: tails, needsMore: needsMore,
            isMutation: true)
    }

    private static let screens: [Entry] = [
        read("overview", .none, "screen 1"), read("queues", .none, "screen 2"), read("topics", .none, "screen 3"),
        read("groups", .none, "screen 4"), read("delay", .none, "screen 5; delay QUEUE: of one queue"), read("dead", .none, "screen 6"),
        read("clients", .none, "screen 7"), read("jobs", .none, "screen 8"), read("audit", .none, "screen 9"),
        read("log", .none, "the broker's events"), read("help", .none, "keys of this screen"),
    ]

    private static let settings = ["--config", "--unset"]
    private static let filter = ["--reason", "--match", "--header", "--id", "--since", "--until"]
    private static let redriveOptions =
        ["--rate", "--to", "--ramp", "--canary", "--stop-if-dead", "--hold-above", "--skip-if-redriven", "--canary-wait", "--watermark"]
        + filter

    static let entries: [Entry] =
        screens + [
            read("topic describe", .topic, "open a topic"),
            change("topic create", .newTopic, "NAME --partitions N", ["--partitions", "--config"]),
            change("topic alter", .topic, "its settings: the form, or --config", settings),
            change("topic delete", .topic, "delete a topic"),
            change("topic purge", .topic, "delete its records up to the end", ["--partition", "--before"]),
            read("group describe", .group, "open a group"),
            change(
                "group reset", .group, "GROUP --to earliest|latest|OFFSET", ["--to", "--to-time", "--topic", "--partition"],
                flags: ["--dry-run", "--force"], tails: ["--to earliest", "--to latest"], needsMore: true),
            change("group alter", .shareGroup, "a share group's settings", settings),
            change("group delete", .group, "forget a group"),
            read("queue describe", .queue, "open a queue"),
            change("queue declare", .text, "NAME: its form", DeclareWords.options.map(\.0) + ["--config"]),
            change("queue alter", .queue, "its settings: the form, or --config", DeclareWords.options.map(\.0) + settings),
            change("queue purge", .queue, "take its messages away; u undoes", flags: ["--delayed"]),
            change("queue hold", .queue, "stop delivery, or --publishing", flags: ["--publishing"]),
            change("queue resume", .queue, "deliver again, or --publishing", flags: ["--publishing"]),
            change("queue delete", .queue, "delete a queue"),
            read("queue show", .queue, "QUEUE ID: one message"),
            change("publish", .queue, "QUEUE VALUE, or its form", ["--key", "--header", "--delay"]),
            change(
                "redrive", .queue, "send dead letters back", redriveOptions, flags: ["--dry-run", "--detach", "--wait-acked"]),
            change(
                "replay", .queue, "QUEUE --from TIME|OFFSET", ["--from", "--to", "--into", "--partition"] + filter,
                flags: ["--dry-run", "--detach"], tails: ["--from earliest"]),
        ] + messages

    private static let messages: [Entry] = [
        read("dead show", .queue, "open a dead-letter queue, or its message ID"),
        change("dead discard", .queue, "QUEUE ID…: settle them undelivered", needsMore: true),
        read("delay", .queue, "what waits for one queue"), read("delay show", .queue, "QUEUE ID: one message"),
        change("delay cancel", .queue, "QUEUE ID…", needsMore: true), change("delay run", .queue, "QUEUE ID…: now", needsMore: true),
        change("delay reschedule", .queue, "QUEUE ID… --in SPAN", ["--in", "--at"], needsMore: true),
        change(
            "delay jitter", .queue, "QUEUE --from --until --spread", ["--from", "--until", "--spread"], flags: ["--all"], needsMore: true),
        change("client kill", .text, "ID, or MEMBER --group GROUP", ["--group"]),
        change("undo", .text, "the last action, or ID"), read("job show", .text, "JOB: what became of its messages"),
        change("job cancel", .text, "JOB"), read("theme", .theme, "colours"), read("refresh", .text, "MS between snapshots"),
        read("freeze", .none, "stop the picture, or go on"), read("export", .none, "this instant as JSON"),
        read("quit", .none, "leave the console"),
    ]
}
