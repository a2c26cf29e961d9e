import ArgumentParser
import KafkaClient
import Model
import NIOCore
import Synchronization

/// `weir publish TOPIC`
struct PublishCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "publish", abstract: "Publish records: the lines of standard input, or a value of your own.",
        discussion: """
            weir publish orders < orders.txt
            weir publish orders '{"id": 7}' --key 7 --header source=test
            weir publish orders 'cancel order 7' --delay 30m
            weir publish orders --value ping --rate 100 --count 1000
            """)

    @OptionGroup var kafka: KafkaOptions
    @Argument(help: "The topic; created if the broker does that.") var topic: String
    @Argument(help: "A value to publish instead of the lines of standard input.") var text: String?
    @Option(parsing: .unconditional, help: "The same as an option.") var value: String?
    @Option(parsing: .unconditional, help: "Key of every record.") var key: String?
    @Option(help: ArgumentHelp("Splits a line into key and value.", valueName: "text")) var keySeparator: String?
    @Option(
        name: .customLong("header"), parsing: .unconditionalSingleValue,
        help: ArgumentHelp("A header; may be repeated.", valueName: "name=value"))
    var headers: [String] = []
    @Option(help: ArgumentHelp("Deliver after this span: 30s. The topic needs delay.enable=true.", valueName: "span")) var delay: String?
    @Option(help: "Partition; without one, by key or in turn.") var partition: Int32?
    @Option(help: "Records a second; without it as fast as possible.") var rate: Double?
    @Option(help: "How many records; with --value 1 unless told.") var count: Int?
    @Option(help: "What to wait for: all (durable), 1 (written) or 0 (nothing).") var acks = AcksArgument.all
    @Option(help: "How batches are packed.") var compression = CompressionArgument.none

    func validate() throws {
        if let rate, rate <= 0 { throw ValidationError("--rate must be more than 0") }
        if let count, count < 0 { throw ValidationError("--count must be 0 or more") }
        if let partition, partition < 0 { throw ValidationError("--partition must be 0 or more") }
        if keySeparator == "" { throw ValidationError("--key-separator must not be empty") }
        if key != nil, keySeparator != nil { throw ValidationError("--key and --key-separator exclude each other") }
        if text != nil, value != nil { throw ValidationError("give the value once") }
        _ = try recordHeaders()
    }

    func run() async throws {
        let command = self
        try await Interrupt.cancelling {
            try await command.kafka.withClient(id: "weir-publish") { try await command.publish($0) }
        }
    }

    private func publish(_ client: Client) async throws {
        if delay != nil { try await Self.expectDelays(on: topic, client) }
        let totals = PublishTotals()
        var options = ProducerOptions()
        options.acks = acks.acks
        options.idempotent = acks == .all
        options.compression = compression.codec
        let producer = try await Producer(client: client, options: options) { totals.add($0) }
        let headers = try recordHeaders()
        if let value = text ?? value {
            try await publishValue(ByteBuffer(string: value), headers: headers, with: producer)
        } else {
            try await publishLines(headers: headers, with: producer)
        }
        try await producer.flush()
        try totals.print(topic: topic, json: kafka.json)
    }

    private func publishValue(_ value: ByteBuffer, headers: [Record.Header], with producer: Producer) async throws {
        let total = count ?? 1
        let record = OutgoingRecord(key: key.map { ByteBuffer(string: $0) }, value: value, headers: headers)
        let clock = SystemClock()
        var pacer = Pacer(perSecond: rate, start: clock.monotonic)
        var left = total
        while left > 0, !Task.isCancelled {
            let due = pacer.due(clock.monotonic, limit: min(left, 1_000))
            if due > 0 { try await producer.send([OutgoingRecord](repeating: record, count: due), topic: topic, partition: partition) }
            pacer.sent(due)
            left -= due
            if rate != nil { await pause() }
        }
    }

    private func publishLines(headers: [Record.Header], with producer: Producer) async throws {
        var input = StandardInput(lineLimit: 1 << 20)
        let clock = SystemClock()
        var pacer = Pacer(perSecond: rate, start: clock.monotonic)
        var left = count ?? Int.max
        while left > 0, !Task.isCancelled {
            var lines = await input.lines()[...]
            if lines.isEmpty { return }
            lines = lines.prefix(left)
            left -= lines.count
            while !lines.isEmpty, !Task.isCancelled {
                let due = pacer.due(clock.monotonic, limit: lines.count)
                let records = lines.prefix(due).map { record($0, headers: headers) }
                if due > 0 { try await producer.send(records, topic: topic, partition: partition) }
                lines = lines.dropFirst(due)
                pacer.sent(due)
                if rate != nil { await pause() }
            }
        }
    }

    private func record(_ line: ByteBuffer, headers: [Record.Header]) -> OutgoingRecord {
        guard let separator = keySeparator else {
            return OutgoingRecord(key: key.map { ByteBuffer(string: $0) }, value: line, headers: headers)
        }
        let text = String(buffer: line)
        guard let range = text.firstRange(of: separator) else { return OutgoingRecord(value: line, headers: headers) }
        return OutgoingRecord(
            key: ByteBuffer(substring: text[..<range.lowerBound]), value: ByteBuffer(substring: text[range.upperBound...]),
            headers: headers)
    }

    private func recordHeaders() throws -> [Record.Header] {
        let given = try HeaderText.parse(headers).map { Record.Header(name: $0.name, value: $0.value.map { ByteBuffer(string: $0) }) }
        guard let ms = try delayMs() else { return given }
        return given + [Record.Header(name: "x-delay", value: ByteBuffer(string: String(ms)))]
    }

    func delayMs() throws -> Int64? {
        do throws(MisreadText) { return try delay.map { text throws(MisreadText) in try TimeSpan.parse(text) } } catch {
            throw ValidationError("--delay: \(error)")
        }
    }

    /// A topic without `delay.enable` keeps `x-delay` as a header like any other and delivers at once: better said before.
    private static func expectDelays(on topic: String, _ client: Client) async throws {
        let settings = try await client.settings(ofTopic: topic)
        let waits = ["delay.ms", "delay.level"].contains { (settings[$0].flatMap { Int64($0) } ?? 0) > 0 }
        guard settings["delay.enable"] == "true" || waits else {
            throw CommandFailure("'\(topic)' takes no delays: weir queue declare \(topic) --config delay.enable=true")
        }
    }

    private func pause() async {
        // Only cancellation ends it early, and the loops look for that.
        try? await Task.sleep(for: .milliseconds(5))
    }
}

