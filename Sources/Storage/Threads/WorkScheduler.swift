/// Runs the engines' jobs instead of threads of their own: a simulation takes turns with them in an order that a seed decides.
public protocol WorkScheduler: Sendable {
    /// Runs `job` later, after those of the same queue submitted before.
    func submit(_ queue: WorkQueueID, _ job: @escaping @Sendable () -> Void)
    /// Runs `job` on the queue when `afterMs` have passed.
    func wake(_ queue: WorkQueueID, afterMs: Int64, _ job: @escaping @Sendable () -> Void)
    /// A new queue; `name` says what it is for.
    func makeQueue(_ name: String) -> WorkQueueID
}

/// A queue of a ``WorkScheduler``: its jobs run one at a time, in order.
public struct WorkQueueID: Hashable, Sendable {
    public var value: Int
    public init(_ value: Int) { self.value = value }
}
