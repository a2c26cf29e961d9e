/// How a client reaches a cluster, and the bounds it keeps.
public struct ClientOptions: Sendable {
    /// Brokers to ask first; the others are learnt from them.
    public var bootstrap: [BrokerAddress]
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

    public init(bootstrap: [BrokerAddress]) {
        precondition(!bootstrap.isEmpty, "a client needs a broker to ask first")
        self.bootstrap = bootstrap
    }
}

/// Where a broker listens.
public struct BrokerAddress: Hashable, Sendable, CustomStringConvertible {
    public var host: String
    public var port: Int

    public init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// `HOST:PORT`, or `[V6]:PORT`; nil for anything else.
    public init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]), (1...65_535).contains(port) else {
            return nil
        }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            return nil
        }
        guard !host.isEmpty else { return nil }
        self.init(host: String(host), port: port)
    }

    public var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
