import KafkaClient
import Model
import NIOCore
import Testing

@testable import weir

/// The clients of the command line: pace, progress, figures, output.
@Suite struct LoadTests {
    private func at(_ ms: UInt64) -> Monotonic { Monotonic(ns: ms * 1_000_000) }

    @Test func `a pacer owes what the rate says, less what was sent`() {
        var pacer = Pacer(perSecond: 1_000, start: at(0))
        #expect(pacer.due(at(0), limit: 500) == 1)
        #expect(pacer.due(at(250), limit: 500) == 251)
        #expect(pacer.due(at(2_000), limit: 500) == 500)
        pacer.sent(251)
        #expect(pacer.due(at(250), limit: 500) == 0)
        #expect(pacer.due(at(251), limit: 500) == 1)
        #expect(Pacer(perSecond: nil, start: at(0)).due(at(0), limit: 7) == 7)
    }

    @Test func `a progress bar fills`() {
        let progress = ProgressLine(total: 200, shown: false, now: at(0))
        #expect(progress.text(0, now: at(1_000)) == "[····················] 0 %  0 (0/s)")
        #expect(progress.text(50, now: at(500)) == "[#####···············] 25 %  50 (100/s)")
        #expect(progress.text(400, now: at(1_000)) == "[####################] 100 %  400 (400/s)")
        #expect(ProgressLine(total: 0, shown: false, now: at(0)).text(9, now: at(1_000)) == "9 (9/s)")
    }

    @Test func `a benchmark's figures`() {
        let latencies = (1...100).map { UInt64($0) * 1_000_000 }
        let result = BenchResult(
            bench: "produce", topic: "t", records: 1_000, bytes: 200_000, elapsedNs: 500_000_000, cpuNs: 100_000, latencies: latencies)
        #expect(result.recordsPerSecond == 2_000)
        #expect(result.mbPerSecond == 0.4)
        #expect(result.p50Ms == 50)
        #expect(result.p99Ms == 99)
        #expect(result.maxMs == 100)
        #expect(result.clientCPUSecondsPerGB == 0.5)
        let none = BenchResult(bench: "produce", topic: "t", records: 0, bytes: 0, elapsedNs: 0, cpuNs: 0, latencies: [])
        #expect(none.p50Ms == 0)
    }

    @Test func `bytes that are no text are named as base 64`() {
        let record = Record(
            offset: Offset(4), timestamp: Timestamp(ms: 9), key: nil, value: ByteBuffer(bytes: [0xFF, 0x00]),
            headers: [.init(name: "a", value: ByteBuffer(string: "b"))])
        let json = RecordJSON(record, source: TopicPartition(topic: "t", partition: 1))
        #expect(json.key == nil)
        #expect(json.keyBase64 == nil)
        #expect(json.value == nil)
        #expect(json.valueBase64 == "/wA=")
        #expect(json.headers == ["a": "b"])
    }

    @Test func `places are earliest, latest or an offset`() throws {
        #expect(try PlaceArgument("earliest").place == .earliest)
        #expect(try PlaceArgument("42").place == .offset(Offset(42)))
        #expect(throws: (any Error).self) { try PlaceArgument("-1") }
        #expect(throws: (any Error).self) { try PlaceArgument("yesterday") }
    }

    @Test(
        arguments: [
            ["publish", "t", "--rate", "0"], ["publish", "t", "--header", "novalue"],
            ["publish", "t", "--key", "a", "--key-separator", ":"],
            ["consume", "t", "--group", "g", "--from", "7"], ["consume", "t", "--group", "g", "--partition", "1"],
            ["bench", "produce", "--acks", "1", "--idempotent"], ["bench", "produce", "--size", "2000000"],
            ["demo", "--seconds", "0"], ["demo", "--against", "127.0.0.1:9092", "--data", "memory"],
        ])
    func `what cannot be meant is refused as usage`(arguments: [String]) {
        let error = #expect(throws: (any Error).self) { try Weir.parseAsRoot(arguments) }
        if let error { #expect(Weir.exitCode(for: error).rawValue == 64) }
    }
}
