import ArgumentParser
import KafkaClient
import Model
import NIOCore
import NIOPosix

/// `weir bench …`
struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench", abstract: "Measure a running broker with this package's own client.",
        subcommands: [ProduceBench.self, ConsumeBench.self, FloorBench.self])
}

/// What the benchmarks share.
struct BenchOptions: ParsableArguments {
    @OptionGroup var kafka: KafkaOptions
    @Option(help: "The topic; created if it is missing.") var topic = "weir-bench"
    @Option(help: "Partitions of a topic that is created.") var partitions: Int32 = 1
    @Flag(inversion: .prefixedNo, help: "Show progress. (default: on a terminal)") var progress: Bool?

    func validate() throws {
        if partitions < 1 { throw ValidationError("--partitions must be 1 or more") }
    }
}

/// One benchmark's figures. MB are 1,000,000 bytes of record values; ms.
struct BenchResult: Encodable {
    var bench: String
    var topic: String
    var records: Int
    var bytes: Int
    var seconds: Double
    var recordsPerSecond: Double
    var mbPerSecond: Double
    var p50Ms: Double
    var p99Ms: Double
    var maxMs: Double
    /// Processor seconds of this client, not of the broker, per 1,000,000,000 bytes.
    var clientCPUSecondsPerGB: Double

    init(bench: String, topic: String, records: Int, bytes: Int, elapsedNs: UInt64, cpuNs: UInt64, latencies: [UInt64]) {
        let seconds = max(Double(elapsedNs) / 1e9, 1e-9)
        let sorted = latencies.sorted()
        func percentile(_ share: Double) -> Double {
            guard !sorted.isEmpty else { return 0 }
            let index = min(sorted.count - 1, Int((Double(sorted.count) * share).rounded(.up)) - 1)
            return Self.rounded(Double(sorted[max(0, index)]) / 1e6, 1_000)
        }
        self.bench = bench
        self.topic = topic
        self.records = records
        self.bytes = bytes
        self.seconds = Self.rounded(seconds, 1_000)
        recordsPerSecond = Self.rounded(Double(records) / seconds, 1)
        mbPerSecond = Self.rounded(Double(bytes) / 1e6 / seconds, 10)
        p50Ms = percentile(0.5)
        p99Ms = percentile(0.99)
        maxMs = percentile(1)
        clientCPUSecondsPerGB = Self.rounded(bytes == 0 ? 0 : Double(cpuNs) / Double(bytes), 1_000)
    }

    private static func rounded(_ value: Double, _ scale: Double) -> Double { (value * scale).rounded() / scale }

    func print(json: Bool, latencyOf what: String) throws {
        if json { return try JSONOutput.print([self]) }
        Swift.print(
            """
            \(bench)  \(records) records, \(bytes) bytes of values in \(seconds) s
            rate     \(Int(recordsPerSecond)) records/s, \(mbPerSecond) MB/s
            latency  p50 \(p50Ms) ms, p99 \(p99Ms) ms, max \(maxMs) ms (\(what))
            client   \(clientCPUSecondsPerGB) s of processor time per GB
            """)
    }
}
