#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Makes Swift's tasks take turns in the current world: the runtime asks a hook before it hands a job to its thread pool.
///
/// The hooks are the runtime's own (`swift_task_enqueueGlobal_hook` and its kin in swiftlang/swift, `include/swift/Runtime/Concurrency.h`,
/// exported for this purpose). They are set once per process, which is why the simulator is a program of its own. A task that sleeps by the
/// machine's clock would wait for a time of which a world knows nothing: that is refused; who waits does so on an event loop.
enum TaskTurns {
    private typealias Original = @convention(thin) (UnownedJob) -> Void
    private typealias Hook = @convention(thin) (UnownedJob, Original) -> Void
    /// Called with more than this; what it gets is not looked at.
    private typealias SleepHook = @convention(thin) () -> Void

    /// The world whose turns are taken. Touched by the simulator's one thread only.
    nonisolated(unsafe) static var current: Turns?

    private final class Serial: SerialExecutor {
        func enqueue(_ job: consuming ExecutorJob) { TaskTurns.take(UnownedJob(job)) }
        func asUnownedSerialExecutor() -> UnownedSerialExecutor { UnownedSerialExecutor(ordinary: self) }
    }
    private static let serial = Serial()

    private static func take(_ job: UnownedJob) {
        guard let turns = current else { preconditionFailure("a task was started outside of a world") }
        turns.enqueue(turns.tasks) { job.runSynchronously(on: serial.asUnownedSerialExecutor()) }
    }

    /// - Returns: false where the runtime has no such hook.
    static func install() -> Bool {
        let program = dlopen(nil, RTLD_LAZY)
        guard let symbol = dlsym(program, "swift_task_enqueueGlobal_hook") else { return false }
        for name in ["swift_task_enqueueGlobalWithDelay_hook", "swift_task_enqueueGlobalWithDeadline_hook"] {
            guard let sleep = dlsym(program, name) else { return false }
            sleep.assumingMemoryBound(to: SleepHook?.self).pointee = {
                print("a task in a world sleeps by the machine's clock (Task.sleep); it must wait on an event loop")
                preconditionFailure("Task.sleep in a world")
            }
        }
        symbol.assumingMemoryBound(to: Hook?.self).pointee = { job, _ in TaskTurns.take(job) }
        return true
    }
}
