/// A client's connection to the broker. Rates are per second over the last second.
public struct ClientRow: Codable, Equatable, Sendable {
    /// What ``Command/killClient(id:)`` takes; never used again while the broker runs.
    public var id: Int64 = 0
    /// `kafka`.
    public var door = ""
    /// What the client calls itself; empty until it has said so.
    public var client = ""
    /// The library and its version (KIP-511): `librdkafka 2.16.0`; nil where the client does not tell.
    public var software: String?
    /// HOST:PORT of its end.
    public var address = ""
    /// When it connected, ms since 1970.
    public var sinceMs: Int64 = 0
    public var inBytesRate = 0.0
    public var outBytesRate = 0.0
    public var requestRate = 0.0
    /// Requests that wait for their answer.
    public var inFlight = 0
    /// Groups it is a member of by this connection, by name; at most ``Model/Limits/groupsPerConnection``.
    public var groups: [String] = []

    public init() {}
}
