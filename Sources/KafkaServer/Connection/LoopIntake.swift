import CWeir
import Model
import NIOCore

/// What the connections of one loop share for taking in large frames: the memory they are read to, and the loop's manners.
///
/// A loop that takes in large frames is woken hundreds of times a second. On a machine without an idle processor each time stops
/// somebody, most likely the very client that makes the next frame; so the loop's thread waits for its turn meanwhile (SCHED_BATCH).
/// With small requests it is an ordinary thread: there a quick answer counts.
///
/// `@unchecked Sendable`: used on its loop only.
final class LoopIntake: @unchecked Sendable {
    let pool: BufferPool
    private let loop: any EventLoop
    private let clock: any Clock
    private var watch = BulkWatch()

    init(loop: any EventLoop, clock: any Clock, poolBytes: Int) {
        self.loop = loop
        self.clock = clock
        pool = BufferPool(limitBytes: poolBytes)
    }

    /// A request came in.
    func took(frameBytes: Int) {
        guard frameBytes >= FrameAssembler.lendBytes, watch.took(frameBytes, now: clock.monotonic) else { return }
        setBatch(true)
        checkLater()
    }

    /// Lets go of the memory that is kept for later. From any thread.
    func giveBack() async throws { try await loop.submit { self.pool.forgetAll() }.get() }

    private func checkLater() {
        loop.scheduleTask(in: .milliseconds(BulkWatch.windowMs)) {
            if self.watch.windowPassed() { self.checkLater() } else { self.setBatch(false) }
        }
    }

    /// Where the kernel does not allow it, the thread stays as it is.
    private func setBatch(_ isBatch: Bool) { _ = weir_set_batch_thread(isBatch ? 1 : 0) }
}

/// Whether large frames come in bulk: ``bulkBytes`` in a window of ``windowMs``, and again in each window that follows.
///
/// ```
/// 1 MB at 0, 10, 20 … 70 ms   bulk from 70 ms on (8 MB within 100 ms)
/// window 70…170 ms: 9 MB      still bulk
/// window 170…270 ms: 1 MB     not any more
/// ```
struct BulkWatch {
    static let windowMs: Int64 = 100
    static let bulkBytes = 8_000_000

    private(set) var isBulk = false
    private var bytes = 0
    private var windowEnd = Monotonic(ns: 0)

    /// - Returns: whether bulk began with this frame; then call ``windowPassed()`` every ``windowMs`` until it says no.
    mutating func took(_ frameBytes: Int, now: Monotonic) -> Bool {
        if !isBulk, now >= windowEnd {
            bytes = 0
            windowEnd = now.advanced(byMs: Self.windowMs)
        }
        bytes += frameBytes
        guard !isBulk, bytes >= Self.bulkBytes else { return false }
        isBulk = true
        bytes = 0
        return true
    }

    /// - Returns: whether it is bulk still.
    mutating func windowPassed() -> Bool {
        isBulk = bytes >= Self.bulkBytes
        bytes = 0
        return isBulk
    }
}
