/// How the console stands with its broker.
public enum Link: Equatable, Sendable {
    /// No answer yet.
    case connecting
    case live
    /// No answer since `sinceMs`; `attempt` failed tries, the next one at `retryMs`. `reason` is the last error.
    case stale(sinceMs: Int64, attempt: Int, retryMs: Int64, reason: String)

    public var isLive: Bool { self == .live }

    /// Wait before try number `attempt`: 1 s, 2 s, 4 s … 15 s, for ever.
    static func backoffMs(attempt: Int) -> Int64 { min(15_000, 1_000 << Int64(min(max(0, attempt - 1), 4))) }
}
