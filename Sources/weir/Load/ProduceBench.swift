import ArgumentParser
import CWeir
import KafkaClient
import Model
import NIOCore
import Synchronization

/// `weir bench produce`
struct ProduceBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "produce", abstract: "Produce as fast as possible.",
        discussion: "Latency is that of a batch: from its first record to the broker's answer.")

    @OptionGroup var bench: BenchOptions
    @Option(help: "Bytes of a record's value.") var size = 200
    @Option(help: "How many records.") var count = 5_000_000
    @Option(help: "Records a second; without it as fast as possible.") var rate: Double?
    @Option(help: "What to wait for: all (durable), 1 (written) or 0 (nothing).") var acks = AcksArgument.all
    @Option(help: "Largest batch, in bytes.") var batchBytes = 1 << 20
    @Option(help: "How long a batch waits for more records, in ms.") var lingerMs: Int64 = 5
    @Option(help: "Batches of one partition on their way at once.") var inFlight = 5
    @Flag(help: "Number batches, so that a repeated one is written once.") var idempotent = false
    @Option(
        help: ArgumentHelp("Give each record a delay of its own (x-delay) within these times.", valueName: "ms..ms"),
        transform: DelaySpread.init)
    var delay: DelaySpread?

    func validate() throws {
        if size < 0 || size > batchBytes - 200 { throw ValidationError("--size must be 0 or more and fit into --batch-bytes") }
        if count < 1 { throw ValidationError("--count must be 1 or more") }
        if let rate, rate <= 0 { throw ValidationError("--rate must be more than 0") }
        if batchBytes < 1_000 || batchBytes > Limits().batchBytes { throw ValidationError("--batch-bytes must be 1000 to 1048588") }
        if inFlight < 1 { throw ValidationError("--in-flight must be 1 or more") }
        if lingerMs < 0 { throw ValidationError("--linger-ms must be 0 or more") }
        if idempotent, acks != .all { throw ValidationError("--idempotent needs --acks all") }
    }

    func run() async throws {
        let command = self
        try await Interrupt.cancelling {
            try await command.bench.kafka.withClient(id: "weir-bench") { try await command.produce($0) }
        }
    }

    private func produce(_ client: Client) async throws {
        try await createTopic(client)
        var options = ProducerOptions()
        options.acks = acks.acks
        options.batchBytes = batchBytes
        options.lingerMs = lingerMs
        options.inFlight = inFlight
        options.idempotent = idempotent
        let answers = Answers()
        let producer = try await Producer(client: client, options: options) { answers.add($0) }
        let record = OutgoingRecord(value: ByteBuffer(repeating: UInt8(ascii: "x"), count: size))
        let clock = SystemClock()
        let start = clock.monotonic
        let cpu = weir_process_cpu_ns()
        var pacer = Pacer(perSecond: rate, start: start)
        var progress = ProgressLine(total: count, shown: bench.progress, now: start)
        let full = delay?.spread(record, count: 2_000) ?? [OutgoingRecord](repeating: record, count: 2_000)
        var left = count
        while left > 0, !Task.isCancelled {
            let due = pacer.due(clock.monotonic, limit: min(left, full.count))
            if due > 0 {
                try await producer.send(due == full.count ? full : Array(full[..<due]), topic: bench.topic)
                pacer.sent(due)
                left -= due
            }
            // Only cancellation ends the pause early, and the loop looks for that.
            if rate != nil { try? await Task.sleep(for: .milliseconds(1)) }
            progress.show(count - left, now: clock.monotonic)
        }
        try await producer.flush()
        progress.clear()
        let elapsed = clock.monotonic.ns - start.ns
        let result = BenchResult(
            bench: "produce", topic: bench.topic, records: count - left, bytes: (count - left) * size, elapsedNs: elapsed,
            cpuNs: weir_process_cpu_ns() - cpu, latencies: answers.latencies)
        try result.print(json: bench.kafka.json, latencyOf: "batch: first record to answer")
    }

    private func createTopic(_ client: Client) async throws {
        do {
            try await client.createTopic(bench.topic, partitions: bench.partitions)
        } catch ClientError.refused(.topicAlreadyExists, _) {
            // Measured as it is.
        }
    }
}

/// `600000..1200000`: delays in ms for the records of a benchmark.
struct DelaySpread {
    let least: Int64
    let most: Int64

    init(_ text: String) throws {
        let parts = text.split(separator: ".", omittingEmptySubsequences: true).compactMap { Int64($0) }
        guard parts.count == 2, parts[0] >= 0, parts[0] <= parts[1] else {
            throw ValidationError("--delay is two times in ms: 1000..60000")
        }
        least = parts[0]
        most = parts[1]
    }

    /// Copies of a record with delays all over the span, neighbours far apart.
    func spread(_ record: OutgoingRecord, count: Int) -> [OutgoingRecord] {
        (0..<count).map { index in
            var record = record
            let delay = least + (most - least) * Int64((index * 1_009) % count) / Int64(count)
            record.headers = [.init(name: "x-delay", value: ByteBuffer(string: String(delay)))]
            return record
        }
    }
}

/// Answer times of batches.
private final class Answers: Sendable {
    private let times = Mutex<[UInt64]>([])

    var latencies: [UInt64] { times.withLock { $0 } }

    func add(_ delivery: Delivery) {
        guard delivery.error == nil else { return }
        times.withLock { $0.append(delivery.finished.ns - delivery.started.ns) }
    }
}
