import Model

/// When a job that sends messages on may send how many, and when it must stop. A pure value: it is told the time and what became of what
/// it sent, and reads nothing itself.
///
/// ```
/// rate 50/s, ramp from 5/s, canary 1
/// 0 ms      send 1 (the canary)            then wait for its outcome, at most 10 s
/// 800 ms    acked: 1                        → from here the rate counts: 5/s for a second, then 10/s, 20/s, 40/s, 50/s
/// 9000 ms   sent 300, died again 16, stop if > 5 %  → stop
/// ```
public struct RedriveJob: Equatable, Sendable {
    public struct Rules: Equatable, Sendable {
        /// Messages per second; nil: as fast as it goes.
        public var rate: Double?
        /// The rate of the first second; it doubles each second up to `rate`.
        public var rampFrom: Double?
        /// Waits while the fullest target has more ready messages.
        public var holdAbove: Int64?
        public var canary: Int64?
        public var canaryWaitMs: Int64 = 10_000
        /// Share of the sent messages, 0 to 1, above which having died again stops the job.
        public var stopIfDead: Double?

        public init() {}
    }
    public enum Step: Equatable, Sendable {
        case send(atMost: Int)
        /// Ask again after `ms`; the note says what for, and is empty for mere pacing.
        case wait(ms: Int64, note: String)
        case stop(note: String)
    }

    public let rules: Rules
    public private(set) var sent: Int64
    public private(set) var acked: Int64
    public private(set) var died: Int64

    /// Messages that may be sent now by the rate.
    private var budget = 0.0
    private var lastMs: Int64?
    private var rampedMs: Int64 = 0
    private var canarySentMs: Int64?
    private var canaryPassed: Bool

    /// - Parameter sent: what a run before a restart has sent; its canary counts as passed when it was sent whole.
    public init(rules: Rules, sent: Int64 = 0, acked: Int64 = 0, died: Int64 = 0) {
        self.rules = rules
        self.sent = sent
        self.acked = acked
        self.died = died
        canaryPassed = (rules.canary ?? 0) <= 0
    }

    /// How often a waiting job asks again.
    private static let pollMs: Int64 = 100

    /// - Parameter backlog: ready messages of the fullest target; nil when it does not matter or is not known.
    public mutating func next(nowMs: Int64, backlog: Int64?, batch: Int) -> Step {
        if let share = rules.stopIfDead, sent > 0, Double(died) > share * Double(sent) {
            let percent = (Double(died) / Double(sent) * 1_000).rounded() / 10
            return .stop(note: "\(percent == percent.rounded() ? String(Int64(percent)) : String(percent))% died again")
        }
        if let step = canary(nowMs: nowMs, batch: batch) { return step }
        if let limit = rules.holdAbove, let backlog, backlog > limit {
            lastMs = nowMs
            return .wait(ms: Self.pollMs, note: "target backlog over \(limit)")
        }
        guard let rate = rate(rampedMs) else { return .send(atMost: batch) }
        let elapsed = max(0, nowMs - (lastMs ?? nowMs))
        lastMs = nowMs
        rampedMs += elapsed
        // A second's worth may gather at most, so that a pause is not made up for by a flood.
        budget = min(budget + rate * Double(elapsed) / 1_000, max(1, rate))
        if budget >= 1 { return .send(atMost: min(batch, Int(budget))) }
        return .wait(ms: max(1, Int64(((1 - budget) / rate * 1_000).rounded(.up))), note: "")
    }

    private mutating func canary(nowMs: Int64, batch: Int) -> Step? {
        guard !canaryPassed, let canary = rules.canary else { return nil }
        if sent < canary { return .send(atMost: min(batch, Int(canary - sent))) }
        if died > 0 { return .stop(note: "the canary died again") }
        if acked >= canary {
            canaryPassed = true
            return nil
        }
        let since = canarySentMs ?? nowMs
        canarySentMs = since
        if nowMs - since >= rules.canaryWaitMs {
            return .stop(note: "the canary was not acked within \(rules.canaryWaitMs / 1_000) s")
        }
        return .wait(ms: min(Self.pollMs, max(1, rules.canaryWaitMs - (nowMs - since))), note: "canary")
    }

    public mutating func noteSent(_ count: Int64) {
        sent += count
        budget = max(0, budget - Double(count))
    }

    /// What had been counted as sent was refused by its target.
    public mutating func noteRefused(_ count: Int64) { sent = max(0, sent - count) }

    public mutating func note(acked: Int64, died: Int64) {
        self.acked += acked
        self.died += died
    }

    /// Messages per second after sending for `ms`.
    private func rate(_ ms: Int64) -> Double? {
        guard let from = rules.rampFrom, from > 0 else { return rules.rate }
        // After sixty doublings any rate is as good as none.
        guard ms < 60_000 else { return rules.rate }
        var ramped = from
        for _ in 0..<(ms / 1_000) { ramped *= 2 }
        return min(ramped, rules.rate ?? .infinity)
    }

    /// How long `count` messages take by the rate and its ramp, waiting for nothing else; nil without a rate.
    public static func durationMs(_ rules: Rules, count: Int64) -> Int64? {
        let job = RedriveJob(rules: rules)
        var left = Double(count)
        var ms: Int64 = 0
        while left > 0 {
            guard let rate = job.rate(ms), rate.isFinite else { return rules.rate == nil ? nil : ms }
            if rate == rules.rate || left <= rate { return ms + Int64((left / rate * 1_000).rounded(.up)) }
            left -= rate
            ms += 1_000
        }
        return ms
    }
}
