import ArgumentParser
import Control

/// `weir snapshot`
struct SnapshotCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "snapshot", abstract: "Print what the console sees of a running broker, as JSON.")

    @OptionGroup var door: AdminDoor
    @Option(help: "A topic to give whole, with its partitions, groups and settings.") var topic: String?
    @Option(help: "A group to give whole, with its members and partitions.") var group: String?
    @Option(help: "A queue to give whole, with its partitions, consumers and settings.") var queue: String?
    @Option(help: "How many rows to list of topics, groups, queues, dead-letter queues, jobs, audit log and clients, at most 1000.")
    var rows = 100
    @Option(help: "Points of history, one a second, at most 900.") var history = 300

    func run() async throws {
        var query = SnapshotQuery.everything(ListQuery(count: rows), historyPoints: history)
        query.topic = topic
        query.group = group
        query.queue = queue
        let snapshot = try await door.snapshot(query)
        do throws(ControlError) {
            print(String(decoding: try ControlJSON.encode(snapshot, pretty: true), as: UTF8.self))
        } catch {
            throw CommandFailure(error)
        }
    }
}
