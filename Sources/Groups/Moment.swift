import Model

/// The time at which a machine decides: wall time for what is stored, monotonic time for deadlines. Always injected.
public struct Moment: Equatable, Sendable {
    public var wall: Timestamp
    public var monotonic: Monotonic

    public init(wall: Timestamp, monotonic: Monotonic) {
        self.wall = wall
        self.monotonic = monotonic
    }

    public init(_ clock: some Clock) {
        self.init(wall: clock.now, monotonic: clock.monotonic)
    }
}
