import ArgumentParser

/// The command line. Exit codes: 0 done, 1 refused or failed (the reason on standard error), 64 usage.
@main struct Weir: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "weir",
        abstract: "A message broker for unmodified Kafka clients, with its console built in.",
        discussion: """
            Without a verb, weir starts a broker (see 'weir serve --help'), with its console when it runs on a terminal.
            The verbs below it talk to a running broker's admin door (--http, 127.0.0.1:15672 unless told).
            """,
        version: Version.text,
        groupedSubcommands: [
            CommandGroup(name: "Running a broker", subcommands: [Serve.self, DemoCommand.self]),
            CommandGroup(
                name: "Watching one", subcommands: [ConsoleCommand.self, FrameCommand.self, SnapshotCommand.self, ThemeCommand.self]),
            CommandGroup(
                name: "Steering one",
                subcommands: [
                    QueueVerbs.self, DelayVerbs.self, DeadVerbs.self, RedriveVerb.self, ReplayVerb.self, JobVerbs.self, UndoVerb.self,
                    AuditVerb.self, TopicCommand.self, GroupCommand.self, ClientCommand.self,
                ]),
            CommandGroup(name: "Publishing and consuming", subcommands: [PublishCommand.self, ConsumeCommand.self, BenchCommand.self]),
        ],
        defaultSubcommand: Serve.self)

    static func main() async {
        ProcessSetup.crashWithoutAsking()
        await main(nil)
    }
}
