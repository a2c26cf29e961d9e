import Groups
import Model
import NIOCore
import Storage
import Testing

@testable import Broker

struct FactQueueTests {
    /// A log that finishes a batch when told.
    final class Log {
        var batches: [Int32] = []
        var finish: [(LogError?) -> Void] = []
    }

    private func fact(_ partition: Int32, metadata: Int = 0) -> GroupFact {
        .offsetCommitted(
            group: "g", topic: "t", partition: partition,
            CommittedOffset(
                offset: Offset(1), metadata: String(repeating: "x", count: metadata), committedAt: Timestamp(ms: 1)))
    }

    private func queue(_ log: Log) -> FactQueue {
        FactQueue(factBytes: 4 << 20) { builder, done in
            log.batches.append(builder.recordCount)
            log.finish.append(done)
            return Offset(Int64(log.batches.reduce(0, +)))
        }
    }

    @Test func factsGatherWhileABatchIsWritten() {
        let log = Log()
        let queue = queue(log)
        var done: [String] = []
        _ = queue.log([fact(0)], at: Timestamp(ms: 1)) { _ in done.append("a") }
        _ = queue.log([fact(1)], at: Timestamp(ms: 1)) { _ in done.append("b") }
        _ = queue.log([fact(2), fact(3)], at: Timestamp(ms: 1)) { _ in done.append("c") }
        queue.after { _ in done.append("d") }
        #expect(log.batches == [1])
        log.finish[0](nil)
        #expect(done == ["a"])
        #expect(queue.loggedEnd == Offset(1))
        #expect(log.batches == [1, 3])
        log.finish[1](nil)
        #expect(done == ["a", "b", "c", "d"])
        #expect(queue.isIdle)
        #expect(queue.loggedEnd == Offset(4))
        queue.after { _ in done.append("e") }
        #expect(done.last == "e")
    }

    @Test func aFailureVoidsAllThatWaits() {
        let log = Log()
        let queue = queue(log)
        var errors: [LogError?] = []
        _ = queue.log([fact(0)], at: Timestamp(ms: 1)) { errors.append($0) }
        _ = queue.log([fact(1)], at: Timestamp(ms: 1)) { errors.append($0) }
        log.finish[0](.full)
        #expect(errors == [.full, .full])
        #expect(queue.isIdle)
        _ = queue.log([fact(2)], at: Timestamp(ms: 1)) { errors.append($0) }
        log.finish[1](nil)
        #expect(errors == [.full, .full, nil])
    }

    @Test func batchesAreBoundedAndALargeFactGoesAlone() {
        let log = Log()
        let queue = queue(log)
        var done = 0
        _ = queue.log([fact(0)], at: Timestamp(ms: 1)) { _ in done += 1 }
        _ = queue.log((1...3).map { fact($0, metadata: 400_000) }, at: Timestamp(ms: 1)) { _ in done += 1 }
        _ = queue.log([fact(4, metadata: 2_000_000)], at: Timestamp(ms: 1)) { _ in done += 1 }
        #expect(!queue.log([fact(5), fact(6, metadata: 5_000_000)], at: Timestamp(ms: 1)) { _ in done += 100 })
        for index in 0..<4 { log.finish[index](nil) }
        #expect(log.batches == [1, 2, 1, 1])
        #expect(done == 3)
    }
}
