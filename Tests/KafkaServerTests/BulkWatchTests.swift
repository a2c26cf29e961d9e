import CWeir
import Model
import NIOCore
import NIOEmbedded
import Testing

@testable import KafkaServer

@Suite struct BulkWatchTests {
    private func at(_ ms: UInt64) -> Monotonic { Monotonic(ns: ms * 1_000_000) }

    /// When bulk began, in a watch that is given `frameBytes` at each of the times.
    private func began(_ watch: inout BulkWatch, _ frameBytes: Int, at times: [UInt64]) -> [UInt64] {
        times.filter { watch.took(frameBytes, now: at($0)) }
    }

    /// 8 MB within 100 ms: the eighth frame begins it, and that is told once.
    @Test func eightMegabytesInAWindowAreBulk() {
        var watch = BulkWatch()
        let begins = began(&watch, 1_000_000, at: (0..<40).map { 1_000 + $0 * 10 })
        #expect(begins == [1_070])
        #expect(watch.isBulk)
    }

    /// The same frames at half the rate never are: each window begins with nothing.
    @Test func theSameInTwoWindowsIsNot() {
        var watch = BulkWatch()
        let begins = began(&watch, 1_000_000, at: (0..<40).map { 1_000 + $0 * 20 })
        #expect(begins == [])
        #expect(!watch.isBulk)
    }

    /// Each window that follows is judged alone, those bytes not counted that began it.
    @Test func itEndsWithTheFirstWindowBelow() {
        var watch = BulkWatch()
        var begins = began(&watch, 9_000_000, at: [1_000])
        begins += began(&watch, 8_000_000, at: [1_050])
        let isBulkAt1100 = watch.windowPassed()
        begins += began(&watch, 7_999_999, at: [1_150])
        let isBulkAt1200 = watch.windowPassed()
        begins += began(&watch, 8_000_000, at: [1_201])
        #expect([isBulkAt1100, isBulkAt1200] == [true, false])
        #expect(begins == [1_000, 1_201], "it may begin again at once")
    }

    /// The thread that takes frames in becomes a batch thread and an ordinary one again, as the kernel sees it.
    @Test(.enabled(if: kernelAllowsBatchThreads(), "no batch threads here")) func theLoopsThreadWaitsForItsTurnMeanwhile() throws {
        let loop = EmbeddedEventLoop()
        let intake = LoopIntake(loop: loop, clock: FixedClock(), poolBytes: 1 << 20)
        defer { _ = weir_set_batch_thread(0) }
        #expect(weir_is_batch_thread() == 0)
        for _ in 0..<1_000 { intake.took(frameBytes: FrameAssembler.lendBytes - 1) }
        #expect(weir_is_batch_thread() == 0, "small requests are never bulk")
        intake.took(frameBytes: BulkWatch.bulkBytes)
        #expect(weir_is_batch_thread() == 1)
        intake.took(frameBytes: BulkWatch.bulkBytes)
        loop.advanceTime(by: .milliseconds(BulkWatch.windowMs))
        #expect(weir_is_batch_thread() == 1)
        loop.advanceTime(by: .milliseconds(BulkWatch.windowMs))
        #expect(weir_is_batch_thread() == 0)
        try loop.syncShutdownGracefully()
    }
}

private func kernelAllowsBatchThreads() -> Bool {
    defer { _ = weir_set_batch_thread(0) }
    return weir_set_batch_thread(1) == 0
}

private struct FixedClock: Clock {
    var now: Timestamp { Timestamp(ms: 0) }
    var monotonic: Monotonic { Monotonic(ns: 1_000_000_000) }
}
