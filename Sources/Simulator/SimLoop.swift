import Dispatch
import NIOCore

/// An event loop of a world: its tasks take turns with everything else, its timers go by the world's time.
///
/// `@unchecked Sendable`: a world has one thread.
final class SimLoop: EventLoop, @unchecked Sendable {
    private let turns: Turns
    private let queue: Int

    init(turns: Turns, queue: Int) {
        self.turns = turns
        self.queue = queue
    }

    var inEventLoop: Bool { turns.running === self }
    var now: NIODeadline { .uptimeNanoseconds(turns.nowNs) }

    func execute(_ task: @escaping @Sendable () -> Void) { turns.enqueue(queue, task) }

    func scheduleTask<T>(deadline: NIODeadline, _ task: @escaping @Sendable () throws -> T) -> Scheduled<T> {
        schedule(ns: max(0, Int64(deadline.uptimeNanoseconds) - Int64(turns.nowNs)), task)
    }

    func scheduleTask<T>(in delay: TimeAmount, _ task: @escaping @Sendable () throws -> T) -> Scheduled<T> {
        schedule(ns: max(0, delay.nanoseconds), task)
    }

    private func schedule<T>(ns: Int64, _ task: @escaping @Sendable () throws -> T) -> Scheduled<T> {
        let promise = makePromise(of: T.self)
        let timer = turns.after(UInt64(ns), queue) {
            do { promise.assumeIsolated().succeed(try task()) } catch { promise.fail(error) }
        }
        return Scheduled(promise: promise, cancellationTask: { self.turns.cancel(timer) })
    }

    func shutdownGracefully(queue: DispatchQueue, _ callback: @escaping @Sendable ((any Error)?) -> Void) { callback(nil) }
}