/// What was published, by partition.
private final class PublishTotals: Sendable {
    private struct Line: Encodable {
        var topic: String
        var partition: Int32
        var records: Int
        var bytes: Int
        var firstOffset: Int64?
        var lastOffset: Int64?
    }

    private let lines = Mutex<[Int32: Line]>([:])

    func add(_ delivery: Delivery) {
        guard delivery.error == nil else { return }
        lines.withLock { lines in
            var line = lines[delivery.partition] ?? Line(topic: delivery.topic, partition: delivery.partition, records: 0, bytes: 0)
            line.records += delivery.records
            line.bytes += delivery.bytes
            if let offset = delivery.baseOffset?.value {
                line.firstOffset = min(line.firstOffset ?? offset, offset)
                line.lastOffset = max(line.lastOffset ?? offset, offset + Int64(delivery.records) - 1)
            }
            lines[delivery.partition] = line
        }
    }

    func print(topic: String, json: Bool) throws {
        let rows = lines.withLock { $0.values.sorted { $0.partition < $1.partition } }
        if json { return try JSONOutput.print(rows) }
        if rows.isEmpty { return StandardError.write("nothing was published to \(topic)\n") }
        for row in rows {
            let offsets = row.firstOffset.flatMap { first in row.lastOffset.map { " at offsets \(first) to \($0)" } } ?? ""
            StandardError.write("\(row.records) records to \(row.topic)-\(row.partition)\(offsets)\n")
        }
    }
}
