import Model

/// A consumer's health in one partition, judged from its own commits over a sliding window, after LinkedIn Burrow's evaluator: no
/// thresholds to set.
///
/// In this order, over the commits of the window (at most ``capacity``, at least a second apart):
/// 1. nothing left to read: OK;
/// 2. STOP: silent for longer than the window's commits span (and than ``patienceMs``);
/// 3. lag was 0 somewhere in the window: OK;
/// 4. REWIND: a commit went back; STALL: commits come but do not move; WARN: they move and lag never fell; else OK.
public struct LagRules: Equatable, Sendable {
    /// The raw values are those that screens and the control protocol show.
    public enum Status: String, Equatable, Sendable, CaseIterable {
        case ok = "OK"
        case warn = "WARN"
        case rewind = "REWIND"
        case stop = "STOP"
        case stall = "STALL"
    }

    /// A commit: when, where to, and where the log ended then.
    public struct Sample: Equatable, Sendable {
        public var at: Monotonic
        public var committed: Offset
        public var end: Offset
        public var lag: Int64 { max(0, end - committed) }

        public init(at: Monotonic, committed: Offset, end: Offset) {
            self.at = at
            self.committed = committed
            self.end = end
        }
    }

    public struct Verdict: Equatable, Sendable {
        public var status: Status
        public var lag: Int64
        /// Records committed per second, and produced per second, over the window.
        public var rate: Double
        public var inRate: Double
        /// Lag's change per second; negative while it drains.
        public var net: Double
        /// Until lag is 0 at this pace; 0 when it is, nil for never.
        public var etaMs: Int64?
    }

    public static let capacity = 10
    /// Commits closer together than this are one sample.
    public static let spacingMs: Int64 = 1_000
    /// A consumer that commits every few seconds is not stopped before this.
    public static let patienceMs: Int64 = 30_000
    /// Samples older than this no longer count for rates.
    public static let horizonMs: Int64 = 60_000

    /// Oldest first.
    public private(set) var samples: [Sample] = []
    /// When the committed offset last changed.
    public private(set) var movedAt: Monotonic?

    public init() {}

    /// Takes a commit in.
    public mutating func committed(_ sample: Sample) {
        if samples.last?.committed != sample.committed { movedAt = sample.at }
        if samples.count > 1, let last = samples.last, last.at.ms(since: samples[samples.count - 2].at) < Self.spacingMs,
            sample.committed >= last.committed
        {
            // The last sample stays open until it is far enough from the one before it.
            samples[samples.count - 1] = sample
            return
        }
        if samples.count == Self.capacity { samples.removeFirst() }
        samples.append(sample)
    }

    /// Judges the partition as it stands: `committed` and `end` now.
    public func verdict(committed: Offset, end: Offset, now: Monotonic) -> Verdict {
        let lag = max(0, end - committed)
        var verdict = Verdict(status: status(lag: lag, now: now), lag: lag, rate: 0, inRate: 0, net: 0, etaMs: lag == 0 ? 0 : nil)
        guard let first = samples.first(where: { now.ms(since: $0.at) <= Self.horizonMs }) ?? samples.last else { return verdict }
        let seconds = Double(max(now.ms(since: first.at), Self.spacingMs)) / 1000
        verdict.rate = max(0, Double(committed - first.committed)) / seconds
        verdict.inRate = max(0, Double(end - first.end)) / seconds
        verdict.net = Double(lag - first.lag) / seconds
        if lag > 0, verdict.net < 0 { verdict.etaMs = Int64((Double(lag) / -verdict.net * 1000).rounded(.up)) }
        return verdict
    }

    private func status(lag: Int64, now: Monotonic) -> Status {
        guard lag > 0, let first = samples.first, let last = samples.last else { return .ok }
        let silence = now.ms(since: last.at)
        if silence > max(last.at.ms(since: first.at), Self.patienceMs) { return .stop }
        guard samples.count > 1, samples.allSatisfy({ $0.lag > 0 }) else { return .ok }
        let steps = zip(samples, samples.dropFirst())
        if steps.contains(where: { $0.committed > $1.committed }) { return .rewind }
        guard last.at.ms(since: first.at) >= Self.spacingMs else { return .ok }
        if first.committed == last.committed { return .stall }
        return steps.contains { $1.lag < $0.lag } ? .ok : .warn
    }
}
