import CWeir

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A thread that runs jobs in order: where the engine's writes, syncs and cold reads wait so that no event loop does.
///
/// Jobs are few and large (a frame, not a record), so a mutex and a condition variable are cheap. The thread starts with the first job
/// and sleeps without a timer while there is nothing to do, unless a job asked for ``wake(afterMs:)``.
///
/// `@unchecked Sendable`: every stored property below is read and written under `mutex` only.
final class WorkThread: @unchecked Sendable {
    typealias Job = @Sendable () -> Void

    private let name: String
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let condition: UnsafeMutablePointer<pthread_cond_t>
    private var jobs: [Job] = []
    private var started = false
    private var stopped = false
    private var isWaiting = false
    private var wakeAtNs: UInt64?
    private let onWake: Job?
    /// Set where a scheduler runs the jobs: then there is no thread.
    private let scheduled: (scheduler: any WorkScheduler, queue: WorkQueueID)?

    /// - Parameter onWake: runs on the thread when the time given to ``wake(afterMs:)`` has come.
    init(name: String, scheduler: (any WorkScheduler)? = nil, onWake: Job? = nil) {
        self.name = name
        self.onWake = onWake
        scheduled = scheduler.map { ($0, $0.makeQueue(name)) }
        mutex = .allocate(capacity: 1)
        mutex.initialize(to: pthread_mutex_t())
        condition = .allocate(capacity: 1)
        condition.initialize(to: pthread_cond_t())
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        precondition(pthread_mutex_init(mutex, nil) == 0 && pthread_cond_init(condition, &attributes) == 0)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    /// Runs `job` after those submitted before. After ``stop()`` jobs are still run, on the caller's thread.
    func submit(_ job: @escaping Job) {
        if let scheduled { return scheduled.scheduler.submit(scheduled.queue, job) }
        pthread_mutex_lock(mutex)
        if stopped {
            pthread_mutex_unlock(mutex)
            return job()
        }
        jobs.append(job)
        let starts = !started
        started = true
        let wakes = isWaiting
        pthread_mutex_unlock(mutex)
        // After the lock is free, or the thread would wake only to wait for it.
        if wakes { pthread_cond_signal(condition) }
        if starts { start() }
    }

    /// Calls `onWake` once when `afterMs` have passed; an earlier wish is kept.
    func wake(afterMs ms: Int64) {
        if let scheduled {
            if let onWake { scheduled.scheduler.wake(scheduled.queue, afterMs: ms, onWake) }
            return
        }
        let at = Self.nowNs() + UInt64(max(0, ms)) * 1_000_000
        pthread_mutex_lock(mutex)
        if !stopped, wakeAtNs.map({ at < $0 }) ?? true {
            wakeAtNs = at
            pthread_cond_signal(condition)
        }
        let starts = !stopped && !started
        if starts { started = true }
        pthread_mutex_unlock(mutex)
        if starts { start() }
    }

    /// The thread ends when the jobs submitted so far have run.
    func stop() {
        pthread_mutex_lock(mutex)
        stopped = true
        pthread_cond_signal(condition)
        pthread_mutex_unlock(mutex)
    }

    private func start() {
        var thread = pthread_t()
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        pthread_attr_setdetachstate(&attributes, CInt(PTHREAD_CREATE_DETACHED))
        let context = Unmanaged.passRetained(self).toOpaque()
        let result = pthread_create(
            &thread, &attributes,
            { context in
                guard let context else { return nil }
                Unmanaged<WorkThread>.fromOpaque(context).takeRetainedValue().run()
                return nil
            }, context)
        pthread_attr_destroy(&attributes)
        precondition(result == 0, "no thread for \(name): error \(result)")
    }

    private func run() {
        weir_name_thread(name)
        // On a busy machine a write that can wait a millisecond shall not stop the client that is making the next one. Where the kernel
        // does not allow it, the thread runs as any other.
        _ = weir_set_batch_thread(1)
        while let batch = next() {
            for job in batch { job() }
        }
    }

    /// Waits for work; nil when the thread shall end.
    private func next() -> [Job]? {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while true {
            if !jobs.isEmpty {
                let batch = jobs
                jobs = []
                return batch
            }
            if stopped { return nil }
            guard let wakeAtNs else {
                isWaiting = true
                pthread_cond_wait(condition, mutex)
                isWaiting = false
                continue
            }
            if Self.nowNs() >= wakeAtNs {
                self.wakeAtNs = nil
                if let onWake { return [onWake] }
                continue
            }
            var until = timespec(tv_sec: Int(wakeAtNs / 1_000_000_000), tv_nsec: Int(wakeAtNs % 1_000_000_000))
            isWaiting = true
            pthread_cond_timedwait(condition, mutex, &until)
            isWaiting = false
        }
    }

    /// The monotonic clock that condition variables wait by; not for decisions.
    private static func nowNs() -> UInt64 {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        return UInt64(now.tv_sec) * 1_000_000_000 + UInt64(now.tv_nsec)
    }
}
