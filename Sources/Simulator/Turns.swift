import Model
import NIOCore
import Storage

/// Everything that runs in a world, one job at a time on one thread: event loops, the engines' threads, Swift's tasks. Which queue goes
/// next is drawn from the seed; time stands still while a job is left to run, then jumps to the next timer.
///
/// `@unchecked Sendable`: used on the one thread that calls ``run(until:)``.
final class Turns: WorkScheduler, @unchecked Sendable {
    typealias Job = () -> Void

    private struct Queue {
        var jobs: [Job] = []
        var head = 0
        /// Set for an event loop's queue.
        var loop: SimLoop?
        /// A thread of the engines: slow when the disk is.
        var isDisk = false
        /// Its next job is not done before.
        var readyNs: UInt64 = 0
        var isEmpty: Bool { head == jobs.count }
    }

    private struct Timer {
        var atNs: UInt64
        var number: UInt64
        var queue: Int
        var job: Job
    }

    private(set) var nowNs: UInt64 = 1_000_000_000
    private(set) var steps = 0
    /// The loop whose job runs.
    private(set) weak var running: SimLoop?
    var random: SeededRandom
    /// Each job of an engine's thread takes up to this long.
    var diskMs: Int64 = 0
    /// Jobs that came for a run of the machine that is over. They never run; none should come.
    private(set) var ghosts = 0
    /// What ran, and when: two worlds that went alike have the same.
    private(set) var digest: UInt64 = 0xCBF2_9CE4_8422_2325
    /// Queues of runs that are over stay, with what waited in them: promises must not be let go unfulfilled, and a number is never used
    /// for another queue.
    private var queues: [Queue] = [Queue()]
    /// The queue of Swift's tasks, and the first of those of the present run.
    private(set) var tasks = 0
    private var timers: [Timer] = []
    private var cutTimers: [Timer] = []
    private var nextTimer: UInt64 = 1

    init(seed: UInt64) { random = SeededRandom(seed: seed) }

    // MARK: Work

    func makeQueue(_ name: String) -> WorkQueueID {
        queues.append(Queue(isDisk: true))
        return WorkQueueID(queues.count - 1)
    }

    func makeLoop() -> SimLoop {
        let loop = SimLoop(turns: self, queue: queues.count)
        queues.append(Queue(loop: loop))
        return loop
    }

    func submit(_ queue: WorkQueueID, _ job: @escaping @Sendable () -> Void) { enqueue(queue.value, job) }

    func wake(_ queue: WorkQueueID, afterMs: Int64, _ job: @escaping @Sendable () -> Void) {
        after(UInt64(max(0, afterMs)) * 1_000_000, queue.value, job)
    }

    func enqueue(_ queue: Int, _ job: @escaping Job) {
        if queue < tasks {
            ghosts += 1
        } else if queues[queue].isDisk, queues[queue].isEmpty {
            slowDown(queue)
        }
        queues[queue].jobs.append(job)
    }

    private func slowDown(_ queue: Int) {
        if diskMs > 0 { queues[queue].readyNs = nowNs + UInt64(random.below(Int(diskMs) * 1_000)) * 1_000 }
    }

    @discardableResult
    func after(_ ns: UInt64, _ queue: Int, _ job: @escaping Job) -> UInt64 {
        let number = nextTimer
        nextTimer += 1
        let timer = Timer(atNs: nowNs + ns, number: number, queue: queue, job: job)
        let place = timers.firstIndex { ($0.atNs, $0.number) > (timer.atNs, timer.number) } ?? timers.endIndex
        timers.insert(timer, at: place)
        return number
    }

    func cancel(_ timer: UInt64) { timers.removeAll { $0.number == timer } }

    // MARK: Time

    /// Runs one job, or moves time on to the next. False when nothing is left to do before `limitNs`.
    func step(limitNs: UInt64) -> Bool {
        let ready = (tasks..<queues.count).filter { !queues[$0].isEmpty && queues[$0].readyNs <= nowNs }
        guard !ready.isEmpty else { return moveOn(limitNs) }
        let chosen = ready[random.below(ready.count)]
        let job = queues[chosen].jobs[queues[chosen].head]
        queues[chosen].head += 1
        if queues[chosen].head > 64 && queues[chosen].head * 2 > queues[chosen].jobs.count {
            queues[chosen].jobs.removeFirst(queues[chosen].head)
            queues[chosen].head = 0
        }
        if queues[chosen].isDisk, !queues[chosen].isEmpty { slowDown(chosen) }
        steps += 1
        digest = ((digest ^ UInt64(chosen)) &* 0x100_0000_01B3 ^ nowNs) &* 0x100_0000_01B3
        running = queues[chosen].loop
        job()
        running = nil
        return true
    }

    /// Nothing is left to do now: time jumps to the next timer, or to when the disk is done.
    private func moveOn(_ limitNs: UInt64) -> Bool {
        var next = timers.first?.atNs
        for queue in queues[tasks...] where !queue.isEmpty { next = min(next ?? queue.readyNs, queue.readyNs) }
        guard let next, next <= limitNs else { return false }
        nowNs = max(nowNs, next)
        while let timer = timers.first, timer.atNs <= nowNs {
            timers.removeFirst()
            enqueue(timer.queue, timer.job)
        }
        return true
    }

    /// Runs `body` as a job of the loop, between two others.
    func inside(_ loop: any EventLoop, _ body: () -> Void) {
        running = loop as? SimLoop
        body()
        running = nil
    }

    /// Runs for `ms` of the world's time, or until `done` says so.
    func run(forMs ms: Int64, until done: () -> Bool = { false }) {
        let limit = nowNs + UInt64(ms) * 1_000_000
        while !done(), step(limitNs: limit) {}
        if !done() { nowNs = max(nowNs, limit) }
    }

    /// What a power cut does to a machine: nothing of it runs any more.
    func cut() {
        cutTimers += timers
        timers = []
        tasks = queues.count
        queues.append(Queue())
    }
}

/// The world's time. Wall time starts on 2026-01-01.
struct SimClock: Clock {
    let turns: Turns
    var now: Timestamp { Timestamp(ms: 1_767_225_600_000 + Int64(turns.nowNs / 1_000_000)) }
    var monotonic: Monotonic { Monotonic(ns: turns.nowNs) }
}
