import ArgumentParser
import CWeir
import KafkaClient
import Model

/// `weir bench consume`
struct ConsumeBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "consume", abstract: "Read a topic from its beginning to where it ends now.",
        discussion: "Latency is the time a poll took. Every batch is checked against its checksum; --decode also reads every record.")

    @OptionGroup var bench: BenchOptions
    @Option(help: "End after this many records.") var count: Int?
    @Flag(help: "Read every record of every batch.") var decode = false

    func validate() throws {
        if let count, count < 1 { throw ValidationError("--count must be 1 or more") }
    }

    func run() async throws {
        let command = self
        try await Interrupt.cancelling {
            try await command.bench.kafka.withClient(id: "weir-bench") { try await command.consume($0) }
        }
    }

    private func consume(_ client: Client) async throws {
        let topic = try await client.topic(bench.topic)
        let places = topic.partitions.map { TopicPartition(topic: bench.topic, partition: $0.index) }
        let starts = try await client.offsets(Dictionary(uniqueKeysWithValues: places.map { ($0, .earliest) }))
        let ends = try await client.offsets(Dictionary(uniqueKeysWithValues: places.map { ($0, .latest) }))
        var left = ends.filter { $0.value > starts[$0.key] ?? .zero }
        let total = left.reduce(0) { $0 + Int($1.value - (starts[$1.key] ?? .zero)) }
        guard total > 0 else { throw CommandFailure("topic '\(bench.topic)' holds no records: 'weir bench produce' makes some") }
        let consumer = await Consumer(client: client)
        await consumer.assign(left.mapValues { _ in .earliest })
        let clock = SystemClock()
        let start = clock.monotonic
        let cpu = weir_process_cpu_ns()
        var progress = ProgressLine(total: min(total, count ?? total), shown: bench.progress, now: start)
        var tally = Tally()
        var latencies: [UInt64] = []
        while !left.isEmpty, tally.records < count ?? Int.max, !Task.isCancelled {
            let asked = clock.monotonic.ns
            let batches = try await consumer.poll()
            latencies.append(clock.monotonic.ns - asked)
            for batch in batches {
                try tally.add(batch, decode: decode)
                if let end = left[batch.source], batch.header.nextOffset >= end { left[batch.source] = nil }
            }
            progress.show(tally.records, now: clock.monotonic)
        }
        progress.clear()
        let elapsed = clock.monotonic.ns - start.ns
        let used = weir_process_cpu_ns() - cpu
        await consumer.close()
        let result = BenchResult(
            bench: "consume", topic: bench.topic, records: tally.records, bytes: tally.bytes, elapsedNs: elapsed, cpuNs: used,
            latencies: latencies)
        try result.print(json: bench.kafka.json, latencyOf: "one poll")
    }

    /// Records and bytes so far: of values where they are decoded, of batches otherwise.
    private struct Tally {
        var records = 0
        var bytes = 0

        mutating func add(_ batch: FetchedBatch, decode: Bool) throws {
            guard decode else {
                records += Int(batch.header.recordCount)
                bytes += batch.bytes.readableBytes
                return
            }
            for record in try batch.records() {
                records += 1
                bytes += record.value?.readableBytes ?? 0
            }
        }
    }
}
