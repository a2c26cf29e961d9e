import CWeir
import Model
import NIOCore
import NIOEmbedded
import Testing

@testable import KafkaServer

@Suite struct BulkWatchTests {
    private func at(_ ms: UInt64) -> Monotonic { Monotonic(ns: ms * 1_000_000) }

    /// 8 MB within 100 ms: the eighth frame begins it, and is told once.
    @Test func eightMegabytesInAWindowAreBulk() {
        var watch = BulkWatch()
        for frame in 0..<7 { #expect(!watch.took(1_000_000, now: at(1_000 + UInt64(frame) * 10))) }
        #expect(watch.took(1_000_000, now: at(1_070)))
        #expect(watch.isBulk)
        #expect(!watch.took(8_000_000, now: at(1_080)), "it was told")
    }

    /// The same frames at half the rate never are: each window begins with nothing.
    @Test func theSameInTwoWindowsIsNot() {
        var watch = BulkWatch()
        for frame in 0..<40 { #expect(!watch.took(1_000_000, now: at(1_000 + UInt64(frame) * 20))) }
        #expect(!watch.isBulk)
    }

    /// Each window that follows is judged alone, those bytes not counted that began it.
    @Test func itEndsWithTheFirstWindowBelow() {
        var watch = BulkWatch()
        #expect(watch.took(9_000_000, now: at(1_000)))
        #expect(!watch.took(8_000_000, now: at(1_050)))
        #expect(watch.windowPassed())
        #expect(!watch.took(7_999_999, now: at(1_150)))
        #expect(!watch.windowPassed())
        #expect(!watch.isBulk)
        #expect(watch.took(8_000_000, now: at(1_201)), "and it may begin again at once")
    }

    /// The thread that takes frames in becomes a batch thread and an ordinary one again, as the kernel sees it.
    @Test func theLoopsThreadWaitsForItsTurnMeanwhile() async throws {
        try await Task.detached {
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
        }.value
    }
}

private struct FixedClock: Clock {
    var now: Timestamp { Timestamp(0) }
    var monotonic: Monotonic { Monotonic(ns: 1_000_000_000) }
}
