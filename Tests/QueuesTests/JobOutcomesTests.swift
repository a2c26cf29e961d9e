import Foundation
import Model
import Testing

@testable import Queues

@Suite struct JobOutcomesTests {
    typealias Run = JobOutcomes.Run
    let target = PartitionID(topic: TopicID(high: 7, low: 9), index: 3)
    func range(_ first: Int64, _ end: Int64) -> Range<Offset> { Offset(first)..<Offset(end) }
    func settled(_ first: Int64, _ end: Int64, _ how: JobOutcomes.End, _ reason: String = "") -> JobOutcomes.Settled {
        .init(target: target, range: range(first, end), end: how, reason: reason)
    }
    func run(_ first: Int64, _ count: Int64, _ at: Int64, _ end: JobOutcomes.End, _ reason: String = "") -> Run {
        Run(partition: 0, first: first, count: count, target: target, targetFirst: at, end: end, reason: reason)
    }

    @Test func runsAreCutWhereCopiesFaredDifferently() {
        var outcomes = JobOutcomes()
        outcomes.sent(0, [range(10, 15), range(20, 25)], to: target, at: Offset(500), limit: 100)
        outcomes.skipped(0, Offset(15), reason: "redriven 2 times", limit: 100)
        outcomes.settle([settled(503, 504, .died, "rejected"), settled(500, 502, .acked)], limit: 100)
        outcomes.settle([settled(502, 503, .acked), settled(504, 507, .acked)], limit: 100)
        #expect(
            outcomes.runs == [
                run(10, 3, 500, .acked), run(13, 1, 503, .died, "rejected"), run(14, 1, 504, .acked),
                Run(partition: 0, first: 15, count: 1, target: nil, targetFirst: -1, end: .skipped, reason: "redriven 2 times"),
                run(20, 2, 505, .acked), run(22, 3, 507, .sent),
            ])
        #expect(!outcomes.isCut)
    }

    @Test func aMillionMessagesSideBySideAreOneRun() {
        var outcomes = JobOutcomes()
        for batch in 0..<500 {
            let first = Int64(batch) * 2_000
            outcomes.sent(0, [range(first, first + 2_000)], to: target, at: Offset(first + 7), limit: 10)
        }
        outcomes.settle([settled(7, 500_007, .acked)], limit: 10)
        #expect(outcomes.runs == [run(0, 500_000, 7, .acked), run(500_000, 500_000, 500_007, .sent)])
    }

    @Test func whatTellsMostIsKeptAndTheRestIsCounted() {
        var outcomes = JobOutcomes()
        // Every second message: 30 runs.
        for index in 0..<30 {
            outcomes.sent(0, [range(Int64(index * 2), Int64(index * 2 + 1))], to: target, at: Offset(Int64(index)), limit: 100)
        }
        outcomes.settle((0..<20).map { settled(Int64($0), Int64($0 + 1), $0 == 3 ? .died : .acked) }, limit: 10)
        #expect(outcomes.runs.count == 9)
        #expect(outcomes.runs.contains(run(6, 1, 3, .died)))
        // Nineteen acked ones went first, then two of those whose outcome is open.
        #expect(outcomes.unlisted == [.acked: 19, .sent: 2])
        // Of the two nothing is known but their copies' places: one is acked, the other dies.
        outcomes.settle([settled(20, 21, .acked), settled(21, 22, .died, "rejected")], limit: 10)
        #expect(outcomes.unlisted == [.acked: 20])
        #expect(
            outcomes.runs.first == Run(partition: -1, first: -1, count: 1, target: target, targetFirst: 21, end: .died, reason: "rejected"))
    }

    @Test func whatLandedBeforeACrashIsFoundByWhatIsNotKnown() {
        var outcomes = JobOutcomes()
        outcomes.sent(0, [range(0, 10)], to: target, at: Offset(100), limit: 10)
        outcomes.settle([settled(104, 106, .acked)], limit: 10)
        let landed = [MoveLanding(target: target, base: Offset(100), count: 15), MoveLanding(target: target, base: Offset(200), count: 2)]
        #expect(
            outcomes.unknown(landed) == [
                MoveLanding(target: target, base: Offset(110), count: 5), MoveLanding(target: target, base: Offset(200), count: 2),
            ])
    }

    @Test func whatIsWrittenIsReadBack() throws {
        var outcomes = JobOutcomes()
        outcomes.sent(0, [range(10, 14)], to: target, at: Offset(500), limit: 100)
        outcomes.skipped(2, Offset(1), reason: "no origin", limit: 100)
        outcomes.settle([settled(501, 502, .died, "delivery_limit")], limit: 100)
        let bytes = try JSONEncoder().encode(outcomes)
        #expect(try JSONDecoder().decode(JobOutcomes.self, from: bytes) == outcomes)
        let damaged = Data(#"{"targets":[],"reasons":[""],"runs":[0,1,1,4,5,0,0],"unlisted":[]}"#.utf8)
        #expect(throws: DecodingError.self) { try JSONDecoder().decode(JobOutcomes.self, from: damaged) }
    }
}
