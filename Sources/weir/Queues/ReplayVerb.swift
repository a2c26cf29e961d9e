import ArgumentParser
import Control
import Model

/// `weir replay QUEUE|GROUP`
struct ReplayVerb: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay", abstract: "Deliver settled messages again, copy them to another queue, or move a consumer group back.",
        discussion: """
            weir replay orders --from 15m --dry-run
            weir replay orders --from 1200 --to 1300 --into orders.check
            weir replay billing --from 2026-11-22T08:00:00Z
            """)

    @OptionGroup var door: AdminDoor
    @Argument(help: "A queue, a share group on a topic as GROUP@TOPIC, or a consumer group.") var name: String
    @Option(help: ArgumentHelp("earliest, an offset, @ms since 1970, ISO 8601, or a span ago such as 15m.", valueName: "where"))
    var from: String
    @Option(help: ArgumentHelp("End, exclusive. (default: what has been delivered)", valueName: "where")) var to: String?
    @Option(help: "Only this partition.") var partition: Int32?
    @Option(help: ArgumentHelp("Copy into this queue instead.", valueName: "queue")) var into: String?
    @OptionGroup var filter: FilterOptions
    @Flag(help: "Only count.") var dryRun = false
    @Flag(help: "Don't wait for the job that copies.") var detach = false

    func validate() throws {
        if let partition, partition < 0 { throw ValidationError("--partition must be 0 or more") }
        _ = try replay(now: Timestamp(ms: 0))
    }

    func replay(now: Timestamp) throws -> Replay {
        var replay = Replay(queue: name)
        replay.from = try Self.place("--from", from, now: now)
        replay.to = try to.map { try Self.place("--to", $0, now: now) }
        replay.partition = partition
        replay.into = into
        replay.filter = try filter.filter(now: now)
        replay.dryRun = dryRun
        return replay
    }

    private static func place(_ option: String, _ text: String, now: Timestamp) throws -> Replay.From {
        if text == "earliest" { return .earliest }
        if let offset = Int64(text) {
            guard offset >= 0 else { throw ValidationError("\(option) must be 0 or more") }
            return .offset(offset)
        }
        do throws(MisreadText) { return .time(ms: try WhenText.parse(text, .ago, now: now)) } catch {
            throw ValidationError("\(option): \(error)")
        }
    }

    func run() async throws {
        let replay = try replay(now: SystemClock().now)
        if let reset = try await consumerGroup(replay) {
            let outcome = try await door.perform(.resetOffsets(reset))
            if door.json { return try JSONOutput.print(outcome.moves.map { OffsetMoveJSON(group: name, move: $0) }) }
            return print(outcome.message)
        }
        let outcome = try await door.perform(.queue(.replay(replay)))
        if let preview = outcome.preview, dryRun { return try door.report(preview, outcome.message, name: name) }
        guard let job = outcome.job, !detach else { return try door.report(outcome, name: name) }
        try await JobWatch(door: door, id: job, waitAcked: false).finish()
    }

    /// The same for a consumer group, whose place is its committed offsets; nil when the name is a queue's.
    private func consumerGroup(_ replay: Replay) async throws -> OffsetReset? {
        var query = SnapshotQuery(group: name, historyPoints: 0)
        query.queue = name
        let snapshot = try await door.snapshot(query)
        guard snapshot.queue == nil, let group = snapshot.group else { return nil }
        guard replay.to == nil, replay.into == nil, replay.filter == MessageFilter() else {
            throw CommandFailure("'\(name)' is a consumer group: it goes back to --from as a whole, without --to, --into and filters")
        }
        let target: OffsetReset.Target =
            switch replay.from {
            case .earliest: .earliest
            case .offset(let offset): .offset(offset)
            case .time(let ms): .time(ms: ms)
            }
        let topics = group.row.topics
        if replay.partition != nil, topics.count > 1 {
            throw CommandFailure("'\(name)' reads \(topics.count) topics: use 'weir group reset \(name) --topic TOPIC --partition …'")
        }
        return OffsetReset(
            group: name, topic: replay.partition == nil ? nil : topics.first, partition: replay.partition, target: target,
            dryRun: replay.dryRun)
    }
}
