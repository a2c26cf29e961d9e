import Model

/// How a client reaches a cluster, and the bounds it keeps.
public struct ClientOptions: Sendable {
    /// Brokers to ask first; the others are learnt from them.
    public var bootstrap: [HostPort]
    public var clientID = "weir"
    /// Longest to wait for a connection.
    public var connectTimeoutMs: Int64 = 10_000
    /// Longest to wait for an answer, beyond what the request itself lets the broker wait.
    public var requestTimeoutMs: Int64 = 30_000
    /// Longest that one call goes on trying, over reconnects and new leaders.
    public var deliveryTimeoutMs: Int64 = 120_000
    /// Pause before another try: doubled from the first to the second value, with a random part.
    public var retryBackoffMs: Int64 = 50
    public var retryBackoffMaxMs: Int64 = 1_000
    /// Metadata older than this is asked for again.
    public var metadataMaxAgeMs: Int64 = 60_000
    /// Largest answer that is accepted.
    public var responseBytes = 128 << 20
    /// Requests of one connection that may await their answer.
    public var requestsInFlight = 256

    public init(bootstrap: [HostPort]) {
        precondition(!bootstrap.isEmpty, "a client needs a broker to ask first")
        self.bootstrap = bootstrap
    }
}

extension HostPort {
    /// An address that a broker names; nil when its port is none.
    init?(host: String, wirePort: Int32) {
        guard let port = UInt16(exactly: wirePort), port > 0 else { return nil }
        self.init(host: host, port: port)
    }
}
