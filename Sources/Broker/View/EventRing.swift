import Control
import Model
import Synchronization

/// The last things that happened, for the console's status line and log screen. Bounded; any thread.
public final class EventRing: Sendable {
    public enum Level: String, Sendable { case info, warning, error }
    private let events = Mutex<[Event]>([])
    private let limit: Int

    public init(limit: Int) { self.limit = limit }

    public func add(_ level: Level, _ text: String, at time: Timestamp) {
        events.withLock { events in
            events.append(Event(atMs: time.ms, level: level.rawValue, text: text))
            if events.count > limit { events.removeFirst(events.count - limit * 9 / 10) }
        }
    }

    public func last(_ count: Int) -> [Event] { events.withLock { Array($0.suffix(count)) } }
}
