import ArgumentParser
import KafkaClient
import Model
import NIOCore

/// `weir consume TOPIC`
struct ConsumeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "consume", abstract: "Print the records of a topic, one value a line.",
        discussion: """
            weir consume orders --from earliest --until-end
            weir consume orders --group billing --max 100 --json
            Without --until-end or --max it goes on until ^C.
            """)

    @OptionGroup var kafka: KafkaOptions
    @Argument var topic: String
    @Option(
        help: ArgumentHelp(
            "Where to begin: earliest, latest, or an offset. (default: latest; a group: where it stopped)", valueName: "place"),
        transform: { try PlaceArgument($0) })
    var from: PlaceArgument?
    @Option(help: "Only this partition.") var partition: Int32?
    @Option(help: "Read as a member of this group, and commit.") var group: String?
    @Option(help: "End after this many records.") var max: Int?
    @Flag(help: "End where the topic ends now.") var untilEnd = false
    @Flag(help: "Print the key before each value, with a tab between.") var keys = false

    func validate() throws {
        if let max, max < 0 { throw ValidationError("--max must be 0 or more") }
        if let partition, partition < 0 { throw ValidationError("--partition must be 0 or more") }
        if group != nil, partition != nil { throw ValidationError("--partition does not go with --group: the group assigns partitions") }
        if group != nil, case .offset = from?.place { throw ValidationError("--from OFFSET does not go with --group") }
    }

    func run() async throws {
        let command = self
        try await Interrupt.cancelling {
            try await command.kafka.withClient(id: "weir-consume") { try await command.consume($0) }
        }
    }

    private func consume(_ client: Client) async throws {
        let found = try await client.topic(topic)
        let places = found.partitions.map { TopicPartition(topic: topic, partition: $0.index) }
            .filter { partition == nil || $0.partition == partition }
        guard !places.isEmpty else { throw CommandFailure("topic '\(topic)' has no partition \(partition ?? 0)") }
        var end: [TopicPartition: Offset] = [:]
        if untilEnd { end = try await client.offsets(Dictionary(uniqueKeysWithValues: places.map { ($0, .latest) })) }
        var options = ConsumerOptions()
        options.reset = from?.place ?? .latest
        // What is printed is committed at the end; a record is not skipped because it was on its way to the screen.
        options.autoCommitMs = nil
        let consumer: Consumer
        if let group {
            consumer = await Consumer(client: client, options: options, group: group, topics: [topic])
        } else {
            consumer = await Consumer(client: client, options: options)
            await consumer.assign(Dictionary(uniqueKeysWithValues: places.map { ($0, from?.place ?? .latest) }))
        }
        let result = await Result.async { try await print(consumer, end: end) }
        await consumer.close()
        try result.get()
    }

    private func print(_ consumer: Consumer, end: [TopicPartition: Offset]) async throws {
        var printer = RecordPrinter(json: kafka.json, keys: keys)
        var left = max ?? Int.max
        var ends = end.filter { $0.value > .zero }
        var offsets: [TopicPartition: Offset] = [:]
        printer.begin()
        while left > 0, !Task.isCancelled {
            for batch in try await consumer.poll(waitMs: 500) {
                for record in try batch.records() where left > 0 {
                    try printer.print(record, source: batch.source)
                    left -= 1
                    offsets[batch.source] = record.offset + 1
                }
                if let last = ends[batch.source], batch.header.nextOffset >= last { ends[batch.source] = nil }
            }
            guard printer.flush() else { break }
            if group != nil, !offsets.isEmpty {
                do {
                    try await consumer.commit(offsets)
                    offsets = [:]
                } catch let error as ClientError where error.isRebalance {
                    // The group has moved on: these records come again, here or at another member.
                    offsets = [:]
                } catch let error as ClientError where error.isRetriable {
                    // The broker is away: with the next records.
                }
            }
            if untilEnd, await isAtEnd(consumer, ends) { break }
        }
        printer.end()
    }

    /// A group that had read everything before, or a topic whose last records are gone, brings no batch that says so.
    private func isAtEnd(_ consumer: Consumer, _ ends: [TopicPartition: Offset]) async -> Bool {
        let positions = await consumer.delivered
        return ends.allSatisfy { place, end in positions[place].map { $0 >= end } ?? false }
    }
}

extension Result where Failure == any Error {
    /// What an asynchronous call came to, so that something can be cleaned up after it either way.
    static func async(_ body: () async throws -> Success) async -> Result {
        do { return .success(try await body()) } catch { return .failure(error) }
    }
}

/// `--from`
struct PlaceArgument: Sendable {
    var place: StartPosition

    init(_ text: String) throws {
        switch text {
        case "earliest": place = .earliest
        case "latest": place = .latest
        default:
            guard let offset = Int64(text), offset >= 0 else {
                throw ValidationError("'\(text)' is not a place: use earliest, latest, or an offset of 0 or more")
            }
            place = .offset(Offset(offset))
        }
    }
}
