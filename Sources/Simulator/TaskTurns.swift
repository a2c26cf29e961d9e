#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Makes Swift's tasks take turns in the current world: the runtime asks a hook before it hands a job to its thread pool.
///
/// The hook is the runtime's own (`swift_task_enqueueGlobal_hook`, exported for this purpose); it is set once per process, which is why
/// the simulator is a program of its own.
enum TaskTurns {
    private typealias Original = @convention(thin) (UnownedJob) -> Void
    private typealias Hook = @convention(thin) (UnownedJob, Original) -> Void

    private typealias DeadlineOriginal = @convention(thin) (Int64, Int64, Int64, Int64, Int32, UnownedJob) -> Void
    private typealias DeadlineHook = @convention(thin) (Int64, Int64, Int64, Int64, Int32, UnownedJob, DeadlineOriginal) -> Void
    /// How long a task sleeps that asks for a deadline: that is in the machine's time, of which a world knows nothing.
    private static let sleepNs: UInt64 = 5_000_000

    /// The world whose turns are taken. Touched by the simulator's one thread only.
    nonisolated(unsafe) static var current: Turns?

    private final class Serial: SerialExecutor {
        func enqueue(_ job: consuming ExecutorJob) { TaskTurns.take(UnownedJob(job)) }
        func asUnownedSerialExecutor() -> UnownedSerialExecutor { UnownedSerialExecutor(ordinary: self) }
    }
    private static let serial = Serial()

    private static func take(_ job: UnownedJob) {
        guard let turns = current else { preconditionFailure("a task was started outside of a world") }
        turns.enqueue(Turns.tasks) { job.runSynchronously(on: serial.asUnownedSerialExecutor()) }
    }

    private static func takeLater(_ job: UnownedJob) {
        guard let turns = current else { preconditionFailure("a task was started outside of a world") }
        turns.after(sleepNs, Turns.tasks) { job.runSynchronously(on: serial.asUnownedSerialExecutor()) }
    }

    /// - Returns: false where the runtime has no such hook.
    static func install() -> Bool {
        guard let symbol = dlsym(dlopen(nil, RTLD_LAZY), "swift_task_enqueueGlobal_hook"),
            let deadline = dlsym(dlopen(nil, RTLD_LAZY), "swift_task_enqueueGlobalWithDeadline_hook")
        else { return false }
        deadline.assumingMemoryBound(to: DeadlineHook?.self).pointee = { _, _, _, _, _, job, _ in TaskTurns.takeLater(job) }
        symbol.assumingMemoryBound(to: Hook?.self).pointee = { job, _ in TaskTurns.take(job) }
        return true
    }
}
