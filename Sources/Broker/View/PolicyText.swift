import Model
import Queues

/// A queue's policy in words.
enum PolicyText {
    /// `5 attempts, 10s 30s 1m`; `16 attempts, 1s x2 up to 5m`; `5 attempts, at once`.
    static func retry(_ policy: QueuePolicy) -> String {
        let attempts = policy.deliveryLimit.map { "\($0) attempt\($0 == 1 ? "" : "s")" } ?? "no limit of attempts"
        guard let retry = policy.retry else { return "\(attempts), at once" }
        let jitter = retry.jitter > 0 ? " ±\(Int((retry.jitter * 100).rounded()))%" : ""
        switch retry.delays {
        case .levels(let levels):
            let shown = levels.count <= 5 ? levels.map(span) : levels.prefix(3).map(span) + ["…"] + levels.suffix(1).map(span)
            return "\(attempts), \(shown.joined(separator: " "))\(jitter)"
        case .backoff(let least, let factor, let most): return "\(attempts), \(span(least)) x\(number(factor)) up to \(span(most))\(jitter)"
        }
    }

    /// `100k msgs / 2G, at 31%, reject-publish; in 100/s; out 50/s; ttl 1h`; empty without limits.
    static func limits(_ policy: QueuePolicy, fullness: Double?) -> String {
        var parts: [String] = []
        let depth = policy.maxDepth.map { "\(ShortText.count(Double($0))) msgs" }
        let bytes = policy.maxBytes.map { "\(ShortText.count(Double($0)))B" }
        if let fullness {
            let sizes = [depth, bytes].compactMap { $0 }.joined(separator: " / ")
            parts.append("\(sizes), at \(Int((fullness * 100).rounded()))%, \(policy.overflow.rawValue)")
        }
        if let rate = policy.rateIn { parts.append("in \(number(rate))/s") }
        if let rate = policy.rateOut { parts.append("out \(number(rate))/s") }
        if let ttl = policy.ttlMs { parts.append("ttl \(span(ttl))") }
        return parts.joined(separator: "; ")
    }

    /// `500ms 10s 1m 1h30m 2d`
    static func span(_ ms: Int64) -> String {
        let units: [(Int64, String)] = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1_000, "s")]
        // A day and a half is 36h, ninety seconds are 1m30s.
        for (size, unit) in units where ms >= size && ms % size == 0 && (unit != "s" || ms < 60_000) { return "\(ms / size)\(unit)" }
        if ms < 1_000 { return "\(ms)ms" }
        return ms < 60_000 ? "\(number(Double(ms) / 1_000))s" : "\(ms / 60_000)m\(ms % 60_000 / 1_000)s"
    }

    private static func number(_ value: Double) -> String {
        value == value.rounded() && abs(value) < 1e15 ? String(Int64(value)) : String(value)
    }
}
