/// Wall-clock time in milliseconds since 1970-01-01T00:00:00Z, Kafka's record time.
public struct Timestamp: Hashable, Comparable, Sendable, Codable, CustomStringConvertible {
    public var ms: Int64

    @inlinable public init(ms: Int64) { self.ms = ms }

    /// "No timestamp" on the wire.
    public static let none = Timestamp(ms: -1)

    @inlinable public static func < (left: Timestamp, right: Timestamp) -> Bool { left.ms < right.ms }
    @inlinable public static func + (left: Timestamp, ms: Int64) -> Timestamp { Timestamp(ms: left.ms + ms) }
    @inlinable public static func - (left: Timestamp, right: Timestamp) -> Int64 { left.ms - right.ms }

    public var description: String { String(ms) }

    public init(from decoder: any Decoder) throws { ms = try decoder.singleValueContainer().decode(Int64.self) }
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(ms)
    }
}

/// Time that only goes forward, in nanoseconds from an arbitrary start: for timeouts and rates.
public struct Monotonic: Hashable, Comparable, Sendable {
    public var ns: UInt64

    @inlinable public init(ns: UInt64) { self.ns = ns }
    @inlinable public static func < (left: Monotonic, right: Monotonic) -> Bool { left.ns < right.ns }
    @inlinable public func advanced(byMs ms: Int64) -> Monotonic { Monotonic(ns: ns &+ UInt64(max(0, ms)) &* 1_000_000) }
    /// Milliseconds since `earlier`; 0 when it lies ahead.
    @inlinable public func ms(since earlier: Monotonic) -> Int64 { ns > earlier.ns ? Int64((ns - earlier.ns) / 1_000_000) : 0 }
}

/// Where time comes from. Injected everywhere; only the executable makes a ``SystemClock``.
public protocol Clock: Sendable {
    /// Wall time, for what is shown and for what is due.
    var now: Timestamp { get }
    /// Monotonic time, for timeouts.
    var monotonic: Monotonic { get }
}
